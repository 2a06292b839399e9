"""Verified tokens remembered for a while, so that a token sent again costs one look instead of a signature check."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256

from innkeeper.guard.decision import Believed
from innkeeper.tokens.verification import window


class Memory:
    """At most ``size`` tokens, the oldest forgotten first. Kept under a hash: no token is held in memory for it.

    An entry counts from the token's iat and nbf until its exp, and only as long as the very keys that vouched for it
    are on the shelf and fresh; outside of that it is as if it were not there.
    """

    def __init__(self, size: int, leeway: float) -> None:
        self._size = size
        self._leeway = leeway
        self._known: OrderedDict[bytes, tuple[Believed, float, float]] = OrderedDict()

    def recall(self, digest: bytes, now: float) -> Believed | None:
        """What is remembered of the token with this digest and counts now, or None."""
        found = self._known.get(digest)
        if found is None:
            return None
        known, since, until = found
        return known if since <= now < until and known.shelf.keys is known.keys else None

    def keep(self, digest: bytes, known: Believed) -> None:
        """Remember a token that was verified just now."""
        since, until = window(known.token, self._leeway)
        self._known.pop(digest, None)
        self._known[digest] = known, since, min(until, known.shelf.fresh_until())
        while len(self._known) > self._size:
            self._known.popitem(last=False)


def digest_of(token: str | bytes) -> bytes:
    """What a token is remembered under: SHA-256, 32 bytes."""
    return sha256(token.encode("utf-8", "surrogatepass") if isinstance(token, str) else token).digest()
