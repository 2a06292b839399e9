"""Keys through their lives: no verification ever fails because of a rotation, and a revoked key opens nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec import structs

from innkeeper.issuer.desk.key_care import (
    AHEAD,
    LEAST_AHEAD,
    Cupboard,
    retire_key,
    revoke_key,
    rotate_key,
    rotate_who_is_due,
)
from innkeeper.issuer.store.opening import open_store
from innkeeper.issuer.store.port import RealmStore, Store
from innkeeper.keys import jws
from innkeeper.keys.ring import Ring, make
from innkeeper.keys.seal import Seal
from innkeeper.keys.stored import StoredKey
from innkeeper.protocol.refusals import UsageError

NOW, DAY = 1_800_000_000, 86_400
SEAL = Seal(bytes(32))
LONGEST = 3_600
"""The longest that a token lives here."""
REMEMBERED, NOTICED = 300, 5
"""Seconds that a verifier may remember our keys, and that a node may take to notice a change."""


class Shelf:
    """A realm's keys in a database of its own."""

    def __init__(self, path: Path) -> None:
        self._runner = asyncio.Runner()
        self.store: Store = self._runner.run(open_store(str(path), 1))
        self.memory: RealmStore = self.store.realm("native")
        self._runner.run(self.memory.put_keys([make("ES256", SEAL, now=NOW, active_from=NOW)]))

    def at(self, now: int) -> Cupboard:
        return Cupboard(self.memory, SEAL, LONGEST, now)

    def do(self, work: object) -> object:
        return self._runner.run(work)  # type: ignore[arg-type]

    def hung(self) -> list[StoredKey]:
        return list(self._runner.run(self.memory.keys()))  # type: ignore[arg-type]

    def close(self) -> None:
        self.store.close()
        self._runner.close()


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path / "keys.db")
    yield made
    made.close()


def token(keys: list[StoredKey], now: int) -> str:
    cut: str = asyncio.run(Ring(keys, SEAL).cut("ES256", "at+jwt", {"iat": now}, now))
    return cut


def published(keys: list[StoredKey], now: int) -> set[str]:
    return {one["kid"] for one in Ring(keys, SEAL).published(now)}


def kid(of: str) -> str:
    return str(jws.parse(of).header["kid"])


EVENTS = some.lists(
    some.tuples(some.integers(0, 3 * DAY), some.sampled_from(["rotate", "hurry", "tick", "retire"])), max_size=7
)


@settings(max_examples=40, deadline=None)
@given(events=EVENTS, data=some.data())
def test_no_verification_fails_because_of_any_rotation(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[int, str]], data: some.DataObject
) -> None:
    """A token cut at any time, by a node that may be late to notice, verifies for all its life with keys that were fetched
    from a node as late, and remembered as long as they may be."""
    shelf = Shelf(tmp_path_factory.mktemp("keys") / "keys.db")
    try:
        now, history = NOW, [(NOW - DAY, shelf.hung())]
        for wait, event in events:
            now += wait
            _happen(shelf, event, now)
            history.append((now, shelf.hung()))
    finally:
        shelf.close()

    def known(at: int) -> list[StoredKey]:
        return next(keys for since, keys in reversed(history) if since <= at)

    turns = sorted({NOW} | {turn for one in history[-1][1] for turn in (one.active_from, one.expires_at) if turn})
    anywhere = data.draw(
        some.tuples(some.sampled_from(turns), some.integers(-LONGEST, LONGEST), some.integers(0, LONGEST))
    )
    at_turns = ((turn, offset, seen) for turn in turns for offset in (-1, 0, 1) for seen in (0, LONGEST))
    for turn, offset, seen_after in (anywhere, *at_turns):
        cut_at = max(NOW, turn + offset)
        cut = kid(token(known(cut_at - NOTICED), cut_at))
        for remembered in (0, REMEMBERED):
            fetched_at = cut_at + seen_after - remembered
            assert cut in published(known(fetched_at - NOTICED), fetched_at)
            assert cut in published(known(fetched_at), fetched_at)


def _happen(shelf: Shelf, event: str, now: int) -> None:
    cupboard = shelf.at(now)
    match event:
        case "rotate":
            shelf.do(rotate_key(cupboard, "ES256", AHEAD))
        case "hurry":
            shelf.do(rotate_key(cupboard, "ES256", LEAST_AHEAD))
        case "tick":
            shelf.do(rotate_who_is_due(cupboard, 2 * DAY))
        case _:
            live = [one for one in shelf.hung() if one.expires_at is None or one.expires_at > now]
            with suppress(UsageError):  # the last key that signs is not retired
                shelf.do(retire_key(cupboard, live[0].kid))


