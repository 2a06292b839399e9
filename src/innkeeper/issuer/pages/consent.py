"""The consent page: who asks, for what, until when, and where the answer goes."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.authorize import AskConsent
from innkeeper.issuer.core.records import Person
from innkeeper.issuer.core.token import REFRESH_TOKEN
from innkeeper.issuer.desk.authorize import authorize, consent_to
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.tickets import Ticket, seal
from innkeeper.issuer.dialects.layout import Layout
from innkeeper.issuer.pages.acting import about
from innkeeper.issuer.pages.asked import asks_of, until_of
from innkeeper.issuer.pages.render import page_reply
from innkeeper.issuer.pages.sign_in import seen, too_late
from innkeeper.issuer.pages.speaking import marked
from innkeeper.issuer.pages.visit import Visits, parameters_of
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.parameters import Malformed, Parameters
from innkeeper.protocol.redirects import host_of, is_loopback


class ConsentPage:
    def __init__(self, realm: Realm, layout: Layout, visits: Visits) -> None:
        self._realm = realm
        self._layout = layout
        self._visits = visits

    async def __call__(self, request: Request) -> Reply:
        try:
            form = parameters_of(request)
            ticket = self._visits.ticket(form)
            if ticket is None:
                return too_late(self._realm.policy.title, self._layout.static)
            if request.method == "POST" and self._visits.sent_from_our_page(request, form):
                return await self._decided(request, form, ticket)
            return await self._page(request, ticket)
        except Malformed:
            return too_late(self._realm.policy.title, self._layout.static)

    async def _decided(self, request: Request, form: Parameters, ticket: Ticket) -> Reply:
        """Remember a yes, said in the session that the page was shown in; anything else is a no."""
        session = await self._realm.session(self._visits.session_cookie(request))
        if form.get("decision") != "allow":
            return self._visits.on_to(self._layout.authorize, msgspec.structs.replace(ticket, denied=True))
        if session is None or session.id != ticket.session_id:
            return await self._page(request, ticket)
        await consent_to(self._realm, ticket, session)
        return self._visits.on_to(self._layout.authorize, msgspec.structs.replace(ticket, consented=True))

    async def _page(self, request: Request, ticket: Ticket) -> Reply:
        answer = await authorize(self._realm, ticket, self._visits.session_cookie(request), give=False)
        if not isinstance(answer.outcome, AskConsent):
            return self._visits.on_to(self._layout.authorize, ticket)
        asked, session = answer.outcome.authorization, answer.outcome.session
        person = await self._realm.store.person(session.sub)
        proof, headers = self._visits.form_proof(request)
        policy = self._realm.policy
        return page_reply(
            "consent.html",
            200,
            headers,
            form_targets=[asked.redirect_uri],
            realm_name=self._realm.policy.title,
            static=self._layout.static,
            client=seen(asked.client, asked.redirect_uri),
            redirect_host=host_of(asked.redirect_uri),
            loopback=is_loopback(asked.redirect_uri),
            changed=answer.outcome.changed,
            agent=await about(self._realm, asked.client),
            person=_shown(person),
            asks=asks_of(asked, answer.outcome.new, policy),
            resources=[one for uri, one in policy.resources.items() if uri in asked.reach.audience],
            until=until_of(asked, policy),
            access_minutes=max(1, policy.access_lifetime // 60) if REFRESH_TOKEN in asked.client.grants else 0,
            action=self._layout.consent,
            csrf=proof,
            ticket=seal(self._realm, _shown_in(session.id, ticket)),
            switch_url=self._switch(ticket),
        )

    def _switch(self, ticket: Ticket) -> str:
        """Where somebody else signs in for the same request."""
        return self._visits.on_to(self._layout.sign_in, ticket).header("location") or self._layout.sign_in


def _shown_in(session_id: str, ticket: Ticket) -> Ticket:
    """The ticket of a page that was shown in this session: a yes in another one is none."""
    signed_in_at = ticket.progress(session_id).signed_in_at
    return msgspec.structs.replace(ticket, session_id=session_id, signed_in_at=signed_in_at, consented=False)


def _shown(person: Person | None) -> dict[str, str]:
    if person is None:
        return {"name": marked("somebody"), "username": ""}
    return {"name": str(person.claims.get("name", person.username)), "username": person.username}
