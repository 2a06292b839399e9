"""Authorizing, signing in, consenting: three addresses below each tenant, one ticket that goes from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from innkeeper.issuer.core.entra import authorize as core
from innkeeper.issuer.core.entra.aadsts import refuse
from innkeeper.issuer.core.entra.asking import Ask
from innkeeper.issuer.core.entra.codes import people, tenants
from innkeeper.issuer.core.entra.consent import Lacking
from innkeeper.issuer.core.entra.names import ALIASES, V1, V2
from innkeeper.issuer.core.entra.parties import Party
from innkeeper.issuer.desk.entra.authorize import (
    AskConsent,
    SentBack,
    Shown,
    SignIn,
    authorize,
)
from innkeeper.issuer.desk.entra.cloud import Desk
from innkeeper.issuer.desk.entra.consenting import allow
from innkeeper.issuer.desk.sign_in import CodeNext, SignedIn, sign_in
from innkeeper.issuer.desk.tickets import Ticket
from innkeeper.issuer.dialects.entra.endpoints import BOTH, Answer, Door
from innkeeper.issuer.pages.entra.shared import Pages
from innkeeper.issuer.pages.render import page_reply
from innkeeper.issuer.pages.visit import parameters_of
from innkeeper.protocol.exchange import Reply, Request, redirect
from innkeeper.protocol.parameters import Malformed, Parameters
from innkeeper.protocol.redirects import host_of
from innkeeper.protocol.refusals import Refusal


class AuthorizePages:
    """What a person meets on the way from an application and back to it."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._cloud = pages.cloud

    def doors(self) -> dict[str, Door]:
        return {
            "oauth2/v2.0/authorize": Door(self._authorize(V2), BOTH),
            "oauth2/authorize": Door(self._authorize(V1), BOTH),
            "login": Door(self.sign_in, BOTH),
            "consent": Door(self.consent, BOTH),
        }

    def _authorize(self, version: int) -> Answer:
        async def answer(request: Request, authority: str) -> Reply:
            try:
                form = parameters_of(request)
            except Malformed as error:
                refusal = refuse(tenants.MALFORMED, str(error))
                return self._pages.error_page(refusal, None, Ask(authority=authority))
            if form.get("ticket"):
                ticket = self._pages.ticket(form)
                return await self.answer(request, ticket) if ticket else self._pages.too_late()
            ending = "oauth2/authorize" if version == V1 else "oauth2/v2.0/authorize"
            place = f"/{authority}/{ending}"
            return await self.answer(request, Ticket(form.pairs(), self._cloud.first.realm.now(), place=place))

        return answer

    async def answer(self, request: Request, ticket: Ticket) -> Reply:
        """Go on with a request, as far as its person has come."""
        ask = ask_of(ticket, request)
        visitor = await self._pages.visitor(request, ask.authority)
        outcome = await authorize(self._cloud, ask, ticket, visitor)
        if isinstance(outcome, Shown):
            return self._pages.error_page(outcome.refusal, outcome.trail, ask)
        if isinstance(outcome, SignIn):
            return self._on_to("login", ticket)
        if isinstance(outcome, AskConsent):
            return self._on_to("consent", ticket)
        client = await self._client(ask)
        if isinstance(outcome, SentBack):
            return self._pages.refused_back(ask, client, outcome.redirect, outcome.refusal)
        return self._pages.sent_back(ask, client, outcome.redirect, core.fields(outcome.fields, ask))

    async def _client(self, ask: Ask) -> Party:
        found = await self._cloud.party(self._cloud.find(ask.authority), ask.get("client_id"))
        if found is None:
            raise LookupError("the client of a request that was answered is known")
        return found

    def _on_to(self, page: str, ticket: Ticket, headers: Sequence[tuple[str, str]] = ()) -> Reply:
        authority = ticket.place.split("/")[1]
        return redirect(f"/{authority}/{page}?{urlencode({'ticket': self._pages.seal(ticket)})}", headers=list(headers))

    def onward(self, ticket: Ticket, headers: Sequence[tuple[str, str]] = ()) -> Reply:
        """Send the browser on to where its ticket leads."""
        return redirect(f"{ticket.place}?{urlencode({'ticket': self._pages.seal(ticket)})}", headers=list(headers))

    async def sign_in(self, request: Request, authority: str) -> Reply:
        """The sign-in page: shown, or sent."""
        try:
            form = parameters_of(request)
            ticket = self._pages.ticket(form)
            if ticket is None:
                return self._pages.too_late()
            if request.method != "POST":
                hint = ticket.parameters().get("login_hint", "")
                return await self._sign_in_page(request, authority, ticket, hint, None)
            return await self._signed_in(request, authority, form, ticket)
        except Malformed:
            return self._pages.too_late()

    async def _signed_in(self, request: Request, authority: str, form: Parameters, ticket: Ticket) -> Reply:
        username = form.get("username", "")
        if not self._pages.visits().sent_from_our_page(request, form):
            return await self._sign_in_page(request, authority, ticket, username, "Please send the form again.", 403)
        if form.get("decision") == "cancel":
            return self.onward(msgspec.structs.replace(ticket, denied=True))
        desk, problem = self._desk_of(authority, username, ticket)
        if desk is None:
            return await self._sign_in_page(request, authority, ticket, username, problem, 401)
        caller = await self._pages.visits(desk).caller(request)
        answer = await sign_in(desk.realm, caller, username, form.get("password", ""))
        if isinstance(answer, Refusal | CodeNext):
            said = answer.page if isinstance(answer, Refusal) else people.MFA_NEEDED
            code = _AS_ENTRA_SAYS.get(said.status, people.WRONG_PASSWORD)
            problem = f"AADSTS{code.code}: {code.wire}"
            return await self._sign_in_page(request, authority, ticket, username, problem, said.status)
        return self._went_on(ticket, self._pages.visits(desk).signed_in(caller, answer), answer)

    def _went_on(self, ticket: Ticket, headers: list[tuple[str, str]], done: SignedIn) -> Reply:
        """On to the request; one that went to an alias goes on as it was, now that the tenant is known."""
        session = done.session
        went = msgspec.structs.replace(
            ticket, session_id=session.id, signed_in_at=session.auth_time, consented=False, denied=False
        )
        return self.onward(went, headers)

    def _desk_of(self, authority: str, username: str, ticket: Ticket) -> tuple[Desk | None, str]:
        """The tenant that somebody signs in at: that of the address, else that of their name; or why there is none."""
        named, own = self._cloud.find(authority), self._cloud.of_person(username)
        if named is None:
            named = own if authority in ALIASES else None
        if named is None or (own is not None and own.id != named.id):
            client = ticket.parameters().get("client_id", "")
            refusal = refuse(
                people.OTHER_PROVIDER,
                "no tenant here has that domain",
                user=username,
                provider=username.rpartition("@")[2] or "?",
                tenant=named.name if named else authority,
                client=client,
            )
            return None, f"AADSTS{people.OTHER_PROVIDER.code}: {refusal.wire}"
        return named, ""

    async def _sign_in_page(
        self, request: Request, authority: str, ticket: Ticket, username: str, problem: str | None, status: int = 200
    ) -> Reply:
        asks = ticket.parameters()
        client = await self._cloud.party(self._cloud.find(authority), asks.get("client_id", ""))
        proof, headers = self._pages.visits().form_proof(request)
        to = asks.get("redirect_uri", "")
        return page_reply(
            "entra_sign_in.html",
            status,
            headers,
            form_targets=[to] if to else (),
            **self._pages.common(),
            client={"name": client.name if client else "the application", "host": host_of(to) if to else ""},
            action=f"/{authority}/login",
            csrf=proof,
            ticket=self._pages.seal(ticket),
            username=username,
            problem=problem,
            passwords=True,
            passkey=None,
            upstreams=(),
            sign_up_url=None,
            development=self._pages.front.development,
            hint_credentials=self._pages.front.hints,
        )

    async def consent(self, request: Request, authority: str) -> Reply:
        """The consent page: shown, or answered."""
        try:
            form = parameters_of(request)
            ticket = self._pages.ticket(form)
        except Malformed:
            return self._pages.too_late()
        if ticket is None:
            return self._pages.too_late()
        ask = ask_of(ticket, request)
        visitor = await self._pages.visitor(request, ask.authority)
        outcome = await authorize(self._cloud, ask, ticket, visitor)
        if not isinstance(outcome, AskConsent):
            return await self.answer(request, ticket)
        ours = request.method == "POST" and self._pages.visits().sent_from_our_page(request, form)
        if ours and form.get("decision") != "allow":
            return self.onward(msgspec.structs.replace(ticket, denied=True))
        if ours and ticket.session_id == outcome.session.id:
            await allow(outcome.desk, outcome.client, outcome.person.sub, outcome.lacking)
            return self.onward(msgspec.structs.replace(ticket, consented=True))
        return self._consent_page(request, authority, ticket, outcome)

    def _consent_page(self, request: Request, authority: str, ticket: Ticket, asked: AskConsent) -> Reply:
        proof, headers = self._pages.visits().form_proof(request)
        at = ticket.progress(asked.session.id).signed_in_at
        shown = msgspec.structs.replace(ticket, session_id=asked.session.id, signed_in_at=at, consented=False)
        switch = urlencode({"ticket": self._pages.seal(ticket)})
        return page_reply(
            "entra_consent.html",
            200,
            headers,
            form_targets=[asked.redirect],
            **self._pages.common(),
            **consent_fields(asked.client, asked.lacking, asked.person.username),
            redirect_host=host_of(asked.redirect),
            for_all=False,
            user_code="",
            action=f"/{authority}/consent",
            csrf=proof,
            ticket=self._pages.seal(shown),
            switch_url=f"/{authority}/login?{switch}",
        )


def consent_fields(client: Party, lacking: Sequence[Lacking], username: str) -> dict[str, Any]:
    """The application and what it asks for, in lines for people."""
    return {
        "client": {"name": client.name, "id": client.id},
        "person": {"username": username},
        "asks": [
            {"title": scope.title, "scope": scope.value, "where": _where(one)}
            for one in lacking
            for scope in one.scopes
        ],
    }


def _where(one: Lacking) -> str:
    return f"{one.resource.name}, through {one.client.name}" if one.client else one.resource.name


def ask_of(ticket: Ticket, request: Request) -> Ask:
    """The request that a ticket holds."""
    authority, ending = ticket.place.strip("/").split("/", 1)
    form = ticket.parameters()
    return Ask(
        version=V1 if ending == "oauth2/authorize" else V2,
        authority=authority,
        sent={name: value for name, value in form.pairs() if value},
        repeated=min(form.repeated, default=""),
        address=request.remote,
    )


_AS_ENTRA_SAYS = {429: people.LOCKED, people.MFA_NEEDED.status: people.MFA_NEEDED}