def test_a_key_is_rotated_when_its_time_has_come_and_not_before(shelf: Shelf) -> None:
    period = 90 * DAY
    assert shelf.do(rotate_who_is_due(shelf.at(NOW + period - AHEAD - 1), period)) == []
    (fresh,) = shelf.do(rotate_who_is_due(shelf.at(NOW + period - AHEAD), period))  # type: ignore[misc]
    assert fresh.active_from == NOW + period
    assert shelf.do(rotate_who_is_due(shelf.at(NOW + period), period)) == []
    assert len(shelf.hung()) == 2


def test_of_several_nodes_one_rotates(shelf: Shelf) -> None:
    async def at_once() -> list[list[StoredKey]]:
        cupboard = shelf.at(NOW + 90 * DAY)
        return await asyncio.gather(*(rotate_who_is_due(cupboard, 90 * DAY) for _ in range(8)))

    fresh = shelf.do(at_once())
    assert sum(len(one) for one in fresh) == 1  # type: ignore[attr-defined]
    assert len(shelf.hung()) == 2


def test_every_kind_of_key_is_rotated_by_itself(shelf: Shelf) -> None:
    kinds = [("RS256", "id"), ("RS256", "access"), ("ECDH-ES", "")]
    for alg, purpose in kinds:
        shelf.do(shelf.memory.put_keys([make(alg, SEAL, now=NOW, active_from=NOW + 5, purpose=purpose)]))
    fresh = shelf.do(rotate_who_is_due(shelf.at(NOW + 90 * DAY), 90 * DAY))
    assert {(one.alg, one.purpose) for one in fresh} == {*kinds, ("ES256", "")}  # type: ignore[attr-defined]
    ends = {(one.alg, one.purpose): one.expires_at for one in shelf.hung() if one.created_at == NOW}
    assert None not in ends.values()


def test_a_revoked_key_is_published_and_believed_no_more_and_another_signs(shelf: Shelf) -> None:
    (stolen,) = shelf.hung()
    forged = token([stolen], NOW + 10)
    shelf.do(revoke_key(shelf.at(NOW + 20), stolen.kid[:8]))
    keys = shelf.hung()
    assert stolen.kid not in published(keys, NOW + 20)
    with pytest.raises(Exception, match="retired"):
        Ring(keys, SEAL).read(forged, "at+jwt", NOW + 20)
    assert kid(token(keys, NOW + 20)) in published(keys, NOW + 20)


def test_where_another_key_signs_already_none_is_made(shelf: Shelf) -> None:
    (old,) = shelf.hung()
    shelf.do(rotate_key(shelf.at(NOW), "ES256", LEAST_AHEAD))
    gone, fresh = shelf.do(revoke_key(shelf.at(NOW + LEAST_AHEAD), old.kid))  # type: ignore[misc]
    assert (gone.kid, fresh) == (old.kid, None)


def test_a_key_that_waits_for_its_turn_is_no_replacement(shelf: Shelf) -> None:
    (old,) = shelf.hung()
    shelf.do(rotate_key(shelf.at(NOW), "ES256", AHEAD))
    _, fresh = shelf.do(revoke_key(shelf.at(NOW + 1), old.kid))  # type: ignore[misc]
    assert kid(token(shelf.hung(), NOW + 1)) == fresh.kid


def test_the_last_key_is_not_retired(shelf: Shelf) -> None:
    (only,) = shelf.hung()
    with pytest.raises(UsageError, match="no other key signs ES256"):
        shelf.do(retire_key(shelf.at(NOW), only.kid))


def test_a_key_that_is_unknown_or_gone_is_told(shelf: Shelf) -> None:
    (only,) = shelf.hung()
    for name in ("nobody", ""):
        with pytest.raises(UsageError, match="no keys begin with"):
            shelf.do(revoke_key(shelf.at(NOW), name))
    shelf.do(shelf.memory.put_keys([structs.replace(only, expires_at=NOW - 1)]))
    with pytest.raises(UsageError, match="withdrawn already"):
        shelf.do(revoke_key(shelf.at(NOW), only.kid))
