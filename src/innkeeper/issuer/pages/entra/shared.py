"""What the twin's pages share: who is here, tickets, the error page, and the way back to the application."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from innkeeper.issuer.core.entra.aadsts import Aadsts
from innkeeper.issuer.core.entra.asking import Ask
from innkeeper.issuer.core.entra.authorize import FORM_POST, FRAGMENT, fields, safe_mode_of
from innkeeper.issuer.core.entra.parties import Party
from innkeeper.issuer.desk.entra.authorize import Visitor
from innkeeper.issuer.desk.entra.cloud import Cloud, Desk
from innkeeper.issuer.desk.tickets import Ticket, open_ticket, seal
from innkeeper.issuer.dialects.entra.wire import described
from innkeeper.issuer.dialects.layout import Layout
from innkeeper.issuer.pages.explanations import comparison
from innkeeper.issuer.pages.render import page_reply
from innkeeper.issuer.pages.visit import Visits
from innkeeper.protocol.exchange import Reply, Request, redirect
from innkeeper.protocol.parameters import Parameters
from innkeeper.protocol.redirects import with_parameters
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Trail

STATIC = "/static"


class Front(msgspec.Struct, frozen=True):
    """What the pages are told: the title on them, whether reasons are shown, and who may sign in on a laptop."""

    title: str
    development: bool
    hints: Sequence[tuple[str, str]] = ()


class Pages:
    """The tenants' pages at one origin."""

    def __init__(self, cloud: Cloud, front: Front) -> None:
        self.cloud = cloud
        self.front = front
        self._visits = {one.id: Visits(one.realm, layout_of(cloud, one)) for one in cloud}

    def visits(self, desk: Desk | None = None) -> Visits:
        return self._visits[(desk or self.cloud.first).id]

    async def visitor(self, request: Request, authority: str) -> Visitor | None:
        """Who is signed in: at the tenant of the address, or at any where the address is an alias."""
        named = self.cloud.find(authority)
        for desk in [named] if named else list(self.cloud):
            session = await desk.realm.session(self.visits(desk).session_cookie(request))
            person = await desk.realm.store.person(session.sub) if session else None
            if session is not None and person is not None:
                return Visitor(desk, session, person)
        return None

    def ticket(self, form: Parameters) -> Ticket | None:
        """The request that a form or an address carries on; sealed by the first tenant, whichever it is for."""
        text = form.get("ticket")
        return open_ticket(self.cloud.first.realm, text) if text else None

    def seal(self, ticket: Ticket) -> str:
        return seal(self.cloud.first.realm, ticket)

    def sent_back(self, ask: Ask, client: Party, to: str, found: list[tuple[str, str]]) -> Reply:
        """The answer on its way to the redirect URI, in the response mode that was asked for."""
        mode = safe_mode_of(ask)
        if mode == FORM_POST:
            return page_reply(
                "form_post.html",
                form_targets=[to],
                **self.common(),
                client={"name": client.name},
                action=to,
                fields=found,
            )
        return redirect(with_parameters(to, found, fragment=mode == FRAGMENT), status=302)

    def refused_back(self, ask: Ask, client: Party, to: str, refusal: Refusal) -> Reply:
        """An error on its way to the redirect URI."""
        trace, correlation, moment = self._ids(ask)
        answer = {"error": refusal.error, "error_description": described(refusal, trace, correlation, moment)}
        if isinstance(refusal.page, Aadsts):
            answer["error_uri"] = f"{self.cloud.names.login}/error?code={refusal.page.code}"
            answer["error_subcode"] = "cancel" if refusal.page.code == _DECLINED else ""
        return self.sent_back(ask, client, to, fields(answer, ask))

    def error_page(self, refusal: Refusal, trail: Trail | None, ask: Ask) -> Reply:
        """The page for what cannot be sent back."""
        page, (trace, correlation, moment) = refusal.page, self._ids(ask)
        code = page.code if isinstance(page, Aadsts) else 0
        why = {
            "number": page.number,
            "reason": refusal.reason,
            "remedy": refusal.remedy,
            "remedies": page.remedies,
            "comparison": comparison(refusal) if trail else None,
            "steps": trail.as_document()["steps"] if trail else [],
        }
        return page_reply(
            "entra_error.html",
            page.status if page.status != _NOT_ALLOWED else 400,
            **self.common(),
            problem={
                "code": f"AADSTS{code}" if code else page.number,
                "title": page.title,
                "text": refusal.wire,
                "facts": [("Request ID", trace), ("Correlation ID", correlation), ("Timestamp", moment)],
            },
            development=why if self.front.development else None,
        )

    def message(self, title: str, text: str, status: int = 200) -> Reply:
        return page_reply("message.html", status, **self.common(), title=title, text=text)

    def too_late(self) -> Reply:
        return self.message(
            "This page is out of date", "Please go back to the application and sign in from there.", 400
        )

    def common(self) -> dict[str, Any]:
        return {"realm_name": self.front.title, "static": STATIC}

    def _ids(self, ask: Ask) -> tuple[str, str, str]:
        moment = datetime.fromtimestamp(self.cloud.first.realm.now(), UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        return str(uuid.uuid4()), ask.get("client-request-id") or str(uuid.uuid4()), moment


_DECLINED, _NOT_ALLOWED = 65004, 405


def layout_of(cloud: Cloud, desk: Desk) -> Layout:
    """The house's own names for a tenant's addresses, for what its pages share with the house's."""
    base = f"/{desk.id}"
    return Layout(
        issuer=f"{cloud.names.login}{base}/v2.0",
        base=base,
        authorize=f"{base}/oauth2/v2.0/authorize",
        token=f"{base}/oauth2/v2.0/token",
        introspect="",
        push="",
        device_authorization=f"{base}/oauth2/v2.0/devicecode",
        device="/common/oauth2/deviceauth",
        backchannel="",
        approvals="",
        register="",
        revoke="",
        userinfo="/oidc/userinfo",
        jwks=f"{base}/discovery/v2.0/keys",
        logout=f"{base}/oauth2/v2.0/logout",
        sign_in=f"{base}/login",
        sign_in_code="",
        consent=f"{base}/consent",
        account="",
        static=STATIC,
    )
