"""What can befall a visit with a card: the clock moves, keys are rotated, the card is copied, handed in, renewed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from innkeeper.client.discovery import Metadata
from innkeeper.client.grants import client_credentials, refresh, revoke
from innkeeper.client.token import Token
from innkeeper.protocol.refusals import UsageError
from innkeeper.tour.book import Book
from innkeeper.tour.hands import hands_at
from innkeeper.tour.house import House
from innkeeper.tour.line import Line
from innkeeper.tour.visit import Turn, Visit

RotateKeys = Callable[[], Awaitable[None]]
"""Makes the issuer sign with a new key from now on; the old ones stay published."""


class WhatIf:
    """Does what a visitor wants to happen. ``clock`` gives whole seconds since the epoch."""

    def __init__(self, house: House, book: Book, line: Line, rotate_keys: RotateKeys, clock: Callable[[], int]) -> None:
        self._house = house
        self._book = book
        self._line = line
        self._rotate_keys = rotate_keys
        self._clock = clock

    async def happen(self, visit: Visit, turn: Turn) -> Visit:
        """Let it happen. Raises ``UsageError`` for a visit that has no card yet."""
        if visit.card is None or visit.metadata is None:
            raise UsageError("there is no card yet; finish checking in first")
        after = await self._after(visit, visit.card, visit.metadata, turn)
        after = msgspec.structs.replace(after, turn=turn)
        self._book.write(after)
        return after

    async def _after(self, visit: Visit, card: str, metadata: Metadata, turn: Turn) -> Visit:
        match turn:
            case "keys-rotate":
                await self._rotate_keys()
                return visit
            case "card-copy" | "card-back":
                return msgspec.structs.replace(visit, stolen=turn == "card-copy")
            case "desk-checkout":
                await self._check_out(visit, card, metadata)
                return msgspec.structs.replace(visit, hands=hands_at("checkout", self._clock()), voucher="")
            case "card-revoke":
                await self._hand_in(visit, card, metadata)
                return visit
            case "card-renew":
                return _renewed(visit, await self._fresh(visit, card, metadata))
        return msgspec.structs.replace(visit, hands=hands_at(turn.partition("-")[2], self._clock()))

    async def _hand_in(self, visit: Visit, card: str, metadata: Metadata) -> None:
        """Revoke the access token alone, so that the voucher still brings another."""
        client = self._house.concierge if visit.flow == "agent" else self._house.app

        bare = Token(access_token=card, issuer=metadata.issuer, client_id=client.id)
        await self._line.run(revoke(metadata, client, bare), visit.id)

    async def _check_out(self, visit: Visit, card: str, metadata: Metadata) -> None:
        """Revoke the grant: the refresh token, and all that came of it."""
        held = Token(
            access_token=card, issuer=metadata.issuer, client_id=self._house.client_id, refresh_token=visit.voucher
        )
        await self._line.run(revoke(metadata, self._house.app, held), visit.id)

    async def _fresh(self, visit: Visit, card: str, metadata: Metadata) -> Token:
        if visit.flow == "agent":
            asking = client_credentials(metadata, self._house.concierge, self._house.agent_access())
        elif visit.voucher:
            held = Token(card, metadata.issuer, self._house.client_id, refresh_token=visit.voucher)
            asking = refresh(metadata, self._house.app, held)
        else:
            raise UsageError("this visit has no refresh token to get a new card with; check in again")
        return await self._line.run(asking, visit.id)


def _renewed(visit: Visit, token: Token) -> Visit:
    """The visit with a new card; bad cards made of the old one are thrown away."""
    return msgspec.structs.replace(
        visit, card=token.access_token, voucher=token.refresh_token or visit.voucher, cards={}
    )
