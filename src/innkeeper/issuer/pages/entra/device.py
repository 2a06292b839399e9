"""The page on which a person enters the code that a device shows, and says yes or no."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.entra.consent import Lacking, lacking
from innkeeper.issuer.core.entra.grants.device_code import Waiting
from innkeeper.issuer.core.entra.names import GRAPH_URL
from innkeeper.issuer.core.entra.parties import Party
from innkeeper.issuer.core.entra.scopes import Wish, wishes
from innkeeper.issuer.desk.entra.authorize import Visitor, grant_of
from innkeeper.issuer.desk.entra.cloud import Desk
from innkeeper.issuer.desk.entra.consenting import allow
from innkeeper.issuer.desk.entra.devices import answer, typed_code
from innkeeper.issuer.desk.tickets import Ticket
from innkeeper.issuer.dialects.entra.endpoints import BOTH, Door
from innkeeper.issuer.pages.entra.authorize import AuthorizePages, consent_fields
from innkeeper.issuer.pages.entra.shared import Pages
from innkeeper.issuer.pages.render import page_reply
from innkeeper.issuer.pages.visit import parameters_of
from innkeeper.protocol.exchange import Reply, Request, redirect
from innkeeper.protocol.parameters import Malformed, Parameters

PATH = "oauth2/deviceauth"
_UNKNOWN = "That code did not work. Check the code and try again."


class DevicePages:
    """GET shows the entry form; POST takes the code, then the answer. Nothing is allowed but by pressing the button."""

    def __init__(self, pages: Pages, authorize: AuthorizePages) -> None:
        self._pages = pages
        self._authorize = authorize
        self._cloud = pages.cloud

    def doors(self) -> dict[str, Door]:
        return {PATH: Door(self.page, BOTH)}

    async def page(self, request: Request, authority: str) -> Reply:
        try:
            form = parameters_of(request)
            ticket = self._pages.ticket(form)
            typed = form.get("user_code") or (ticket.parameters().get("user_code", "") if ticket else "")
        except Malformed:
            return self._pages.too_late()
        if ticket is not None and ticket.denied:
            return self._pages.message("Nothing was connected", "You may close this page.")
        ours = request.method != "POST" or self._pages.visits().sent_from_our_page(request, form)
        if not ours or not typed:
            return self._entry(request, typed, None if ours else "Please send the form again.")
        visitor = await self._pages.visitor(request, authority)
        if visitor is None:
            return self._sign_in(authority, typed)
        return await self._found(request, authority, form, ticket, visitor, typed)

    async def _found(
        self, request: Request, authority: str, form: Parameters, ticket: Ticket | None, visitor: Visitor, typed: str
    ) -> Reply:
        found = await typed_code(self._cloud, typed, visitor.person.sub, visitor.desk)
        client = await self._cloud.party(visitor.desk, found[1].client_id) if found else None
        if found is None or client is None:
            return self._entry(request, typed, _UNKNOWN, 400)
        decision = form.get("decision")
        if decision and ticket is not None and ticket.session_id == visitor.session.id:
            return await self._answered(found, client, visitor, allowed=decision == "allow")
        return await self._question(request, authority, visitor, client, found[1])

    async def _answered(self, found: tuple[Desk, Waiting], client: Party, visitor: Visitor, *, allowed: bool) -> Reply:
        desk, waiting = found
        if not allowed:
            await answer(desk, waiting, visitor.desk.id, None)
            return self._pages.message("Not connected", "The device gets nothing. You may close this page.")
        await allow(visitor.desk, client, visitor.person.sub, await self._lacking(visitor, client, waiting))
        grant = grant_of(visitor.desk, client, visitor, wishes(waiting.scope), "")
        if not await answer(desk, waiting, visitor.desk.id, grant):
            return self._pages.message("That code is over", "Ask your device for a new one.", 400)
        return self._pages.message(
            "You have signed in", f"Go back to {client.name} on your device. You may close this page."
        )

    async def _lacking(self, visitor: Visitor, client: Party, waiting: Waiting) -> tuple[Lacking, ...]:
        asked, tenant = wishes(waiting.scope), await visitor.desk.tenant()
        wanted = (*asked.resources, Wish(GRAPH_URL, tuple(sorted(asked.openid))))
        targets = [await self._cloud.target(visitor.desk, one) for one in wanted]
        return lacking(tenant, client, visitor.person.sub, targets)

    async def _question(
        self, request: Request, authority: str, visitor: Visitor, client: Party, waiting: Waiting
    ) -> Reply:
        proof, headers = self._pages.visits().form_proof(request)
        ticket = self._ticket(authority, waiting.user_code)
        return page_reply(
            "entra_consent.html",
            200,
            headers,
            **self._pages.common(),
            **consent_fields(client, await self._lacking(visitor, client, waiting), visitor.person.username),
            redirect_host="the device that shows this code",
            for_all=False,
            user_code=waiting.user_code,
            action=f"/{authority}/{PATH}",
            csrf=proof,
            ticket=self._pages.seal(msgspec.structs.replace(ticket, session_id=visitor.session.id)),
            switch_url=self._sign_in(authority, waiting.user_code).header("location") or "",
        )

    def _entry(self, request: Request, typed: str, problem: str | None, status: int = 200) -> Reply:
        proof, headers = self._pages.visits().form_proof(request)
        return page_reply(
            "entra_device.html",
            status,
            headers,
            **self._pages.common(),
            action=request.path,
            csrf=proof,
            user_code=typed[:32],
            problem=problem,
        )

    def _sign_in(self, authority: str, typed: str) -> Reply:
        ticket = self._pages.seal(self._ticket(authority, typed))
        return redirect(f"/{authority}/login?ticket={ticket}")

    def _ticket(self, authority: str, typed: str) -> Ticket:
        now = self._cloud.first.realm.now()
        return Ticket([("user_code", typed[:32])], now, place=f"/{authority}/{PATH}")
