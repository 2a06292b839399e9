"""In development: why each recent request was refused, on a page that the answer's ``error_uri`` leads to."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Any
from urllib.parse import parse_qs

from innkeeper.guard.asgi import App, Receive, Scope, Send, reply
from innkeeper.protocol.exchange import NO_STORE, Reply, json_reply
from innkeeper.protocol.redirects import is_loopback
from innkeeper.protocol.refusals import Refusal, UsageError
from innkeeper.tokens.trail import Trail

PATH = "/_explain"
_KEPT = 500


class Explanations:
    """Keeps the reasons of recent refusals, by ids nobody guesses, for an API on this very computer::

        why = Explanations("http://127.0.0.1:8500")
        guard = Guard(issuer, audience, observe=why.observe, explain=why.address)
        app = why.around(app)

    The page tells what a caller must not be told, so there is none for an API at any other address.
    """

    def __init__(self, origin: str) -> None:
        """``origin`` is where the API is served. Raises ``UsageError`` where that is not this computer."""
        if not is_loopback(origin):
            raise UsageError(
                f"explanations at {origin!r}: reasons are told on a loopback address only; leave them out here"
            )
        self._origin = origin.rstrip("/")
        self._kept: OrderedDict[str, Trail] = OrderedDict()

    def observe(self, trail: Trail) -> None:
        """Keep a refusal's trail."""
        if trail.refusal is not None:
            self._kept[secrets.token_urlsafe(16)] = trail
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)

    def address(self, refusal: Refusal) -> str | None:
        """Where the reason of this very refusal can be read."""
        for key, trail in reversed(self._kept.items()):
            if trail.refusal is refusal:
                return f"{self._origin}{PATH}?id={key}"
        return None

    def around(self, app: App) -> App:
        """The application, an ASGI one, with the page beside it."""

        async def explained(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope["path"] == PATH:
                headers = dict(scope["headers"])
                answer = self.page(
                    scope["query_string"].decode("latin-1"), headers.get(b"accept", b"").decode("latin-1")
                )
                await reply(answer, send, bodiless=scope["method"] == "HEAD")
            else:
                await app(scope, receive, send)

        return explained

    def page(self, query: str, accept: str = "") -> Reply:
        """The page for a query string, as HTML for browsers and as JSON for everybody else."""
        trail = self._kept.get((parse_qs(query).get("id") or [""])[0])
        if trail is None or trail.refusal is None:
            return json_reply(
                {"message": "No such explanation: it was one of many, or the API was started again."}, 404
            )
        document = trail.as_document()
        if "text/html" not in accept:
            return json_reply(document, 200, NO_STORE)
        headers = (
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
            ("referrer-policy", "no-referrer"),
            *NO_STORE,
        )
        return Reply(200, headers, _written(document, trail.refusal).encode())


def _written(document: Mapping[str, Any], refusal: Refusal) -> str:
    """The trail for people. All that came from outside is escaped."""
    rows = "".join(
        _template("explanation_row.html").substitute(
            {name: escape(str(value)) for name, value in step.items()},
            state="passed" if step["passed"] else "refused",
            mark="✓" if step["passed"] else "✗",
        )
        for step in document["steps"]
    )
    said = {name: escape(str(value)) for name, value in document["refusal"].items()}
    return _template("explanation.html").substitute(
        said, rows=rows, told=escape(refusal.page.wire or "that a token is needed")
    )


@cache
def _template(name: str) -> Template:
    return Template(files("innkeeper.guard").joinpath(name).read_text("utf-8"))
