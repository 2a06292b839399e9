"""DPoP proofs that were used, so that none works twice, and the nonces that keep them from being made in advance."""

from __future__ import annotations

import hmac
import secrets
import threading

from innkeeper.protocol import base64url
from innkeeper.tokens.dpop import FUTURE, PAST

_TURN = 120
"""Seconds after which a new nonce is given out; the one before stays good for as long again."""

_SLICE = 60.0
_MOST = 1_000_000
"""Proofs remembered; about 100 MB. Each is kept for six to seven minutes, so this is some 2,400 requests a second."""


class Replays:
    """The proofs used in the last minutes, in this process. Nothing is forgotten before its time: a memory that is full
    refuses (``Full``), because forgetting would let a proof work twice.

    Several processes, or nodes, each have their own memory: a proof may work once in each. Give the guard one that
    they share, an object with this method, or ask for nonces to make the time short.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._slices: dict[int, set[bytes]] = {}
        self._lock = threading.Lock()

    def first(self, name: bytes, now: float) -> bool:
        """Whether this proof is seen for the first time; it is noted. Raises ``Full``."""
        turn = int(now / _SLICE)
        with self._lock:
            self._forget(turn)
            if any(name in known for known in self._slices.values()):
                return False
            if sum(map(len, self._slices.values())) >= self._most:
                raise Full
            self._slices.setdefault(turn, set()).add(name)
            return True

    def _forget(self, turn: int) -> None:
        oldest = turn - int((PAST + FUTURE) / _SLICE) - 1
        for old in [one for one in self._slices if one < oldest]:
            del self._slices[old]


class Full(Exception):
    """There is no room to remember another proof."""


class Nonces:
    """Values for proofs to hold, made from a secret and the time: nothing is remembered."""

    def __init__(self, secret: bytes = b"") -> None:
        self._secret = secret or secrets.token_bytes(32)

    def current(self, now: float) -> str:
        """The one to give out."""
        return self._at(int(now) // _TURN)

    def good(self, now: float) -> frozenset[str]:
        """Those given out a short while ago."""
        turn = int(now) // _TURN
        return frozenset((self._at(turn), self._at(turn - 1)))

    def _at(self, turn: int) -> str:
        return base64url.encode_text(hmac.digest(self._secret, f"dpop nonce {turn}".encode(), "sha256")[:16])
