"""The hotel for agents: its doors and services as tools of an MCP server, built on the official SDK, behind the guard.

What each tool needs stands in ``TOOLS``, beside the guard and not in the tool: a card that opens too little is answered with
403 and everything the tool needs, so that an agent asks its person for more and tries again.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from urllib.parse import urlsplit

import msgspec
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings

from innkeeper.guard.asgi import App, verified
from innkeeper.guard.challenge import unexplained
from innkeeper.guard.decision import Verified
from innkeeper.guard.guard import Guard
from innkeeper.guard.mcp import McpGuard
from innkeeper.guard.needs import Needs, need
from innkeeper.hotel import services
from innkeeper.hotel.app import HotelSettings
from innkeeper.hotel.book import Booking, local, seeded
from innkeeper.hotel.doors import door_at
from innkeeper.hotel.orders import Asking, Order, Orders
from innkeeper.hotel.rules import ABOUT, Knock, decide
from innkeeper.hotel.services import MENU, Wish
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.acting import chain
from innkeeper.tokens.trail import Observer, Trail, unobserved

BASE = ("room:enter",)
"""What every request needs: a card of this hotel. The rest is asked for when it is wanted."""

FRESH = 300
"""Seconds since the guest signed in, at most, for what costs them money at once."""

TOOLS: Mapping[str, Needs] = MappingProxyType(
    {
        "open_gym": need("gym:enter"),
        "open_pool": need("pool:enter"),
        "open_lounge": need("vip:enter"),
        "book_spa": need("spa:book"),
        "order_to_room": need("room:order"),
        "order_status": need("room:order"),
        "settle_bill": need("room:order", max_age=FRESH),
    }
)
"""What each tool needs beside ``BASE``."""

_INSTRUCTIONS = (
    "A hotel. open_* open doors for the guest who signed in. book_spa and order_to_room need more than opening doors: the "
    "guest is asked for it when you call them. An order is brought only once the guest has allowed it on a page of their "
    "own: tell them where, then ask with order_status."
)


class Desk:
    """What the tools do, whoever calls them over which wire."""

    def __init__(
        self,
        settings: HotelSettings,
        asking: Asking | None,
        clock: Callable[[], float],
        observe: Observer,
        explain: Callable[[Refusal], str | None],
    ) -> None:
        self._settings, self._clock, self._observe, self._explain = settings, clock, observe, explain
        self._book = settings.book or seeded(clock(), settings.zone)
        self._spa: dict[int, str] = {}
        self._day = ""
        self.orders = Orders(asking, clock)

    def who(self, holder: Verified) -> str:
        """Who is calling, for whom, and who sent whoever calls."""
        booking = self._book.of(holder.token.sub)
        staying = f"{booking.name}, room {booking.room}" if booking else "nobody in the book"
        senders = "".join(f", sent by {one}" for one in reversed(chain(holder.token.claims)[1:-1]))
        return f"{holder.token.sub} ({staying}) by {holder.token.client_id}{senders}"

    def open(self, holder: Verified, path: str) -> str:
        """One door, by the very rules of the hotel's plain doors."""
        booking = self._book.of(holder.token.sub)
        knock = Knock(holder.token, door_at(path), booking, local(self._clock(), self._settings.zone))
        self._hold(holder.trail.known_as(ABOUT).then(decide(knock)))
        return f"The {knock.door.name} is open. Welcome, {booking.name if booking else holder.token.client_id}."

    def book_spa(self, holder: Verified, hour: int) -> str:
        """An hour in the spa, today."""
        wish = self._wish(holder, hour=hour)
        today = f"{wish.local_time:%F}"
        if today != self._day:
            self._day, self._spa = today, {}
        taken = frozenset(one for one, guest in self._spa.items() if guest != holder.token.sub)
        self._allowed(holder, services.book_spa(msgspec.structs.replace(wish, taken=taken)))
        self._spa[hour] = holder.token.sub
        return f"The spa is yours today at {hour}:00."

    async def order(self, holder: Verified, dish: str) -> str:
        """Something from the kitchen, once the guest has allowed it."""
        wish = self._wish(holder, dish=dish)
        self._allowed(holder, services.order(wish))
        booking = _staying(wish)
        made = Order(0, holder.token.sub, holder.token.client_id, booking.room, dish, MENU[dish])
        found = self._told(await self.orders.place(booking.account, made))
        return (
            f"Order {found.number} waits for {booking.name}, who has to allow it at {self.orders.where} . "
            f"Nothing is brought before. Ask order_status with order {found.number}."
        )

    async def status(self, holder: Verified, number: int) -> str:
        """How an order stands."""
        found = self._told(await self.orders.look(number, holder.token.sub, holder.token.client_id))
        if found.why is not None:
            self._told(Refusal(found.why, f"order {found.number} was not allowed"))
        if found.state == "waiting":
            return f"Order {found.number} still waits for the guest, at {self.orders.where} ."
        return f"Order {found.number}, {found.dish}, is on its way to room {found.room}."

    def bill(self, holder: Verified) -> str:
        """What the guest owes; settled."""
        self._allowed(holder, services.bill(self._wish(holder)))
        owed = sum(one.euros for one in self.orders.of(holder.token.sub))
        return f"{owed} euros, settled with the card that the guest left at the desk."

    def _wish(self, holder: Verified, *, hour: int = 0, dish: str = "") -> Wish:
        moment = local(self._clock(), self._settings.zone)
        return Wish(holder.token.sub, self._book.of(holder.token.sub), moment, hour, dish)

    def _allowed(self, holder: Verified, trail: Trail) -> None:
        self._hold(holder.trail.known_as(services.ABOUT).then(trail))

    def _hold(self, trail: Trail) -> None:
        self._observe(trail)
        if trail.refusal:
            raise self._error(trail.refusal)

    def _told(self, found: Order | Refusal) -> Order:
        if isinstance(found, Refusal):
            raise self._error(found)
        return found

    def _error(self, refusal: Refusal) -> ToolError:
        link = self._explain(refusal)
        return ToolError(f"{refusal.page.wire} See {link}" if link else refusal.page.wire)


