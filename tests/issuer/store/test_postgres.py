"""The PostgreSQL engine: the shared suite on a real server, and what is its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import asyncpg
import pytest

from innkeeper.issuer.core import effects as fx
from innkeeper.issuer.store import postgres_news, postgres_pool
from innkeeper.issuer.store.opening import open_store
from innkeeper.issuer.store.port import Store
from innkeeper.protocol.refusals import Unreachable
from tests.issuer.core.facts import CODE, NOW, SHOP
from tests.issuer.store.everything import everything
from tests.issuer.store.suite import Open, StoreSuite, done_with_thread, run
from tests.postgres import TABLES, Postgres


@pytest.fixture(scope="class")
def database(postgres: Postgres) -> Iterator[str]:
    """A database with the tables in it."""
    made = postgres.new_database(TABLES)
    yield made
    postgres.drop(made)


@pytest.fixture
def url(postgres: Postgres, database: str) -> Iterator[str]:
    """The same, emptied after each test: that takes less time than another one."""
    yield database
    tables = (
        "SELECT string_agg(tablename, ', ') FROM pg_tables WHERE schemaname='public' AND tablename <> 'alembic_version'"
    )
    postgres.sql(f"TRUNCATE {postgres.sql(tables, name_of(database))}", name_of(database))


@pytest.fixture
def opened(url: str) -> Iterator[Open]:
    """Opens the database once more; everything is closed at the end."""
    stores: list[Store] = []

    def open_once_more() -> Store:
        stores.append(run(open_store(url)))
        return stores[-1]

    yield open_once_more
    for store in stores:
        store.close()


class TestPostgres(StoreSuite):
    @pytest.fixture
    def open_store(self, opened: Open) -> Open:
        return opened


class TestPostgresThatKnowsOneLevelOnly(StoreSuite):
    """Distributed services often know SERIALIZABLE alone: there, races end in failures that have to be tried again."""

    @pytest.fixture
    def open_store(self, opened: Open) -> Open:
        return opened

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def one_level(cls, postgres: Postgres, database: str) -> None:
        postgres.sql(f"ALTER DATABASE {name_of(database)} SET default_transaction_isolation = 'serializable'")


def name_of(url: str) -> str:
    return url.rpartition("/")[2]


async def waits(store: Store) -> float:
    """How long news took."""
    begun = time.monotonic()
    await store.news()
    return time.monotonic() - begun


# Hearing of changes


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes do not look by themselves for as long as any test runs."""
    monkeypatch.setattr(postgres_news, "LOOK_EVERY", 600.0)


@pytest.mark.usefixtures("patient")
def test_a_node_hears_at_once_of_what_another_changes(opened: Open) -> None:
    mine, theirs = opened(), opened()

    async def change_while_waiting() -> None:
        await mine.news()  # begins to listen, and takes that for news
        before = await mine.version()
        waiting = asyncio.ensure_future(mine.news())
        for change in (theirs.realm("r").put_client(SHOP), theirs.realm("r").commit((fx.RemoveClient(SHOP.id, NOW),))):
            await change
            await asyncio.wait_for(waiting, 30)
            assert await mine.version() != before
            before, waiting = await mine.version(), asyncio.ensure_future(mine.news())
        await theirs.realm("r").commit((fx.AddCode(CODE),))
        assert not waiting.done(), "nobody keeps codes in memory"
        waiting.cancel()

    run(change_while_waiting())


@pytest.mark.usefixtures("patient")
def test_a_node_that_was_cut_off_listens_again_and_looks(opened: Open, postgres: Postgres, url: str) -> None:
    mine = opened()

    async def cut_off() -> None:
        await mine.news()
        await asyncio.to_thread(postgres.cut, name_of(url))
        assert await waits(mine) < 300

    run(cut_off())


def test_a_node_to_which_nobody_says_anything_looks_by_itself(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_news, "LOOK_EVERY", 0.05)
    mine = opened()

    async def look_in_vain() -> None:
        await mine.news()
        assert await waits(mine) < 5

    run(look_in_vain())


# A server that lets go of us


def test_look_ups_go_on_after_every_connection_was_cut_and_a_commit_is_made_or_said_to_be_in_doubt(
    opened: Open, postgres: Postgres, url: str
) -> None:
    realm = opened().realm("r")
    run(realm.commit((fx.AddCode(CODE),)))
    postgres.cut(name_of(url))
    assert run(realm.code(CODE.digest)) == CODE
    postgres.cut(name_of(url))
    with suppress(Unreachable):
        run(realm.commit((fx.SpendCode(CODE.digest, NOW),)))
    with suppress(fx.Lost):
        run(realm.commit((fx.SpendCode(CODE.digest, NOW),)))
    found = run(realm.code(CODE.digest))
    assert found is not None
    assert found.spent_at == NOW


def test_a_row_that_is_held_is_waited_for_so_long_and_no_longer(
    opened: Open, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgres_pool._SETTINGS, "lock_timeout", "100")
    realm = opened().realm("r")
    run(realm.commit((fx.AddCode(CODE),)))

    async def held() -> None:
        holder = await asyncpg.connect(url)
        async with holder.transaction():
            await holder.execute("SELECT 1 FROM codes FOR UPDATE")
            with pytest.raises(Unreachable, match="lock timeout"):
                await realm.commit((fx.SpendCode(CODE.digest, NOW),))
        await holder.close()
        await realm.commit((fx.SpendCode(CODE.digest, NOW),))

    run(held())


def test_a_burst_shares_the_connections_there_are(url: str, postgres: Postgres) -> None:
    async def burst() -> int:
        store = await open_store(url, 3)
        await asyncio.gather(*(store.realm("r").sessions(str(n)) for n in range(200)))
        sql = f"SELECT count(*) FROM pg_stat_activity WHERE datname='{name_of(url)}' AND application_name='innkeeper'"
        open_now = int(await asyncio.to_thread(postgres.sql, sql))
        store.close()
        return open_now

    assert run(burst()) == 3
    done_with_thread()


def test_every_record_is_found_by_an_index_so_that_ten_million_cost_what_ten_do(url: str) -> None:
    async def plans() -> dict[str, str]:
        store = await open_store(url)
        asked: dict[str, tuple[object, ...]] = {}
        pool = store._pool
        whole = pool._done

        async def noted(work: Callable[[Any], Awaitable[Any]], again: Any) -> Any:
            return await whole(lambda db: work(Noting(db, asked)), again)

        pool._done = noted
        await everything(store.realm("r"))
        pool._done = whole
        probe = await asyncpg.connect(url)
        await probe.execute("SET enable_seqscan = off")
        found = {
            sql: "\n".join(row[0] for row in await probe.fetch(f"EXPLAIN {sql}", *values))
            for sql, values in asked.items()
        }
        await probe.close()
        store.close()
        return found

    found = run(plans())
    done_with_thread()
    assert len(found) > 40
    assert {sql for sql, plan in found.items() if "Seq Scan" in plan} == set()


class Noting:
    """A connection that notes what it is asked."""

    def __init__(self, db: Any, asked: dict[str, tuple[object, ...]]) -> None:
        self._db = db
        self._asked = asked
        self.transaction = db.transaction

    async def fetch(self, sql: str, *values: object) -> Any:
        self._asked[sql] = values
        return await self._db.fetch(sql, *values)

    async def execute(self, sql: str, *values: object) -> Any:
        self._asked[sql] = values
        return await self._db.execute(sql, *values)

    async def fetchmany(self, sql: str, each: Sequence[Sequence[object]]) -> Any:
        self._asked[sql] = tuple(each[0])
        return await self._db.fetchmany(sql, each)
