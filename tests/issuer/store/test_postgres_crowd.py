"""What many ask of PostgreSQL at once: who travels with whom, and that nobody pays for what another did."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

import pytest

from innkeeper.issuer.core import effects as fx
from innkeeper.issuer.store import postgres_crowd
from innkeeper.issuer.store.opening import open_store
from innkeeper.issuer.store.port import RealmStore
from innkeeper.issuer.store.postgres_crowd import LANES, MOST_TOGETHER, Crowd, Crowds, Values
from innkeeper.issuer.store.postgres_effects import place_in_a_crowd
from innkeeper.issuer.store.postgres_pool import Pool
from innkeeper.protocol.refusals import Unreachable
from tests.issuer.core.facts import GRANT, NOW
from tests.issuer.store.suite import code, outcomes, refresh
from tests.postgres import TABLES, Postgres


def held(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


class Trips:
    """Trips that end when they are told to, and bring everybody their own values in capitals."""

    def __init__(self) -> None:
        self.under_way: list[tuple[Sequence[Values], asyncio.Future[None]]] = []
        self.sizes: list[int] = []
        self.most = 0

    async def __call__(self, crowd: Sequence[Values]) -> Sequence[object]:
        end = asyncio.get_running_loop().create_future()
        self.under_way.append((crowd, end))
        self.sizes.append(len(crowd))
        self.most = max(self.most, len(self.under_way))
        try:
            await end
        finally:
            self.under_way = [one for one in self.under_way if one[1] is not end]
        return [str(one[0]).upper() for one in crowd]

    async def arrive(self) -> None:
        """Let the first trip come back, and whoever waits depart."""
        await asyncio.sleep(0)
        self.under_way[0][1].set_result(None)
        for _ in range(3):
            await asyncio.sleep(0)


async def departed() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def test_who_comes_in_the_same_turn_travels_together_and_gets_their_own_answer() -> None:
    async def work() -> None:
        crowd = Crowd(trips := Trips())
        answers = [crowd.join((name,)) for name in "abc"]
        await departed()
        await trips.arrive()
        assert await asyncio.gather(*answers) == ["A", "B", "C"]
        assert trips.sizes == [3]

    held(work())


def test_who_comes_while_all_lanes_are_taken_travels_with_the_next() -> None:
    async def work() -> None:
        crowd, answers = Crowd(trips := Trips()), []
        for number in range(LANES):
            answers.append(crowd.join((f"first {number}",)))
            await departed()
        answers += [crowd.join((f"late {number}",)) for number in range(MOST_TOGETHER + 1)]
        await departed()
        assert trips.sizes == [1] * LANES
        await trips.arrive()
        assert trips.sizes == [1] * LANES + [MOST_TOGETHER]
        while trips.under_way:
            await trips.arrive()
        assert trips.sizes == [1] * LANES + [MOST_TOGETHER, 1]
        assert await asyncio.gather(*answers) == [
            *(f"FIRST {number}" for number in range(LANES)),
            *(f"LATE {number}" for number in range(MOST_TOGETHER + 1)),
        ]

    held(work())


def test_a_crowd_of_many_takes_every_lane_at_once() -> None:
    async def work() -> None:
        crowd = Crowd(trips := Trips())
        answers = [crowd.join((str(number),)) for number in range(MOST_TOGETHER * LANES * 2)]
        await departed()
        assert trips.sizes == [MOST_TOGETHER] * LANES
        while trips.under_way:
            await trips.arrive()
        assert await asyncio.gather(*answers) == [str(number) for number in range(MOST_TOGETHER * LANES * 2)]
        assert (len(trips.sizes), trips.most) == (LANES * 2, LANES)

    held(work())


def test_changes_go_in_the_order_of_their_places() -> None:
    async def work() -> None:
        crowd = Crowd(trips := Trips())
        answers = [crowd.join((name,), place) for name, place in (("x", "3"), ("y", "1"), ("z", "2"))]
        await departed()
        assert [one[0] for one in trips.under_way[0][0]] == ["y", "z", "x"]
        await trips.arrive()
        assert await asyncio.gather(*answers) == ["X", "Y", "Z"]

    held(work())


def test_whoever_gives_up_leaves_the_others_their_answers() -> None:
    async def work() -> None:
        crowd = Crowd(trips := Trips())
        before, on_the_way, stays = (crowd.join((name,)) for name in "abc")
        before.cancel()
        await departed()
        on_the_way.cancel()
        assert trips.sizes == [2]
        await trips.arrive()
        assert await stays == "C"

    held(work())


def test_a_trip_that_fails_fails_for_each_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async def trip(_: Sequence[Values]) -> Sequence[object]:
        raise Unreachable("the database cannot be reached")

    async def work() -> None:
        crowd = Crowd(trip)
        told = await asyncio.gather(*(crowd.join((name,)) for name in "abc"), return_exceptions=True)
        assert [str(one) for one in told] == ["the database cannot be reached"] * 3
        assert len({id(one) for one in told}) == 3
        assert await outcomes([crowd.join(("d",))]) == [Unreachable], "its lane is free again"

    held(work())


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_crowd, "PATIENCE", 0.01)

    async def work() -> None:
        crowd = Crowd(trips := Trips())
        first = [crowd.join((str(number),)) for number in range(MOST_TOGETHER * LANES)]
        late = crowd.join(("late",))
        with pytest.raises(Unreachable, match="too busy"):
            await late
        while trips.under_way:
            await trips.arrive()
        assert await asyncio.gather(*first) == [str(number) for number in range(MOST_TOGETHER * LANES)]
        again = crowd.join(("again",))
        await departed()
        await trips.arrive()
        assert await again == "AGAIN"

    held(work())


@pytest.mark.parametrize("seed", range(20))
def test_however_many_come_and_give_up_nobody_is_forgotten_and_no_lane_is_lost(seed: int) -> None:
    chance = random.Random(seed)

    async def trip(crowd: Sequence[Values]) -> Sequence[object]:
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        if chance.random() < 0.2:
            raise Unreachable("lost")
        return [one[0] for one in crowd]

    async def work() -> None:
        crowd, asked = Crowd(trip), {}
        for number in range(500):
            asked[number] = crowd.join((number,))
            if chance.random() < 0.1:
                asked[chance.randrange(number + 1)].cancel()
            if chance.random() < 0.1:
                await asyncio.sleep(0)
        told = await asyncio.gather(*asked.values(), return_exceptions=True)
        for number, answer in enumerate(told):
            assert answer == number or isinstance(answer, (Unreachable, asyncio.CancelledError))
        await departed()
        assert (crowd._free, crowd._under_way, bool(crowd._line)) == (LANES, set(), False)

    held(work())


def test_effects_share_a_transaction_only_where_one_row_of_them_may_be_anothers() -> None:
    spend = fx.SpendRefreshToken(b"old", b"new", NOW)
    assert place_in_a_crowd((spend, fx.AddRefreshToken(refresh("new")))) == b"old".hex()
    assert place_in_a_crowd((fx.AddRefreshToken(refresh("new")), fx.SpendCode(b"c", NOW))) == b"c".hex()
    assert place_in_a_crowd((fx.AddOnce("dpop", "jti", NOW),)) == "dpop jti"
    assert place_in_a_crowd((fx.RevokeToken("jti", NOW),)) == "jti"
    assert place_in_a_crowd((fx.AddGrant(GRANT), fx.AddRefreshToken(refresh("new")))) == ""
    for alone in (
        (spend, fx.AddOnce("dpop", "jti", NOW)),
        (spend, spend),
        (fx.RevokeGrant("g", NOW),),
        (fx.PutEntry("tries", "ada", b"", NOW, 1),),
        (spend, fx.RevokeGrant("g", NOW)),
        (fx.TellNodes(),),
    ):
        assert place_in_a_crowd(alone) is None, alone


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    made = postgres.new_database(TABLES)
    yield made
    postgres.drop(made)


def on(url: str, nodes: int, work: Callable[..., Coroutine[Any, Any, None]]) -> None:
    """Do it with the realm of several nodes on one database."""

    async def done() -> None:
        stores = [await open_store(url) for _ in range(nodes)]
        try:
            await work(*(store.realm("r") for store in stores))
        finally:
            for store in stores:
                store.close()

    held(done())


def test_in_a_crowd_each_is_made_or_refused_for_itself(url: str) -> None:
    async def work(realm: RealmStore) -> None:
        await asyncio.gather(*(realm.commit((fx.AddCode(code(str(n))),)) for n in range(50)))
        spent = (n for n in range(50) if n % 7 == 0)
        await asyncio.gather(*(realm.commit((fx.SpendCode(code(str(n)).digest, NOW),)) for n in spent))
        came = await outcomes(
            realm.commit((fx.SpendCode(code(str(n)).digest, NOW + 1), fx.AddRefreshToken(refresh(str(n), f"g{n}"))))
            for n in range(60)
        )
        good = [n for n in range(50) if n % 7]
        assert [n for n, outcome in enumerate(came) if outcome is type(None)] == good
        assert {came[n] for n in range(60) if n not in good} == {fx.Lost}
        for n in range(50):
            found = await realm.code(code(str(n)).digest)
            assert found is not None
            assert found.spent_at == (NOW + 1 if n in good else NOW)

    on(url, 1, work)


def test_a_value_that_no_database_takes_fails_alone(url: str) -> None:
    async def work(realm: RealmStore) -> None:
        names = ["a", "lone surrogate \ud800", "b"]
        made = await outcomes(realm.commit((fx.RevokeToken(name, NOW),)) for name in names)
        assert [one is type(None) for one in made] == [True, False, True]
        found = await asyncio.gather(*(realm.token_is_revoked(name) for name in names), return_exceptions=True)
        assert [one is True for one in found] == [True, False, True]

    on(url, 1, work)


def test_crowds_of_two_nodes_that_want_the_same_in_other_orders_have_one_winner_each_and_wait_for_no_deadlock(
    url: str, postgres: Postgres
) -> None:
    async def work(one: RealmStore, other: RealmStore) -> None:
        for turn in range(10):
            codes = [code(f"{turn} {n}") for n in range(MOST_TOGETHER)]
            await one.commit([fx.AddCode(each) for each in codes])
            took: Sequence[Sequence[type]] = await asyncio.gather(
                outcomes(one.commit((fx.SpendCode(each.digest, NOW),)) for each in codes),
                outcomes(other.commit((fx.SpendCode(each.digest, NOW),)) for each in reversed(codes)),
            )
            for here, there in zip(took[0], reversed(took[1]), strict=True):
                assert {here, there} == {type(None), fx.Lost}

    on(url, 2, work)
    deadlocks = postgres.sql(f"SELECT deadlocks FROM pg_stat_database WHERE datname='{url.rpartition('/')[2]}'")
    assert deadlocks == "0"


def test_many_share_a_few_trips(url: str) -> None:
    async def work() -> None:
        pool, trips = Pool(url, 10), [0, 0]
        read, write = pool.read, pool.write

        async def counted_read(asked: Any) -> Any:
            trips[0] += 1
            return await read(asked)

        async def counted_write(asked: Any) -> Any:
            trips[1] += 1
            return await write(asked)

        pool.read, pool.write = counted_read, counted_write  # type: ignore[method-assign]
        crowds = Crowds(pool)
        try:
            sql = "INSERT INTO revoked_tokens VALUES ($1, $2, $3)"
            await asyncio.gather(*(crowds.change(sql, ("r", str(n), n), str(n)) for n in range(160)))
            sql = "SELECT expires_at FROM revoked_tokens WHERE realm=$1 AND jti=$2"
            found = await asyncio.gather(*(crowds.row(sql, ("r", str(n))) for n in range(170)))
        finally:
            pool.close()
        assert found == [(n,) for n in range(160)] + [None] * 10
        assert trips == [11, 10]

    held(work())
