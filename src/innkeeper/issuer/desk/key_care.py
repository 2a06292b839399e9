"""Caring for a realm's keys: new ones in time, old ones for as long as anybody needs them, stolen ones gone at once.

A key goes through four times: it is published; it signs, once every verifier has had the time to fetch it; another key signs, and
it stays published until the last token that it signed has expired; it is withdrawn. So no verification ever fails because of
a rotation. Only ``revoke`` leaves an order out: whoever holds a stolen key forges tokens until it is gone.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from innkeeper.issuer.core.effects import AddOnce, Lost
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.store.port import RealmStore
from innkeeper.keys import jwe
from innkeeper.keys.seal import Seal
from innkeeper.keys.stored import StoredKey
from innkeeper.keys.succession import rotate, successor
from innkeeper.protocol.refusals import UsageError

AHEAD = 86_400
"""Seconds that a new key is published before it signs, by the schedule: those who fetch keys once a day have it by then."""
LEAST_AHEAD = 600
"""The fewest, when an operator is in a hurry: keys may be remembered for five minutes, and nodes notice within a second."""
KEPT = 86_400 + 600
"""Seconds that a key stays published after it stopped signing: longer than any token lives that is cut here."""

_TURN = "key rotation"
_TURN_KEPT = 300


class Cupboard(msgspec.Struct, frozen=True):
    """What keys are cared for with: a realm's memory, the seal, how long its tokens live at most, the time."""

    memory: RealmStore
    seal: Seal
    longest: int
    now: int
    name: str = ""

    @classmethod
    def of(cls, realm: Realm) -> Cupboard:
        longest = max(realm.policy.access_lifetime, realm.policy.id_lifetime)
        return cls(realm.store, realm.seal, longest, realm.now(), realm.name)

    @property
    def keep(self) -> int:
        return max(KEPT, self.longest + 600)


async def rotate_key(cupboard: Cupboard, alg: str, ahead: int, purpose: str = "") -> StoredKey:
    """Make a new key and publish it at once; it signs ``ahead`` seconds later, and the old one stays as long as it is needed."""
    fresh, changed = rotation(cupboard, await cupboard.memory.keys(), alg, ahead, purpose)
    await cupboard.memory.put_keys([fresh, *changed])
    return fresh


def rotation(
    cupboard: Cupboard, stored: Sequence[StoredKey], alg: str, ahead: int, purpose: str = ""
) -> tuple[StoredKey, list[StoredKey]]:
    """The new key, and the old ones as they are from then on. Raises ``UsageError``."""
    return rotate(
        stored, alg, cupboard.seal, now=cupboard.now, publish_ahead=ahead, keep=cupboard.keep, purpose=purpose
    )


def judge_ahead(ahead: int) -> None:
    """Raise ``UsageError`` where a key would sign before everybody who remembers the old ones knows it."""
    if ahead < LEAST_AHEAD:
        raise UsageError(
            f"--ahead {ahead}: a key is published {LEAST_AHEAD} seconds before it signs at least, or who remembers the old "
            "keys could not verify its tokens. For a key that was stolen there is `innkeeper keys revoke`."
        )


async def rotate_who_is_due(cupboard: Cupboard, period: int, ahead: int = AHEAD) -> list[StoredKey]:
    """Rotate every kind of key whose newest is older than ``period`` seconds; of several nodes, one does."""
    stored = await cupboard.memory.keys()
    fresh = []
    for alg, purpose in sorted({(one.alg, one.purpose) for one in stored}):
        newest = _newest(stored, alg, purpose, cupboard.now)
        if newest is None or newest.active_from + period - ahead > cupboard.now:
            continue
        try:
            await cupboard.memory.commit((AddOnce(_TURN, newest.kid, cupboard.now + _TURN_KEPT),))
        except Lost:
            continue
        fresh.append(await rotate_key(cupboard, alg, ahead, purpose))
    return fresh


async def retire_key(cupboard: Cupboard, kid: str) -> StoredKey:
    """Have a key sign no more, and withdraw it once its tokens have expired. Another one has to sign in its place."""
    _, retired = retirement(cupboard, await cupboard.memory.keys(), kid)
    await cupboard.memory.put_keys([retired])
    return retired


def retirement(cupboard: Cupboard, stored: Sequence[StoredKey], kid: str) -> tuple[StoredKey, StoredKey]:
    """The key as it is, and as it is once it is retired. Raises ``UsageError``."""
    key = known_key(stored, kid, cupboard.now)
    if key.alg not in jwe.ALGORITHMS and not _others(stored, key, cupboard.now):
        raise UsageError(
            f"no other key signs {key.alg} now. `innkeeper keys rotate --alg {key.alg}` first, and retire this one once the new "
            "one signs; `innkeeper keys revoke` takes it away at once and makes a new one."
        )
    until = cupboard.now + cupboard.keep
    return key, msgspec.structs.replace(key, expires_at=min(key.expires_at or until, until))


async def revoke_key(cupboard: Cupboard, kid: str) -> tuple[StoredKey, StoredKey | None]:
    """Withdraw a key at once, and with it every token that it signed. A new one, where no other is left, signs at once."""
    _, gone, fresh = revocation(cupboard, await cupboard.memory.keys(), kid)
    await cupboard.memory.put_keys([one for one in (fresh, gone) if one is not None])
    return gone, fresh


def revocation(
    cupboard: Cupboard, stored: Sequence[StoredKey], kid: str
) -> tuple[StoredKey, StoredKey, StoredKey | None]:
    """The key as it is, as it is once it is withdrawn, and the one that takes its place where none is left. Raises
    ``UsageError``."""
    key = known_key(stored, kid, cupboard.now)
    gone = msgspec.structs.replace(key, expires_at=cupboard.now)
    fresh = None
    if not _others(stored, key, cupboard.now):
        at = cupboard.now
        fresh = successor(stored, key.alg, cupboard.seal, now=at, active_from=at, purpose=key.purpose)
    return key, gone, fresh


def _newest(stored: Sequence[StoredKey], alg: str, purpose: str, now: int) -> StoredKey | None:
    alike = [one for one in stored if (one.alg, one.purpose) == (alg, purpose) and _is_live(one, now)]
    return max(alike, key=lambda one: one.active_from, default=None)


def known_key(stored: Sequence[StoredKey], kid: str, now: int) -> StoredKey:
    """The living key whose id begins so. Raises ``UsageError``."""
    named = [one for one in stored if one.kid.startswith(kid)] if kid else []
    if len(named) != 1:
        raise UsageError(f"{len(named) or 'no'} keys begin with {kid!r}; `innkeeper keys list` shows them")
    if not _is_live(named[0], now):
        raise UsageError(f"key {named[0].kid} was withdrawn already")
    return named[0]


def _others(stored: Sequence[StoredKey], key: StoredKey, now: int) -> list[StoredKey]:
    """The keys that could do the same now."""
    alike = [one for one in stored if (one.alg, one.purpose) == (key.alg, key.purpose) and one.kid != key.kid]
    return [one for one in alike if one.active_from <= now and one.expires_at is None]


def _is_live(key: StoredKey, now: int) -> bool:
    return key.expires_at is None or key.expires_at > now
