"""The page between password and session: the code from the person's app, or one from their list."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.assurance import rp_id
from innkeeper.issuer.core.second_factor import NOT_WAITING
from innkeeper.issuer.desk.callers import Caller
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.second_factor import second_factor, standing
from innkeeper.issuer.desk.tickets import Ticket
from innkeeper.issuer.dialects.layout import Layout
from innkeeper.issuer.pages.render import page_reply
from innkeeper.issuer.pages.sign_in import onward, too_late
from innkeeper.issuer.pages.speaking import marked
from innkeeper.issuer.pages.visit import Visits, parameters_of
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.parameters import Malformed, Parameters
from innkeeper.protocol.refusals import Refusal


class CodePage:
    """GET asks for a code where one is awaited in this browser, and leads back to the password where none is."""

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
            caller = await self._visits.caller(request)
            if request.method == "POST":
                return await self._sent(request, form, ticket, caller)
        except Malformed:
            return too_late(self._realm.policy.title, self._layout.static)
        who, _ = await standing(self._realm, caller, self._visits.half_way_cookie(request))
        if who.person is None:
            return self._visits.on_to(self._layout.sign_in, ticket)
        return self._page(request, ticket, None)

    async def _sent(self, request: Request, form: Parameters, ticket: Ticket, caller: Caller) -> Reply:
        if not self._visits.sent_from_our_page(request, form):
            return self._page(request, ticket, marked("Please send the form again."), 403)
        if form.get("decision") == "cancel":
            return self._visits.onward(msgspec.structs.replace(ticket, denied=True), [self._visits.half_way_over()])
        cookie = self._visits.half_way_cookie(request)
        answer = await second_factor(self._realm, caller, cookie, form.get("code", ""))
        if not isinstance(answer, Refusal):
            return onward(self._visits, caller, ticket, answer, [self._visits.half_way_over()])
        if answer.page is NOT_WAITING:
            return self._visits.on_to(self._layout.sign_in, ticket)
        return self._page(request, ticket, answer.page.wire, answer.page.status)

    def _page(self, request: Request, ticket: Ticket, problem: str | None, status: int = 200) -> Reply:
        proof, headers = self._visits.form_proof(request)
        redirect_uri = ticket.parameters().get("redirect_uri", "")
        return page_reply(
            "sign_in_code.html",
            status,
            headers,
            form_targets=[redirect_uri] if redirect_uri else (),
            realm_name=self._realm.policy.title,
            static=self._layout.static,
            action=self._layout.sign_in_code,
            csrf=proof,
            ticket=parameters_of(request).get("ticket", ""),
            problem=problem,
            passkey_url=self._passkey_url(ticket),
        )

    def _passkey_url(self, ticket: Ticket) -> str | None:
        """The sign-in page, where a passkey does instead of a code; None where browsers make no passkeys."""
        if rp_id(self._realm.policy.issuer) is None:
            return None
        return self._visits.on_to(self._layout.sign_in, ticket).header("location")
