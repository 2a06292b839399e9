"""The tour's own client: what it does for a visit, over real HTTP, as any honest client would.

Built on ``innkeeper.client``. Every request carries the visit's mark, so that the tap knows it again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import msgspec

from innkeeper.client.asking import Ask, ask
from innkeeper.client.asking import Flow as Asking
from innkeeper.client.authorization import Pending, Return, begin, complete, judge
from innkeeper.client.discovery import Metadata, discover
from innkeeper.client.grants import client_credentials
from innkeeper.client.identity import IDENTITY_CHECKS, Presented
from innkeeper.client.refused import Refused
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.parameters import Malformed, parse_query
from innkeeper.protocol.redirects import with_parameters
from innkeeper.protocol.refusals import Unreachable, UsageError
from innkeeper.tokens.trail import Observer, Trail, follow
from innkeeper.tour import cards
from innkeeper.tour.book import Book
from innkeeper.tour.cards import CardName
from innkeeper.tour.forge import Forge
from innkeeper.tour.house import House
from innkeeper.tour.line import Line
from innkeeper.tour.marks import THIEF
from innkeeper.tour.visit import Flow, Visit, carded, failed, holding, moved, opened, tried


class Errands:
    """Does what a visit needs. ``clock`` gives whole seconds since the epoch."""

    def __init__(
        self, house: House, book: Book, line: Line, forge: Forge, clock: Callable[[], int], observe: Observer
    ) -> None:
        self._house = house
        self._book = book
        self._line = line
        self._forge = forge
        self._clock = clock
        self._observe = observe

    async def open(self, flow: Flow) -> Visit:
        """Begin a visit: the agent's is over with this, the guest's is ready to leave for the front desk."""
        visit = Visit(id=secrets.token_urlsafe(12), flow=flow, started_at=self._clock())
        self._book.add(visit)
        begun = {"guest": self._prepare, "agent": self._send_agent}.get(flow)
        return await self._told(visit, begun) if begun else visit

    def leave(self, visit: Visit) -> str:
        """The authorization request, as an address for the browser. Raises ``UsageError`` for a visit that has none."""
        if visit.pending is None:
            raise UsageError("this visit has no authorization request; start a guest's visit")
        self._book.write(moved(visit, "leave"))
        return visit.pending.url

    async def come_back(self, visit: Visit, query: str) -> Visit:
        """Take what the browser brought back: check it, redeem the code, check who signed in."""

        async def redeem(visit: Visit) -> Visit:
            if visit.pending is None:
                raise UsageError("nobody is awaited here; start a guest's visit")
            self._book.write(msgspec.structs.replace(visit, pending=None))
            self._observe(judge(Return(visit.pending, parse_query(query))))
            token = await self._line.run(complete(visit.pending, query), visit.id)
            if token.id_token is not None:
                self._observe(_identity_checks(visit.pending, token.access_token, token.id_token, self._clock()))
            return carded(visit, token.access_token, token.id_token, token.refresh_token or "")

        return await self._told(visit, redeem)

    async def try_door(self, visit: Visit, card: CardName, door: str) -> Visit:
        """Hold a card to a door. Raises ``UsageError`` for a card that this visit does not have."""
        token = await self._card(visit, card)
        label = f"{THIEF if visit.stolen else 'try'}-{secrets.token_urlsafe(6)}"
        reply = await self._line.run(_knock(self._house.door_url(door), token), visit.id, label)
        hop = self._book.labelled(visit.id, label)
        now = holding(self._book.visit(visit.id) or visit, card, token)
        after = tried(now, card, door, reply.status, hop.n if hop else 0)
        self._book.write(after)
        return after

    async def _told(self, visit: Visit, errand: Callable[[Visit], Any]) -> Visit:
        """The visit after an errand, written down; one that was refused is written down as failed."""
        try:
            after: Visit = await errand(visit)
        except (Refused, Unreachable, Malformed) as trouble:
            after = failed(visit, str(trouble))
        self._book.write(after)
        return after

    async def _prepare(self, visit: Visit) -> Visit:
        house = self._house
        metadata = await self._line.run(discover(house.base_url), visit.id)
        pending = await self._line.run(begin(metadata, house.app, house.guest_access(), house.redirect_uri))
        url = with_parameters(pending.url, (("prompt", ASK_AGAIN),))
        return opened(visit, metadata, msgspec.structs.replace(pending, url=url))

    async def _send_agent(self, visit: Visit) -> Visit:
        metadata = await self._line.run(discover(self._house.base_url), visit.id)
        asking = client_credentials(metadata, self._house.concierge, self._house.agent_access())
        token = await self._line.run(asking, visit.id)
        return carded(opened(visit, metadata), token.access_token)

    async def _card(self, visit: Visit, name: CardName) -> str:
        if visit.card is None or visit.metadata is None:
            raise UsageError("there is no card yet; finish checking in first")
        if name in visit.cards:
            return visit.cards[name]
        return await self._make(visit, visit.card, visit.metadata, name)

    async def _make(self, visit: Visit, real: str, metadata: Metadata, name: CardName) -> str:
        match name:
            case "other":
                asking = client_credentials(metadata, self._house.concierge, self._house.other_access())
                return (await self._line.run(asking, visit.id, "other")).access_token
            case "identity":
                if visit.identity is None:
                    raise UsageError("an agent has no ID token: no person signed in")
                return visit.identity
            case forged:
                return await self._forge.make(forged, real, metadata)


def _identity_checks(pending: Pending, access_token: str, id_token: str, now: int) -> Trail:
    """The checks that ``complete`` has just made on an ID token, as a trail; it raises where one of them refuses."""
    header, claims = cards.header_of(id_token), cards.claims_of(id_token)
    issuer, client_id = pending.metadata.issuer, pending.client.id
    case = Presented(issuer, client_id, pending.nonce, access_token, now, header, claims, signed=True)
    return follow("ID token", IDENTITY_CHECKS, case)


def _knock(url: str, token: str) -> Asking[Reply]:
    """A GET with a bearer token (RFC 6750 §2.1), or without any where ``token`` is empty."""
    bearer = (("authorization", f"Bearer {token}"),) if token else ()
    return ask(Ask("the door", "GET", url, (("accept", "application/json"), *bearer)))


ASK_AGAIN = "login consent"
"""A visit shows the desk's questions even to a guest whom it knows already (OpenID Connect Core §3.1.2.1)."""