def _staying(wish: Wish) -> Booking:
    if wish.booking is None:
        raise AssertionError("the rules let nobody pass who has no booking")
    return wish.booking


class HotelTools:
    """The MCP server as an ASGI application, to be opened before it is asked: made by ``make_tools``."""

    def __init__(self, guard: Guard, desk: Desk) -> None:
        self._server = _server(desk)
        resource = urlsplit(guard.door.resource)
        inner = self._server.streamable_http_app(
            streamable_http_path=resource.path,
            json_response=True,
            stateless_http=True,
            transport_security=_hosts(resource.netloc),
        )
        self.paths = frozenset({resource.path, *guard.door.metadata_paths})
        self.app: App = McpGuard(inner, guard, needed=BASE, tools=TOOLS)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Serve within this block."""
        async with self._server.session_manager.run():
            yield


def _hosts(netloc: str) -> TransportSecuritySettings:
    """The names under which this server is known: a page of another name that leads here is turned away."""
    local_names = ["127.0.0.1", "localhost", "[::1]"]
    hosts = [netloc, *(f"{one}:*" for one in local_names)]
    origins = [f"{scheme}://{one}" for scheme in ("http", "https") for one in hosts]
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)


def _server(desk: Desk) -> MCPServer:
    server = MCPServer("hotel", title="The innkeeper's hotel", instructions=_INSTRUCTIONS)

    @server.tool()
    def whoami(ctx: Context) -> str:
        """Who you act for in this hotel, and which room they have."""
        return desk.who(_holder(ctx))

    @server.tool()
    def open_room(number: int, ctx: Context) -> str:
        """Open a guest room. Only the guest's own one opens."""
        return desk.open(_holder(ctx), f"/rooms/{number}")

    @server.tool()
    def open_gym(ctx: Context) -> str:
        """Open the gym. It is open from 6 to 22."""
        return desk.open(_holder(ctx), "/gym")

    @server.tool()
    def open_pool(ctx: Context) -> str:
        """Open the pool. It is open from 8 to 20."""
        return desk.open(_holder(ctx), "/pool")

    @server.tool()
    def open_lounge(ctx: Context) -> str:
        """Open the VIP lounge, for guests who booked it."""
        return desk.open(_holder(ctx), "/vip")

    @server.tool()
    def book_spa(hour: int, ctx: Context) -> str:
        """Book the spa today for one hour; hours are 9 to 20."""
        return desk.book_spa(_holder(ctx), hour)

    @server.tool(description=f"Order to the guest's room. On the menu: {', '.join(MENU)}. The guest has to allow it.")
    async def order_to_room(dish: str, ctx: Context) -> str:
        return await desk.order(_holder(ctx), dish)

    @server.tool()
    async def order_status(order: int, ctx: Context) -> str:
        """Whether the guest has allowed an order, by its number."""
        return await desk.status(_holder(ctx), order)

    @server.tool()
    def settle_bill(ctx: Context) -> str:
        """Settle what was ordered. The guest must have signed in within the last five minutes."""
        return desk.bill(_holder(ctx))

    return server


def _holder(ctx: Context) -> Verified:
    """What the guard found for the request that a tool is called by."""
    request = ctx.request_context.request
    return verified(request.scope if request else {})


def make_tools(
    *,
    guard: Guard,
    settings: HotelSettings = HotelSettings(),  # noqa: B008 - frozen
    asking: Asking | None = None,
    clock: Callable[[], float] = time.time,
    observe: Observer = unobserved,
    explain: Callable[[Refusal], str | None] = unexplained,
) -> HotelTools:
    """The hotel's tools behind ``guard``, whose resource is the address they are served at.

    ``asking`` is how guests are asked about orders; without it nothing is ordered. The rest is as in ``make_hotel``.
    """
    return HotelTools(guard, Desk(settings, asking, clock, observe, explain))
