"""Orders that wait for their guest: nothing is brought before the guest has said yes, on a device of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

import msgspec

from innkeeper.client import arun, discover
from innkeeper.client.backchannel import Asked, Wish, begin, look
from innkeeper.client.credentials import Client
from innkeeper.client.refused import Refused
from innkeeper.client.token import Access, Token
from innkeeper.guard.guard import Guard
from innkeeper.guard.needs import need
from innkeeper.hotel.services import NO_SUCH_ORDER, NOBODY_TO_ASK, NOT_ALLOWED, OTHER_ORDER
from innkeeper.protocol.refusals import Page, Refusal, Unreachable, UsageError

State = Literal["waiting", "coming", "refused"]
MOST = 1000
"""Orders that are remembered; older ones are forgotten."""


class Order(msgspec.Struct, frozen=True):
    """One order. ``guest`` and ``client`` made it; ``why`` is the page of a refusal."""

    number: int
    guest: str
    client: str
    room: int
    dish: str
    euros: int
    state: State = "waiting"
    why: Page | None = None

    @property
    def detail(self) -> dict[str, Any]:
        """What the guest is asked to allow."""
        return {"type": "room_order", "room": self.room, "dish": self.dish, "euros": self.euros}


class Asking(Protocol):
    """How guests are asked. ``where`` is the page at which they answer."""

    where: str

    async def ask(self, account: str, message: str, detail: Mapping[str, Any]) -> Asked | Refusal:
        """Ask the guest who signs in by this name."""

    async def answer(self, asked: Asked, detail: Mapping[str, Any]) -> Asked | bool | Refusal:
        """Whether the guest allowed it; the request itself, where it still waits."""


class Orders:
    """The orders of one hotel, in memory: a hotel that was closed for the night brings nothing from yesterday."""

    def __init__(self, asking: Asking | None, clock: Callable[[], float] = time.time) -> None:
        self._asking = asking
        self._clock = clock
        self._orders: dict[int, Order] = {}
        self._asked: dict[int, tuple[Asked, float]] = {}
        self._last = 0

    @property
    def where(self) -> str:
        """The page at which guests answer."""
        return self._asking.where if self._asking else ""

    async def place(self, account: str, order: Order) -> Order | Refusal:
        """Note an order, and ask its guest."""
        if self._asking is None or not account:
            return Refusal(NOBODY_TO_ASK, "nobody can be asked", "a guest's account and a client", "none")
        self._last += 1
        order = msgspec.structs.replace(order, number=self._last)
        message = f"Order {order.number}: {order.dish}, {order.euros} euros, room {order.room}"
        asked = await self._asking.ask(account, message, order.detail)
        if isinstance(asked, Refusal):
            return asked
        self._keep(order)
        self._asked[order.number] = asked, self._clock()
        return order

    async def look(self, number: int, guest: str, client: str) -> Order | Refusal:
        """How an order stands, for the guest and program that made it."""
        order = self._orders.get(number)
        if order is None or (order.guest, order.client) != (guest, client):
            return Refusal(NO_SUCH_ORDER, f"no order {number} of {guest} by {client}", "an order of theirs", "none")
        return await self._answered(order) if order.state == "waiting" else order

    def of(self, guest: str) -> list[Order]:
        """What a guest pays for."""
        return [one for one in self._orders.values() if one.guest == guest and one.state == "coming"]

    async def _answered(self, order: Order) -> Order:
        asked, since = self._asked[order.number]
        if self._asking is None or self._clock() < since:
            return order
        answer = await self._asking.answer(asked, order.detail)
        if isinstance(answer, Asked):
            self._asked[order.number] = answer, self._clock() + answer.interval
            return order
        refused = answer.page if isinstance(answer, Refusal) else NOT_ALLOWED
        return self._keep(
            msgspec.structs.replace(order, state="coming")
            if answer is True
            else msgspec.structs.replace(order, state="refused", why=refused)
        )

    def _keep(self, order: Order) -> Order:
        self._orders[order.number] = order
        if len(self._orders) > MOST:
            oldest = next(iter(self._orders))
            self._orders.pop(oldest)
            self._asked.pop(oldest, None)
        return order


class ByIssuer:
    """Asks guests through the issuer (CIBA): it shows them what waits, and what they allow comes back in a token.

    That token is not believed for having come by a private way: the hotel's own guard judges it, details included.
    """

    def __init__(self, issuer: str, client: Client, guard: Guard, where: str) -> None:
        self.where = where
        self._issuer, self._client, self._guard = issuer, client, guard
        self._access = Access("openid", guard.door.resource)

    async def ask(self, account: str, message: str, detail: Mapping[str, Any]) -> Asked | Refusal:
        """Ask the guest who signs in by this name."""
        try:
            metadata = await arun(discover(self._issuer))
            return await arun(begin(metadata, self._client, self._access, Wish(account, message, (detail,))))
        except Refused as refused:
            return Refusal(NOBODY_TO_ASK, refused.refusal.reason, "a request that waits", refused.error)
        except (Unreachable, UsageError) as failure:
            return Refusal(NOBODY_TO_ASK, str(failure), "a request that waits", "no answer")

    async def answer(self, asked: Asked, detail: Mapping[str, Any]) -> Asked | bool | Refusal:
        """Whether the guest allowed it; the request itself, where it still waits or the issuer cannot say."""
        try:
            metadata = await arun(discover(self._issuer))
            found = await arun(look(metadata, self._client, self._access, asked))
        except Refused:
            return False
        except Unreachable:
            return asked
        return await self._judged(found, detail) if isinstance(found, Token) else found

    async def _judged(self, token: Token, detail: Mapping[str, Any]) -> bool | Refusal:
        verdict = await self._guard.verify(token.access_token, need(details=[detail]))
        if refusal := getattr(verdict, "refusal", None):
            return Refusal(OTHER_ORDER, refusal.reason, "a token with this order's details", refusal.page.title)
        return True
