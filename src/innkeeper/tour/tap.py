"""The tap: an ASGI layer round the whole site that records the exchanges of a visit, and only those.

An exchange belongs to a visit when its browser carries the visit's cookie, or the tour's own client its header.
Everything else passes straight through. Bodies are copied as they stream, never held back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from innkeeper.protocol.exchange import Request
from innkeeper.protocol.parameters import Malformed, parse_query
from innkeeper.tokens.trail import Trail
from innkeeper.tour.book import Book
from innkeeper.tour.hands import moved
from innkeeper.tour.marks import COOKIE, HEADER
from innkeeper.tour.overhearing import overhearing
from innkeeper.tour.record import BODY_LIMIT, Hop, Pairs, Place, masked, readable_body, readable_headers


class Mark(msgspec.Struct, frozen=True):
    """Whose exchange it is: the visit, who carried it, and the caller's own label."""

    visit_id: str
    carrier: Literal["browser", "app"]
    label: str = ""


class Tap:
    """The site with a tap on it. ``place`` says who answers at a path, None where an exchange is of no interest."""

    def __init__(
        self, site: ASGIApp, book: Book, place: Callable[[str], Place | None], stopwatch: Callable[[], float]
    ) -> None:
        self._site = site
        self._book = book
        self._place = place
        self._stopwatch = stopwatch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        mark = _mark(scope["headers"]) if scope["type"] == "http" else None
        to = self._place(scope["path"]) if mark else None
        number = self._book.number(mark.visit_id) if mark and to else None
        if mark is None or to is None or number is None:
            await self._site(scope, receive, send)
            return
        await self._recorded(receive, send, _Recording(scope, mark, to, number))

    async def _recorded(self, receive: Receive, send: Send, recording: _Recording) -> None:
        began = self._stopwatch()

        def keep() -> None:
            self._book.record(recording.mark.visit_id, recording.hop(self._stopwatch() - began))

        hands = moved.set(self._book.hands(recording.mark.visit_id))
        try:
            await recording.through(self._site, receive, send, keep)
        finally:
            moved.reset(hands)


class Passing:
    """What has gone by of one body: its beginning and its size."""

    def __init__(self) -> None:
        self.start = bytearray()
        self.size = 0

    def take(self, data: bytes) -> None:
        self.size += len(data)
        self.start += data[: BODY_LIMIT - len(self.start)]


class Exchange:
    """One exchange while it goes by: what was asked and answered so far, and what was decided."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.trails: list[Trail] = []
        self.request = Passing()
        self.reply = Passing()
        self.status = 0
        self.reply_headers: list[tuple[bytes, bytes]] = []
        self.ended = False

    async def through(self, site: ASGIApp, receive: Receive, send: Send, keep: Callable[[], None]) -> None:
        """Let it go by. ``keep`` is called once: with the last part of the answer, or where there comes none."""

        async def hear() -> Message:
            message = await receive()
            self.request.take(message.get("body", b""))
            return message

        async def say(message: Message) -> None:
            if self._answer(message):
                keep()
            await send(message)

        try:
            with overhearing(self.trails):
                await site(self.scope, hear, say)
        finally:
            if not self.ended:
                keep()

    def _answer(self, message: Message) -> bool:
        """Note a part of the answer; True with its last part."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.reply_headers = list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self.reply.take(message.get("body", b""))
            self.ended = not message.get("more_body", False)
        return self.ended


class _Recording(Exchange):
    """An exchange of a visit."""

    def __init__(self, scope: Scope, mark: Mark, to: Place, number: int) -> None:
        super().__init__(scope)
        self.mark = mark
        self.to = to
        self.number = number

    def hop(self, took: float) -> Hop:
        scope = self.scope
        return Hop(
            n=self.number,
            carrier=self.mark.carrier,
            to=self.to,
            method=scope["method"],
            path=scope["path"],
            query=_query(scope["query_string"]),
            headers=readable_headers(_unmarked(scope["headers"])),
            body=readable_body(_content_type(scope["headers"]), bytes(self.request.start), self.request.size),
            status=self.status,
            reply_headers=readable_headers(self.reply_headers),
            reply_body=readable_body(_content_type(self.reply_headers), bytes(self.reply.start), self.reply.size),
            trails=tuple(trail.as_document() for trail in self.trails),
            took=took,
            label=self.mark.label,
        )


_HEADER, _CRUMB = HEADER.encode(), f"{COOKIE}=".encode()


def _mark(headers: Iterable[tuple[bytes, bytes]]) -> Mark | None:
    for name, value in headers:
        if name == _HEADER:
            visit_id, _, label = value.decode("latin-1").partition("/")
            return Mark(visit_id, "app", label)
    for name, value in headers:
        if name == b"cookie" and _CRUMB in value:
            crumb = Request("", "", "", {"cookie": value.decode("latin-1")}).cookie(COOKIE)
            return Mark(crumb, "browser") if crumb else None
    return None


def _unmarked(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    return ((name, value) for name, value in headers if name != _HEADER)


def _query(query_string: bytes) -> Pairs:
    try:
        return masked(parse_query(query_string.decode("ascii")).pairs())
    except (Malformed, UnicodeDecodeError):
        return (("(unreadable)", query_string.decode("latin-1")),)


def _content_type(headers: Iterable[tuple[bytes, bytes]]) -> str:
    return next((value.decode("latin-1") for name, value in headers if name.lower() == b"content-type"), "")
