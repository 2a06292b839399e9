"""The page where somebody makes an account, for those who come with ``prompt=create`` or choose so at the sign-in."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.sign_up import Wish
from innkeeper.issuer.desk.limits import Bucket
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.sign_up import BURST, EVERY, sign_up
from innkeeper.issuer.desk.tickets import Ticket
from innkeeper.issuer.dialects.layout import Layout
from innkeeper.issuer.pages.render import page_reply
from innkeeper.issuer.pages.sign_in import onward, place_of, seen, too_late
from innkeeper.issuer.pages.speaking import marked
from innkeeper.issuer.pages.visit import Visits, parameters_of
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.parameters import Malformed, Parameters
from innkeeper.protocol.refusals import Refusal


class SignUpPage:
    """GET shows the form, POST makes the account and goes on to where the ticket leads."""

    def __init__(self, realm: Realm, layout: Layout, visits: Visits) -> None:
        self._realm = realm
        self._layout = layout
        self._visits = visits
        self._bucket = Bucket(BURST, EVERY)

    async def __call__(self, request: Request) -> Reply:
        try:
            form = parameters_of(request)
            ticket = self._visits.ticket(form)
            if ticket is None:
                return too_late(self._realm.policy.title, self._layout.static)
            if request.method != "POST":
                hint = ticket.parameters().get("login_hint", "")
                return await self._page(request, ticket, Wish(hint, "", "", ""), None)
            return await self._sent(request, form, ticket)
        except Malformed:
            return too_late(self._realm.policy.title, self._layout.static)

    async def _sent(self, request: Request, form: Parameters, ticket: Ticket) -> Reply:
        get = form.get
        wish = Wish(get("username", ""), get("name", ""), get("password", ""), get("again", ""))
        if not self._visits.sent_from_our_page(request, form):
            return await self._page(request, ticket, wish, marked("Please send the form again."), 403)
        if form.get("decision") == "cancel":
            return self._visits.onward(msgspec.structs.replace(ticket, denied=True))
        caller = await self._visits.caller(request)
        answer = await sign_up(self._realm, self._bucket, caller, wish)
        if isinstance(answer, Refusal):
            return await self._page(request, ticket, wish, answer.page.wire, answer.page.status)
        return onward(self._visits, caller, ticket, answer)

    async def _page(
        self, request: Request, ticket: Ticket, wish: Wish, problem: str | None, status: int = 200
    ) -> Reply:
        asks = ticket.parameters()
        client = await self._realm.client(asks.get("client_id"))
        proof, headers = self._visits.form_proof(request)
        redirect_uri = asks.get("redirect_uri", "")
        return page_reply(
            "sign_up.html",
            status,
            headers,
            form_targets=[redirect_uri] if redirect_uri else (),
            realm_name=self._realm.policy.title,
            static=self._layout.static,
            client=seen(client, redirect_uri, place_of(self._layout, ticket)),
            action=self._layout.sign_up,
            csrf=proof,
            ticket=parameters_of(request).get("ticket", ""),
            username=wish.username,
            name=wish.name,
            problem=problem,
            sign_in_url=self._visits.address_of(self._layout.sign_in, ticket),
        )
