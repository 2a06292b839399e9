"""Where bad cards are made for a visit: edited here, or asked of the issuer where only its own seal will do."""

from __future__ import annotations

from functools import cached_property

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from innkeeper.client.asking import ask, get
from innkeeper.client.discovery import Metadata
from innkeeper.keys.jwk import UnusableKey, read_set
from innkeeper.keys.jws import PublicKey
from innkeeper.protocol.refusals import Unreachable
from innkeeper.tour import cards
from innkeeper.tour.house import CutExpired
from innkeeper.tour.line import Line

FORGED = frozenset({"tampered", "unsigned", "homemade", "confused", "expired"})
"""What can be made of a real card."""


class Forge:
    """Makes bad cards. ``cut_expired`` is the issuer's own: the same card, an hour too old."""

    def __init__(self, line: Line, cut_expired: CutExpired) -> None:
        self._line = line
        self._cut_expired = cut_expired

    async def make(self, name: str, real: str, metadata: Metadata) -> str:
        """The bad card of this name, made from a real one."""
        match name:
            case "confused":
                return cards.confused(real, await self._public_key(metadata, real))
            case "expired":
                return await self._cut_expired(cards.claims_of(real))
            case "homemade":
                return cards.homemade(real, self._own_key)
            case edited:
                return cards.EDITS[edited](real)

    async def _public_key(self, metadata: Metadata, token: str) -> PublicKey:
        """The issuer's key for a token. Not part of the visit: this is what a forger does beforehand."""
        reply = await self._line.run(ask(get(metadata.jwks_uri or "", "the issuer's keys")))
        kid = cards.header_of(token).get("kid")
        try:
            keys, _ = read_set(msgspec.json.decode(reply.body))
        except (msgspec.DecodeError, UnusableKey) as error:
            raise Unreachable(f"the issuer's keys cannot be read: {error}") from None
        found = next((one.key for one in keys if one.kid == kid), None)
        if found is None:
            raise Unreachable(f"the issuer publishes no key {kid!r} any more; get a new card")
        return found

    @cached_property
    def _own_key(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())
