"""Token requests that come again word for word, as machines send them all day: decided once, cut anew each time.

A decision is a function of what was asked and what is known. So it stands while the client and the policy are the very
ones that it was made from, and until the time at which it may come out otherwise; its trail is observed again. What was
asked is kept as a digest only, since there is a secret in it.
"""

from __future__ import annotations

from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.token import Decided

KEPT = 1_024
"""Decisions remembered, about 4 KB each. One more, and all are forgotten: that costs each of them a decision."""


class Repeats:
    """The decisions of one realm's token endpoint that may stand."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm
        self._kept: dict[bytes, Decided] = {}

    async def find(self, asked: bytes) -> Decided | None:
        """What was decided about the request with this digest, if it stands."""
        kept = self._kept.get(asked)
        if kept is None:
            return None
        realm = self._realm
        client = await realm.client(kept.issue.client.id)
        if client is kept.issue.client and realm.policy is kept.policy and realm.now() < kept.stands_until:
            return kept
        self._kept.pop(asked, None)
        return None

    def keep(self, asked: bytes, decided: Decided) -> None:
        """Remember a decision that may stand."""
        if not decided.stands_until:
            return
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[asked] = decided
