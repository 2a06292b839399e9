"""Places in a pool: how those who wait for a connection get one, give up, or are told that there is none."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import pytest

from innkeeper.issuer.store import postgres_pool
from innkeeper.issuer.store.postgres_pool import Places
from innkeeper.protocol.refusals import Unreachable


def held(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 10))


async def settled() -> None:
    """Let everybody who can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_whoever_waited_longest_is_next() -> None:
    async def work() -> None:
        places, served = Places(1), list[int]()

        async def guest(number: int) -> None:
            await places.take()
            served.append(number)

        await places.take()
        waiting = [asyncio.create_task(guest(number)) for number in range(3)]
        for number in range(3):
            await settled()
            assert served == list(range(number))
            places.leave()
        await asyncio.gather(*waiting)

    held(work())


@pytest.mark.parametrize("given", [False, True], ids=["before its turn", "in its turn"])
def test_whoever_gives_up_takes_no_place_with_them(given: bool) -> None:
    async def work() -> None:
        places = Places(1)
        await places.take()
        left, stays = asyncio.create_task(places.take()), asyncio.create_task(places.take())
        await settled()
        if given:
            places.leave()
            left.cancel()
        else:
            left.cancel()
            places.leave()
        await stays
        assert left.cancelled()
        places.leave()
        await places.take()

    held(work())


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_pool, "PATIENCE", 0.01)

    async def work() -> None:
        places = Places(1)
        await places.take()
        told = await asyncio.gather(*(places.take() for _ in range(3)), return_exceptions=True)
        assert [str(one) for one in told] == ["every connection to the database is busy"] * 3
        assert all(isinstance(one, Unreachable) for one in told)
        places.leave()
        await places.take()

    held(work())


def test_one_who_gave_up_and_one_who_was_late_leave_the_count_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_pool, "PATIENCE", 0.01)

    async def work() -> None:
        places = Places(2)
        await places.take()
        await places.take()
        gone, late = asyncio.create_task(places.take()), asyncio.create_task(places.take())
        await settled()
        gone.cancel()
        with pytest.raises(Unreachable):
            await late
        places.leave()
        places.leave()
        await places.take()
        await places.take()
        with pytest.raises(Unreachable):
            await places.take()

    held(work())


@pytest.mark.parametrize("seed", range(20))
def test_however_many_come_and_give_up_there_are_never_more_inside_and_no_place_is_lost(seed: int) -> None:
    chance = random.Random(seed)

    async def work() -> None:
        places, inside, most = Places(5), 0, 0

        async def guest() -> None:
            nonlocal inside, most
            await places.take()
            try:
                inside += 1
                most = max(most, inside)
                for _ in range(chance.randrange(3)):
                    await asyncio.sleep(0)
            finally:
                inside -= 1
                places.leave()

        guests = [asyncio.create_task(guest()) for _ in range(64)]
        for _ in range(40):
            await asyncio.sleep(0)
            chance.choice(guests).cancel()
        await asyncio.gather(*guests, return_exceptions=True)
        assert (most, inside) == (5, 0)
        for _ in range(5):
            await places.take()
        late = asyncio.create_task(places.take())
        await settled()
        assert not late.done(), "a sixth place"
        late.cancel()

    held(work())
