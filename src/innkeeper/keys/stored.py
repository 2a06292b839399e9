"""A signing key as the store has it."""

from __future__ import annotations

import msgspec


class StoredKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as remembered. It signs from ``active_from`` on and is published until ``expires_at``.

    A key whose ``alg`` is one of ``jwe.ALGORITHMS`` signs nothing: it opens what others encrypt to it. ``purpose`` names
    what alone it signs, in a dialect that signs its kinds of tokens with a key each; "" for everything. ``certificate``
    is one that the key has for itself, in DER, where a dialect publishes it.
    """

    kid: str
    alg: str
    sealed: bytes
    created_at: int
    active_from: int
    expires_at: int | None = None
    purpose: str = ""
    certificate: bytes = b""
