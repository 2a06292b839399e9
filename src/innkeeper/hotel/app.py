"""The hotel as an ASGI application: the guard at the entrance, the hotel's rules at each door."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import tzinfo
from typing import Any
from urllib.parse import urlsplit

import msgspec

from innkeeper.guard.asgi import GuardMiddleware, Receive, Scope, Send, path_within, reply, verified
from innkeeper.guard.challenge import unexplained
from innkeeper.guard.decision import Verified
from innkeeper.guard.guard import Guard
from innkeeper.guard.routes import ANYONE, Needed
from innkeeper.hotel.book import Book, local, seeded
from innkeeper.hotel.doors import NO_DOOR, ROUTES, Door, door_at
from innkeeper.hotel.rules import ABOUT, Knock, decide
from innkeeper.protocol.exchange import NO_STORE, Reply, json_reply
from innkeeper.protocol.refusals import Refusal, UsageError
from innkeeper.tokens.trail import Observer, unobserved


class HotelSettings(msgspec.Struct, frozen=True):
    """The hotel's name, its time zone (None: the one this computer is set to, so that "closed" means closed for whoever
    looks), and its book (None: the two guests of ``book.seeded``, who came the day the hotel was opened)."""

    name: str = "The innkeeper's hotel"
    zone: tzinfo | None = None
    book: Book | None = None


class Hotel:
    """Made by ``make_hotel``."""

    def __init__(
        self,
        guard: Guard,
        settings: HotelSettings,
        clock: Callable[[], float],
        observe: Observer,
        explain: Callable[[Refusal], str | None],
    ) -> None:
        self._settings = settings
        self._book = settings.book or seeded(clock(), settings.zone)
        self._clock = clock
        self._observe = observe
        self._explain = explain
        self._prefix = urlsplit(guard.door.resource).path.rstrip("/")
        self._public = frozenset(guard.door.metadata_paths)
        routes: dict[str, Needed] = {"/": ANYONE, **ROUTES}
        self._entrance = GuardMiddleware(self._answer, guard, routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise UsageError(f"the hotel speaks HTTP, not {scope['type']}")
        path, prefix = scope["path"], self._prefix
        if path == prefix or path.startswith(f"{prefix}/") or path in self._public:
            await self._entrance({**scope, "root_path": prefix}, receive, send)
        else:
            await reply(json_reply({"message": "There is nothing here."}, 404), send)

    async def _answer(self, scope: Scope, _: Receive, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"}:
            await reply(Reply(405, (("allow", "GET, HEAD"),)), send)
            return
        path = path_within(scope)
        answer = json_reply(self._directory()) if path == "/" else self._knocked(verified(scope), path.rstrip("/"))
        await reply(answer, send, bodiless=scope["method"] == "HEAD")

    def _knocked(self, holder: Verified, path: str) -> Reply:
        """One door asked: its checks follow the guard's in one trail."""
        booking = self._book.of(holder.token.sub)
        knock = Knock(holder.token, door_at(path), booking, local(self._clock(), self._settings.zone))
        trail = holder.trail.known_as(ABOUT).then(decide(knock))
        self._observe(trail)
        if trail.refusal:
            return self._shut(knock.door, trail.refusal)
        name = booking.name if booking else holder.token.client_id
        return json_reply({"door": knock.door.name, "open": True, "message": f"Welcome, {name}."}, 200, NO_STORE)

    def _shut(self, door: Door, refusal: Refusal) -> Reply:
        said: dict[str, Any] = {"message": refusal.page.wire}
        if door is not NO_DOOR:
            said = {"door": door.name, "open": False, **said}
        if link := self._explain(refusal):
            said["explained"] = link
        return json_reply(said, refusal.page.status, NO_STORE)

    def _directory(self) -> dict[str, Any]:
        doors = [{"path": f"{self._prefix}{path}", "scopes": list(scopes)} for path, scopes in ROUTES.items()]
        return {"hotel": self._settings.name, "doors": doors}


def make_hotel(
    *,
    guard: Guard,
    settings: HotelSettings = HotelSettings(),  # noqa: B008 - frozen
    clock: Callable[[], float] = time.time,
    observe: Observer = unobserved,
    explain: Callable[[Refusal], str | None] = unexplained,
) -> Hotel:
    """The hotel behind ``guard``: an ASGI application for the paths under the guard's resource and for its metadata.

    ``clock`` gives seconds since 1970; move it and doors close, stays end. ``observe`` gets one trail a knock: the
    guard's checks, then the hotel's. ``explain`` gives, in development, a link to a refusal's reasons. Raises
    ``UsageError`` for a guard without a resource URL: without it the hotel would not know its own address.
    """
    if not guard.door.resource:
        raise UsageError("the hotel needs a guard with a resource: the URL under which the hotel is known")
    return Hotel(guard, settings, clock, observe, explain)
