"""The sign-in page: a person at the front desk."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from innkeeper.issuer.core.client_document import DOCUMENT
from innkeeper.issuer.core.records import Client, Upstream
from innkeeper.issuer.desk import passkeys
from innkeeper.issuer.desk.callers import Caller
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.sign_in import CodeNext, SignedIn, sign_in
from innkeeper.issuer.desk.tickets import Ticket
from innkeeper.issuer.desk.upstream import begin
from innkeeper.issuer.dialects.layout import Layout
from innkeeper.issuer.pages.consent_first import ConsentFirst
from innkeeper.issuer.pages.render import page_reply
from innkeeper.issuer.pages.speaking import marked
from innkeeper.issuer.pages.visit import Visits, parameters_of
from innkeeper.protocol.exchange import Reply, Request, redirect
from innkeeper.protocol.parameters import Malformed, Parameters
from innkeeper.protocol.redirects import host_of
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import at_the_door


class SignInPage:
    """``hints`` are names and passwords shown on a laptop, in development only."""

    def __init__(self, realm: Realm, layout: Layout, visits: Visits, hints: Sequence[tuple[str, str]]) -> None:
        self._realm = realm
        self._layout = layout
        self._visits = visits
        self._hints = list(hints)
        self._site = passkeys.site_of(realm, layout.origin)
        self._first = ConsentFirst(realm, layout, visits)

    async def __call__(self, request: Request) -> Reply:
        try:
            form = parameters_of(request)
            ticket = self._visits.ticket(form)
            if ticket is None:
                return too_late(self._realm.policy.title, self._layout.static)
            if request.method != "POST":
                if (only := self._first.only_way(ticket)) and (page := await self._ask_first(request, ticket, only)):
                    return page
                return await self._page(request, ticket, ticket.parameters().get("login_hint", ""), None)
            return await self._sent(request, form, ticket)
        except Malformed:
            return too_late(self._realm.policy.title, self._layout.static)

    async def _sent(self, request: Request, form: Parameters, ticket: Ticket) -> Reply:
        if not self._visits.sent_from_our_page(request, form):
            return await self._page(
                request, ticket, form.get("username", ""), marked("Please send the form again."), 403
            )
        if form.get("decision") == "cancel":
            return self._visits.onward(msgspec.structs.replace(ticket, denied=True))
        username = form.get("username", "")
        caller = await self._visits.caller(request)
        if form.get("upstream"):
            return await self._elsewhere(request, form, ticket)
        if not self._realm.policy.passwords:
            return await self._page(request, ticket, username, marked("Passwords open nothing here."), 403)
        if form.get("passkey"):
            return await self._passkey(request, form, ticket, caller)
        answer = await sign_in(self._realm, caller, username, form.get("password", ""))
        if isinstance(answer, Refusal):
            return await self._page(request, ticket, username, answer.page.wire, answer.page.status)
        if isinstance(answer, CodeNext):
            return self._visits.on_to(self._layout.sign_in_code, ticket, [self._visits.half_way(answer.cookie)])
        return onward(self._visits, caller, ticket, answer)

    async def _passkey(self, request: Request, form: Parameters, ticket: Ticket, caller: Caller) -> Reply:
        if self._site is None:
            return await self._page(request, ticket, "", marked("Passkeys do not work at this address."), 400)
        answer = await passkeys.sign_in(self._realm, self._site, caller, form.get("csrf", ""), form.get("passkey", ""))
        if isinstance(answer, Refusal):
            return await self._page(request, ticket, "", answer.page.wire, answer.page.status)
        return onward(self._visits, caller, ticket, answer)

    async def _elsewhere(self, request: Request, form: Parameters, ticket: Ticket) -> Reply:
        """Send the browser to another issuer; the person has seen for whom, and said so by a form of ours."""
        chosen = self._realm.policy.upstreams.get(form.get("upstream", ""))
        if chosen is None:
            return await self._page(request, ticket, "", marked("There is no such way to sign in."), 400)
        asks = self._first.wants(chosen, ticket)
        if asks and form.get("decision") != "allow":
            page = await self._ask_first(request, ticket, chosen)
            return page or self._visits.onward(ticket)
        proof, headers = self._visits.form_proof(request)
        target = await begin(
            self._realm,
            chosen,
            proof,
            form.get("ticket", ""),
            self._layout.url(f"{self._layout.sign_in}/from/{chosen.id}"),
            consented=asks,
        )
        if isinstance(target, Refusal):
            self._realm.observe(at_the_door("upstream sign-in", target, "OpenID Connect Discovery §4"))
            if asks and (page := await self._ask_first(request, ticket, chosen, target.page.wire)):
                return page
            return await self._page(request, ticket, "", target.page.wire, target.page.status)
        return redirect(target, headers=headers)

    async def _ask_first(
        self, request: Request, ticket: Ticket, chosen: Upstream, problem: str | None = None
    ) -> Reply | None:
        asks, sealed = ticket.parameters(), parameters_of(request).get("ticket", "")
        client = seen(await self._realm.client(asks.get("client_id")), asks.get("redirect_uri", ""))
        return await self._first.page(request, ticket, sealed, chosen, client, problem)

    async def _page(
        self, request: Request, ticket: Ticket, username: str, problem: str | None, status: int = 200
    ) -> Reply:
        asks = ticket.parameters()
        client = await self._realm.client(asks.get("client_id"))
        proof, headers = self._visits.form_proof(request)
        redirect_uri = asks.get("redirect_uri", "")
        return page_reply(
            "sign_in.html",
            status,
            headers,
            scripted=self._site is not None,
            form_targets=[
                *([redirect_uri] if redirect_uri else ()),
                *(one.issuer for one in self._realm.policy.upstreams.values()),
            ],
            realm_name=self._realm.policy.title,
            static=self._layout.static,
            client=seen(client, redirect_uri, place_of(self._layout, ticket)),
            action=self._layout.sign_in,
            csrf=proof,
            ticket=parameters_of(request).get("ticket", ""),
            username=username,
            passkey=passkeys.sign_in_options(self._realm, self._site, proof) if self._site else None,
            problem=problem,
            passwords=self._realm.policy.passwords,
            upstreams=list(self._realm.policy.upstreams.values()),
            sign_up_url=self._visits.address_of(self._layout.sign_up, ticket) if self._realm.policy.sign_up else "",
            development=bool(self._hints),
            hint_credentials=self._hints,
        )


def onward(
    visits: Visits, caller: Caller, ticket: Ticket, done: SignedIn, more: Sequence[tuple[str, str]] = ()
) -> Reply:
    """Send a browser that has just signed somebody in to where its ticket leads."""
    session = done.session
    went = msgspec.structs.replace(ticket, session_id=session.id, signed_in_at=session.auth_time, consented=False)
    return visits.onward(went, [*visits.signed_in(caller, done), *more])


PLACES = {
    "device": marked("connecting a device"),
    "approvals": marked("what waits for you"),
    "account": marked("your account"),
}
"""Where people go on to when they do not come from an application: the first part of the address, in words."""


def place_of(layout: Layout, ticket: Ticket) -> str:
    """Where a ticket leads, in words."""
    first = ticket.place.removeprefix(layout.base).lstrip("/").partition("/")[0]
    return PLACES.get(first, marked("the application"))


def seen(client: Client | None, redirect_uri: str, otherwise: str = "the application") -> dict[str, str]:
    """The client as pages show it: its name, the host that the answer goes to or that publishes the client, its rules."""
    shown = client.id if client and client.origin == DOCUMENT else redirect_uri
    return {
        "id": client.id if client else "",
        "name": client.name if client else otherwise,
        "host": host_of(shown) if shown else "",
        "policy_uri": client.policy_uri if client else "",
        "tos_uri": client.tos_uri if client else "",
    }


def too_late(realm_name: str, static: str) -> Reply:
    """The page for a visit that cannot go on."""
    return page_reply(
        "message.html",
        400,
        realm_name=realm_name,
        static=static,
        title=marked("This page is out of date"),
        text=marked("Please go back to the application and sign in from there."),
    )
