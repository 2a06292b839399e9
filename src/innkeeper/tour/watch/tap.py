"""The layer round the whole site that records while somebody watches. It holds nothing back and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar

from starlette.types import ASGIApp, Receive, Scope, Send

from innkeeper.protocol.parameters import Malformed, parse_query
from innkeeper.tour.marks import HEADER
from innkeeper.tour.record import Pairs, Place
from innkeeper.tour.tap import Exchange
from innkeeper.tour.watch.keeping import Message, Realm, kept_content, kept_headers
from innkeeper.tour.watch.ring import Ring
from innkeeper.tour.watch.whose import client_of, realm_of

again_of: ContextVar[int] = ContextVar("innkeeper_watch_again", default=0)
"""The message that is being sent again, in the exchange under way."""


class Watch:
    """The site with somebody watching. ``place`` says who answers at a path; ``clock`` gives seconds since the epoch."""

    def __init__(
        self,
        site: ASGIApp,
        ring: Ring,
        place: Callable[[str], Place | None],
        clock: Callable[[], float],
        stopwatch: Callable[[], float],
    ) -> None:
        self._site = site
        self._ring = ring
        self._place = place
        self._clock = clock
        self._stopwatch = stopwatch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._ring.on or scope["type"] != "http":
            await self._site(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        realm = None if HEADER in headers else self._realm(scope, headers)
        if realm is None:
            await self._site(scope, receive, send)
        else:
            await self._seen(receive, send, _Watched(scope, realm, headers, self._clock()))

    def _realm(self, scope: Scope, headers: Mapping[str, str]) -> Realm | None:
        return realm_of(headers.get("host", "").lower(), scope["path"], headers, self._place)

    async def _seen(self, receive: Receive, send: Send, exchange: _Watched) -> None:
        began, again = self._stopwatch(), again_of.get()

        def keep() -> None:
            self._ring.add(exchange.message(self._stopwatch() - began, again))

        await exchange.through(self._site, receive, send, keep)


class _Watched(Exchange):
    """An exchange with one who watches."""

    def __init__(self, scope: Scope, realm: Realm, headers: Mapping[str, str], at: float) -> None:
        super().__init__(scope)
        self.realm = realm
        self.named = headers
        self.at = at

    def message(self, took: float, again: int) -> Message:
        scope, named = self.scope, self.named
        content = kept_content(named.get("content-type", ""), bytes(self.request.start), self.request.size)
        query = _query(scope["query_string"])
        return Message(
            n=0,
            at=self.at,
            origin=f"{_scheme(scope, named)}://{named.get('host', '')}",
            realm=self.realm,
            client=client_of(query, named, content),
            method=scope["method"],
            path=scope["path"],
            query=query,
            headers=kept_headers(scope["headers"]),
            content=content,
            status=self.status,
            reply_headers=kept_headers(self.reply_headers),
            reply=kept_content(_content_type(self.reply_headers), bytes(self.reply.start), self.reply.size),
            trails=tuple(self.trails),
            took=took,
            again=again,
        )


def _scheme(scope: Scope, headers: Mapping[str, str]) -> str:
    """https for a cloud's own host, whichever way its traffic came in."""
    local = headers.get("host", "").partition(":")[0] in {"127.0.0.1", "localhost", "[", ""}
    return str(scope.get("scheme", "http")) if local else "https"


def _query(query_string: bytes) -> Pairs:
    try:
        return tuple(parse_query(query_string.decode("ascii")).pairs())
    except (Malformed, UnicodeDecodeError):
        return (("(unreadable)", query_string.decode("latin-1")),)


def _content_type(headers: Iterable[tuple[bytes, bytes]]) -> str:
    return next((value.decode("latin-1") for name, value in headers if name.lower() == b"content-type"), "")
