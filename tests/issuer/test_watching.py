"""A running issuer takes up what other processes change, forgets what has expired, and goes on through trouble."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from innkeeper.issuer.core.effects import AddOnce
from innkeeper.issuer.desk.key_care import Cupboard, rotate_key
from innkeeper.issuer.desk.registry import rotate_secret
from innkeeper.issuer.store import sqlite
from innkeeper.issuer.store.sqlite import SqliteStore
from innkeeper.protocol.refusals import UsageError
from tests.issuer.house import House
from tests.issuer.visitor import ROBOT


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """One that looks for changes whenever nothing else is to be done."""
    monkeypatch.setattr(sqlite, "LOOK_EVERY", 0)
    made = House(tmp_path)
    yield made
    made.close()


def watched(house: House, until: Callable[[], bool]) -> None:
    """Watch until something has come about; fails after many looks without it."""

    async def watch() -> None:
        async with house.issuer.watched():
            for _ in range(2000):
                if until():
                    return
                await asyncio.sleep(0)
        raise AssertionError("it never came about")

    house.run(watch())


def test_a_secret_that_another_process_changed_counts_without_a_restart(house: House, tmp_path: Path) -> None:
    other = House(tmp_path, clock=house.clock)
    form = {"grant_type": "client_credentials", "client_id": "robot"}
    assert house.token({"grant_type": "client_credentials", **ROBOT}).status == 200
    secret = other.run(rotate_secret(other.issuer.realm, "robot", 0))
    ring = house.issuer.realm.ring
    watched(house, lambda: house.issuer.realm.ring is not ring)
    assert house.token({**form, "client_secret": secret}).status == 200
    assert house.token({"grant_type": "client_credentials", **ROBOT}).json["error"] == "invalid_client"
    other.close()


def test_a_key_that_another_process_made_is_published_without_a_restart(house: House, tmp_path: Path) -> None:
    other = House(tmp_path, clock=house.clock)
    fresh = other.run(rotate_key(Cupboard.of(other.issuer.realm), "ES256", 300))
    watched(house, lambda: fresh.kid in {key["kid"] for key in house.issuer.realm.ring.published(house.clock())})
    other.close()


def test_what_expired_a_day_ago_is_forgotten_and_what_expired_today_is_not(house: House) -> None:
    store, now = house.issuer.realm.store, house.clock()
    house.run(store.commit((AddOnce("k", "old", now - 86_401), AddOnce("k", "new", now - 86_399))))
    reading = house.issuer._store
    assert isinstance(reading, SqliteStore)

    def kept() -> set[str]:
        return {key for (key,) in reading._reading.execute("SELECT key FROM entries WHERE kind='k'")}

    watched(house, lambda: "old" not in kept())
    assert kept() == {"new"}


def test_trouble_while_looking_is_told_and_the_next_look_is_fine(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    realm = house.issuer.realm
    whole = realm.reload
    looks = iter((UsageError("a key does not open"), None))
    taken_up: list[bool] = []

    async def reload() -> None:
        trouble = next(looks, None)
        if trouble:
            raise trouble
        taken_up.append(True)
        await whole()

    monkeypatch.setattr(realm, "reload", reload)
    store = house.issuer._store
    versions = iter(range(10_000))

    async def version() -> int:
        return next(versions)

    monkeypatch.setattr(store, "version", version)
    with caplog.at_level(logging.WARNING):
        watched(house, lambda: bool(taken_up))
    assert "a key does not open" in caplog.text
