"""What waits for a person: requests that programs made elsewhere, to be allowed or not one by one."""

from __future__ import annotations

from innkeeper.issuer.core.answering import Reviewed
from innkeeper.issuer.core.records import Session
from innkeeper.issuer.desk.backchannel import Pending, answer, find, pending
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.tickets import Ticket, seal
from innkeeper.issuer.dialects.layout import Layout
from innkeeper.issuer.pages.acting import about, names
from innkeeper.issuer.pages.asked import asked, minutes_ago, shown
from innkeeper.issuer.pages.render import page_reply
from innkeeper.issuer.pages.speaking import marked
from innkeeper.issuer.pages.visit import Visits, parameters_of
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.parameters import Malformed, Parameters
from innkeeper.protocol.refusals import Refusal

_LONGEST = 64
"""Characters of a request's key, which is a SHA-256 in hexadecimal."""


class ApprovalsPage:
    """GET lists what waits, or asks about the one that ``request`` names; POST takes the answer."""

    def __init__(self, realm: Realm, layout: Layout, visits: Visits) -> None:
        self._realm = realm
        self._layout = layout
        self._visits = visits

    async def __call__(self, request: Request) -> Reply:
        try:
            form = parameters_of(request)
            ticket = self._visits.ticket(form)
            key = form.get("request") or (ticket.parameters().get("request", "") if ticket else "")
        except Malformed:
            return self._message(marked("This page is out of date"), marked("Please open it once more."), 400)
        if ticket is not None and (ticket.denied or ticket.place != self._layout.approvals):
            return self._message(marked("Nothing was allowed"), marked("You may close this page."))
        session = await self._realm.session(self._visits.session_cookie(request))
        if session is None:
            return self._visits.on_to(self._layout.sign_in, self._ticket(key))
        if request.method == "POST":
            return await self._answered(request, form, ticket, session)
        found = await find(self._realm, session, key) if key else None
        return await self._question(request, session, found) if found else await self._list(session, missed=bool(key))

    async def _answered(self, request: Request, form: Parameters, ticket: Ticket | None, session: Session) -> Reply:
        """Which request is answered comes from the ticket that the question was asked with, never from the form."""
        key = ticket.parameters().get("request", "") if ticket else ""
        ours = self._visits.sent_from_our_page(request, form)
        reviewed = Reviewed(ours, ticket.session_id if ticket else "", session.id)
        allowed = form.get("decision") == "allow"
        decision = await answer(self._realm, session, key, reviewed, allowed=allowed)
        if decision is None:
            return await self._list(session, missed=True)
        if isinstance(decision.outcome, Refusal):
            page = decision.outcome.page
            return self._message(marked("Nothing was allowed"), page.wire, page.status)
        return await self._list(session, answered=marked("Allowed.") if allowed else marked("Not allowed."))

    async def _question(self, request: Request, session: Session, found: Pending) -> Reply:
        person = await self._realm.store.person(session.sub)
        proof, headers = self._visits.form_proof(request)
        return page_reply(
            "approval.html",
            200,
            headers,
            realm_name=self._realm.policy.title,
            static=self._layout.static,
            message=found.asked.binding_message,
            back_url=self._layout.approvals,
            action=self._layout.approvals,
            csrf=proof,
            ticket=seal(self._realm, self._ticket(found.key, session.id)),
            through=await names(self._realm, found.asked.acting[1:]),
            once=bool(found.asked.acting),
            agent=await about(self._realm, found.client),
            **asked(
                found.asked.waiting,
                found.client,
                person,
                self._realm.policy,
                self._realm.now(),
                once=bool(found.asked.acting),
            ),
        )

    async def _list(self, session: Session, *, answered: str = "", missed: bool = False) -> Reply:
        person, now = await self._realm.store.person(session.sub), self._realm.now()
        rows = [
            {
                "name": one.client.name,
                "message": one.asked.binding_message,
                "age": minutes_ago(now - one.asked.waiting.started_at),
                "url": f"{self._layout.approvals}?request={one.key}",
            }
            for one in await pending(self._realm, session.sub)
        ]
        return page_reply(
            "approvals.html",
            realm_name=self._realm.policy.title,
            static=self._layout.static,
            person=shown(person),
            rows=rows,
            answered=answered,
            missed=missed,
        )

    def _message(self, title: str, text: str, status: int = 200) -> Reply:
        return page_reply(
            "message.html",
            status,
            realm_name=self._realm.policy.title,
            static=self._layout.static,
            title=title,
            text=text,
        )

    def _ticket(self, key: str, session_id: str = "") -> Ticket:
        pairs = [("request", key[:_LONGEST])] if key else []
        return Ticket(pairs, self._realm.now(), session_id, place=self._layout.approvals)
