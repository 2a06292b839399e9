"""Signing out, an administrator's consent for everybody, the page that explains a code, and a page for native clients."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec

from innkeeper.issuer.core.effects import EndSession
from innkeeper.issuer.core.entra.aadsts import refuse
from innkeeper.issuer.core.entra.asking import Ask
from innkeeper.issuer.core.entra.authorize import redirect_of
from innkeeper.issuer.core.entra.codes import BY_CODE, clients, grants, scopes
from innkeeper.issuer.core.entra.consent import Lacking, lacking
from innkeeper.issuer.core.entra.parties import Party, is_administrator
from innkeeper.issuer.core.entra.scopes import DEFAULT, Wish, wishes
from innkeeper.issuer.desk.entra.authorize import Visitor
from innkeeper.issuer.desk.entra.cloud import Desk
from innkeeper.issuer.desk.entra.consenting import allow
from innkeeper.issuer.desk.leaving import end_sessions
from innkeeper.issuer.desk.tickets import Ticket
from innkeeper.issuer.dialects.entra.endpoints import BOTH, Door
from innkeeper.issuer.pages.entra.authorize import ask_of, consent_fields
from innkeeper.issuer.pages.entra.shared import Pages
from innkeeper.issuer.pages.render import page_reply
from innkeeper.issuer.pages.visit import parameters_of
from innkeeper.protocol.exchange import Reply, Request, redirect
from innkeeper.protocol.parameters import Malformed, Parameters
from innkeeper.protocol.redirects import host_of, with_parameters
from innkeeper.protocol.refusals import Refusal


class OtherPages:
    """The doors that no token comes out of."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._cloud = pages.cloud

    def doors(self) -> dict[str, Door]:
        return {
            "oauth2/v2.0/logout": Door(self.logout, BOTH),
            "oauth2/logout": Door(self.logout, BOTH),
            "adminconsent": Door(self.admin_consent, BOTH),
            "v2.0/adminconsent": Door(self.admin_consent, BOTH),
            "oauth2/nativeclient": Door(self.native_client, BOTH),
        }

    async def logout(self, request: Request, authority: str) -> Reply:
        """End the browser's sessions; back to the application only where the address is registered."""
        try:
            form = parameters_of(request)
        except Malformed:
            form = Parameters([])
        headers = []
        named = self._cloud.find(authority)
        for desk in [named] if named else list(self._cloud):
            session = await desk.realm.session(self._pages.visits(desk).session_cookie(request))
            if session is not None:
                await end_sessions(desk.realm, [EndSession(session.id, desk.realm.now())])
                headers.append(self._pages.visits(desk).signed_out())
        back = form.get("post_logout_redirect_uri")
        if back and await self._is_registered(back):
            state = form.get("state")
            return redirect(with_parameters(back, [("state", state)]) if state else back, 302, headers)
        return page_reply("signed_out.html", 200, headers, frames=(), **self._pages.common(), back_url="")

    async def _is_registered(self, uri: str) -> bool:
        """Whether some application registered the address; a sign-out does not have to say whose it is."""
        for desk in self._cloud:
            applications = (await desk.tenant()).directory.applications.values()
            if any(redirect_of(one, uri) for one in applications):
                return True
        return False

    async def native_client(self, _: Request, __: str) -> Reply:
        return self._pages.message("You may close this page", "The program goes on by itself.")

    async def error_lookup(self, request: Request) -> Reply:
        """The page that ``error_uri`` leads to: a code, why it comes and what helps, in code, portal and Terraform."""
        try:
            text = parameters_of(request).get("code", "")
        except Malformed:
            text = ""
        page = BY_CODE.get(int(text)) if text.isdigit() else None
        if page is None:
            return self._pages.message("No such code", "The twin does not answer with this code.", 404)
        helps = [("In code", page.remedy), *((f"In {place}", said) for place, said in page.remedies)]
        return page_reply(
            "entra_code.html",
            **self._pages.common(),
            code=f"AADSTS{page.code}",
            number=page.number,
            title=page.title,
            cause=page.cause,
            error=page.error,
            answered=page.status,
            level=page.level,
            helps=helps,
        )

    async def admin_consent(self, request: Request, authority: str) -> Reply:
        """An administrator says yes for everybody to what an application asks or lists."""
        try:
            form = parameters_of(request)
        except Malformed:
            return self._pages.too_late()
        ticket = self._pages.ticket(form) if form.get("ticket") else self._ticket(request, form)
        if ticket is None:
            return self._pages.too_late()
        ask = ask_of(ticket, request)
        client = await self._cloud.party(self._cloud.find(authority), ask.get("client_id"))
        to = redirect_of(client.application, ask.get("redirect_uri")) if client else None
        visitor = await self._pages.visitor(request, authority)
        if client is None or to is None:
            return self._pages.error_page(self._why_not(client, ask), None, ask)
        if ticket.denied:
            return self._declined(ask, to[0])
        if visitor is None:
            return redirect(f"/{authority}/login?{urlencode({'ticket': self._pages.seal(ticket)})}")
        if not is_administrator(visitor.person):
            return self._pages.error_page(refuse(scopes.ADMIN_NEEDED, "no administrator"), None, ask)
        return await self._admin(request, form, ticket, ask, client, to[0], visitor)

    def _why_not(self, client: Party | None, ask: Ask) -> Refusal:
        sent = ask.get("client_id")
        if client is None:
            return refuse(clients.CLIENT_UNKNOWN, "unknown", found=sent, client=sent, tenant=ask.authority)
        redirect_uri = ask.get("redirect_uri")
        return refuse(grants.REDIRECT_UNKNOWN, "unknown", found=redirect_uri, redirect=redirect_uri, client=sent)

    async def _admin(
        self, request: Request, form: Parameters, ticket: Ticket, ask: Ask, client: Party, to: str, visitor: Visitor
    ) -> Reply:
        asked = await self._asked(visitor.desk, client, ask)
        ours = request.method == "POST" and self._pages.visits().sent_from_our_page(request, form)
        if ours and ticket.session_id == visitor.session.id:
            if form.get("decision") != "allow":
                return self._declined(ask, to)
            await allow(visitor.desk, client, None, asked)
            answer = [("admin_consent", "True"), ("tenant", visitor.desk.id), ("scope", ask.get("scope"))]
            return redirect(with_parameters(to, [*filter(lambda one: one[1], answer), *_state(ask)]), 302)
        proof, headers = self._pages.visits().form_proof(request)
        return page_reply(
            "entra_consent.html",
            200,
            headers,
            form_targets=[to],
            **self._pages.common(),
            **consent_fields(client, asked, visitor.person.username),
            redirect_host=host_of(to),
            for_all=True,
            user_code="",
            action=request.path,
            csrf=proof,
            ticket=self._pages.seal(msgspec.structs.replace(ticket, session_id=visitor.session.id)),
            switch_url="",
        )

    async def _asked(self, desk: Desk, client: Party, ask: Ask) -> tuple[Lacking, ...]:
        """What the scope names, or all that the application's registration lists."""
        named = wishes(ask.get("scope")).resources
        listed = [Wish(one.resource_app_id, (DEFAULT,)) for one in client.application.required_resource_access]
        targets = [await self._cloud.target(desk, one) for one in named or listed]
        return lacking(await desk.tenant(), client, "", targets)

    def _declined(self, ask: Ask, to: str) -> Reply:
        page = scopes.CONSENT_REFUSED
        answer = [("error", page.error), ("error_description", page.wire), ("admin_consent", "False")]
        return redirect(with_parameters(to, [*answer, *_state(ask)]), 302)

    def _ticket(self, request: Request, form: Parameters) -> Ticket:
        return Ticket(form.pairs(), self._cloud.first.realm.now(), place=request.path)


def _state(ask: Ask) -> list[tuple[str, str]]:
    return [("state", ask.get("state"))] if ask.get("state") else []
