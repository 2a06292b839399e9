"""Verified tokens remembered for a while, so that a token sent again costs one look instead of a signature check."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256

from innkeeper.guard.decision import Believed


class Memory:
    """At most ``size`` tokens, the oldest forgotten first. Kept under a hash: no token is held in memory for it.

    An entry counts while the token's own times allow, and only as long as the very keys that vouched for it are on the
    shelf and fresh; what an issuer said about a token counts as long as that may be believed. Outside of that it is as if it
    were not there.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: OrderedDict[bytes, Believed] = OrderedDict()

    def recall(self, digest: bytes, now: float) -> Believed | None:
        """What is remembered of the token with this digest and counts now, or None."""
        known = self._known.get(digest)
        if known is None or not known.since <= now < known.until:
            return None
        keys, shelf = known.keys, known.shelf
        return known if keys is None or (shelf.keys is keys and now < shelf.until) else None

    def keep(self, digest: bytes, known: Believed) -> None:
        """Remember a token that was verified just now."""
        self._known[digest] = known
        if len(self._known) > self._size:
            self._known.popitem(last=False)

    def digest(self, token: str | bytes) -> bytes:
        """What a token is remembered under: SHA-256, 32 bytes."""
        return sha256(token.encode("utf-8", "surrogatepass") if isinstance(token, str) else token).digest()
