"""In development: the reason of each recent refusal, kept for a page that the answer's error_uri leads to."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from innkeeper.issuer.core.authorization_request import REDIRECT_MISMATCH
from innkeeper.issuer.core.scopes import SCOPE_NOT_ALLOWED, TARGET_UNKNOWN
from innkeeper.issuer.desk.realm import random_id
from innkeeper.issuer.pages.compare import Comparison, compare, compare_words
from innkeeper.issuer.pages.render import page_reply
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.parameters import Malformed, parse_query
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Observer, Trail, unobserved

PATH = "/_explain"
_KEPT = 500


class Explanations:
    """Recent refusals by an id nobody guesses. With ``development`` off it keeps and tells nothing."""

    def __init__(self, origin: str, realm_name: str, static: str, *, development: bool) -> None:
        self._origin = origin
        self._realm_name = realm_name
        self._static = static
        self._development = development
        self._kept: OrderedDict[str, Trail] = OrderedDict()

    @property
    def observer(self) -> Observer:
        """Whoever has to see each decision for it; nobody where nothing is kept."""
        return self._keep if self._development else unobserved

    def _keep(self, trail: Trail) -> None:
        if trail.refusal is not None:
            self._kept[random_id()] = trail
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)

    def address(self, refusal: Refusal) -> str | None:
        """Where the reason of this very refusal can be read."""
        for key, trail in reversed(self._kept.items()):
            if trail.refusal is refusal:
                return f"{self._origin}{PATH}?id={key}"
        return None

    def trail_of(self, refusal: Refusal) -> Trail | None:
        """The trail of this very refusal, where it is kept."""
        return next((trail for trail in reversed(self._kept.values()) if trail.refusal is refusal), None)

    async def page(self, request: Request) -> Reply:
        """The page behind ``address``."""
        trail = self._kept.get(_asked_for(request))
        refusal = trail.refusal if trail else None
        if trail is None or refusal is None:
            title, text = "No such explanation", "It was one of many, or the server was started again since."
            return page_reply(
                "message.html", 404, realm_name=self._realm_name, static=self._static, title=title, text=text
            )
        return self.error_page(refusal, trail, 200)

    def error_page(self, refusal: Refusal, trail: Trail, status: int) -> Reply:
        """The error page: what the wire says for everyone, and in development the reason with its trail."""
        page = refusal.page
        return page_reply(
            "error.html",
            status,
            realm_name=self._realm_name,
            static=self._static,
            problem={
                "number": page.number,
                "error": page.error or "no credentials",
                "title": page.title,
                "text": page.wire or page.title,
                "docs_url": None,
            },
            development=self._development_part(refusal, trail) if self._development else None,
        )

    def _development_part(self, refusal: Refusal, trail: Trail) -> dict[str, Any]:
        return {
            "reason": refusal.reason,
            "remedy": refusal.remedy,
            "remedies": refusal.page.remedies,
            "level": refusal.page.level,
            "steps": trail.as_document()["steps"],
            "comparison": comparison(refusal),
        }


def _asked_for(request: Request) -> str:
    try:
        return parse_query(request.query).get("id", "")
    except Malformed:
        return ""


def comparison(refusal: Refusal) -> Comparison | None:
    """Sent against registered, where the refusal is about two strings that should be alike."""
    sent, registered = refusal.found, refusal.expected
    if refusal.page is REDIRECT_MISMATCH:
        return compare(sent, _values(registered), "redirect_uri")
    if refusal.page is TARGET_UNKNOWN:
        return compare(sent, _values(registered), "resource")
    if refusal.page is SCOPE_NOT_ALLOWED:
        return compare_words(sent, registered.split(), "scope")
    return None


def _values(text: str) -> list[str]:
    return [one for one in text.split(" or ") if "://" in one or ":" in one]
