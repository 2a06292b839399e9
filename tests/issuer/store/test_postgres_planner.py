"""PostgreSQL finds a row by its key in tables that it has never looked at, as on an issuer's first day."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest
from msgspec.structs import replace

from innkeeper.issuer.core import effects as fx
from innkeeper.issuer.store import postgres_planner
from innkeeper.issuer.store.opening import open_store
from innkeeper.issuer.store.schema import NOTHING, SCHEMA_VERSION
from innkeeper.issuer.store.upgrading import upgrade
from tests.issuer.core.facts import ADA, CODE, GRANT, NOW, SESSION, digest
from tests.issuer.store.suite import refresh
from tests.issuer.store.test_postgres import name_of
from tests.postgres import Postgres

MANY = 300

FEW = 40
"""Uses of an index that are not looked at: a connection plans a statement anew the first five times, each time for its values alone."""


def test_no_look_up_and_no_change_reads_through_a_realm(postgres: Postgres) -> None:
    """Plans are made while the tables are empty, and kept: the server's own counts say what was read by them."""
    url = postgres.new_database()
    asyncio.run(upgrade(url))
    for table in postgres.sql(
        "SELECT relname FROM pg_class WHERE relkind='r' AND relnamespace='public'::regnamespace", name_of(url)
    ).split():
        postgres.sql(f"ALTER TABLE {table} SET (autovacuum_enabled = false)", name_of(url))
    for realm in ("native", "pool"):
        asyncio.run(a_first_day(url, realm))
    read = dict(asyncio.run(most_read(url)))
    assert read
    assert {index: rows for index, rows in read.items() if rows > 3} == {}
    postgres.drop(url)


def test_nodes_that_come_at_once_to_an_empty_database_lose_nothing_of_each_others(postgres: Postgres) -> None:
    """Rows are put in and taken out again for the planner: by whoever makes the tables, before anybody sees them."""
    url = postgres.new_database()

    async def come(node: int) -> None:
        await upgrade(url)
        store = await open_store(url)
        await store.realm("native").commit((fx.RevokeToken(f"by {node}", NOW),))
        store.close()

    async def all_at_once() -> None:
        await asyncio.gather(*map(come, range(8)))

    asyncio.run(all_at_once())
    assert postgres.sql("SELECT string_agg(jti, ',' ORDER BY jti) FROM revoked_tokens", name_of(url)) == ",".join(
        f"by {node}" for node in range(8)
    )
    postgres.drop(url)


def test_a_service_that_cannot_be_taught_has_its_tables_all_the_same(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_planner, "_COLUMNS", "SELECT what, nobody FROM has WHERE $1 = ''")
    url = postgres.new_database()
    assert asyncio.run(upgrade(url)) == (NOTHING, SCHEMA_VERSION)
    assert postgres.sql("SELECT count(*) FROM grants", name_of(url)) == "0"
    postgres.drop(url)


async def a_first_day(url: str, realm: str) -> None:
    store = await open_store(url)
    inn = store.realm(realm)
    for at in range(MANY):
        await inn.put_person(replace(ADA, sub=f"sub {at}", username=f"ada {at}"))
        assert await inn.person(f"sub {at}")
        assert await inn.person_named(f"ada {at}")
        grant = replace(GRANT, id=f"grant {at}", sub=f"sub {at}", session_id=f"session {at}")
        session = replace(SESSION, digest=digest(f"session {at}"), id=f"session {at}", sub=f"sub {at}")
        code = replace(CODE, digest=digest(f"code {at}"), grant=grant)
        await inn.commit((fx.AddSession(session),))
        await inn.commit((fx.AddCode(code),))
        assert await inn.code(code.digest)
        await inn.commit(
            (fx.SpendCode(code.digest, NOW), fx.AddGrant(grant), fx.AddRefreshToken(refresh(f"{at}", grant.id)))
        )
        assert await inn.refresh_token(digest(f"{at}"))
        spend = fx.SpendRefreshToken(digest(f"{at}"), digest(f"next {at}"), NOW)
        await inn.commit((spend, fx.AddRefreshToken(refresh(f"next {at}", grant.id))))
        assert await inn.session(session.digest)
        assert len(await inn.sessions(session.sub)) == 1
        assert await inn.grant(grant.id)
        assert len(await inn.grants(grant.sub)) == 1
        assert (await inn.standing(f"jti {at}", grant.id, grant.sub)).grant
        await inn.commit((fx.RevokeToken(f"jti {at}", NOW),))
        await inn.commit((fx.RevokeGrant(grant.id, NOW),))
        await inn.commit((fx.EndSession(session.id, NOW),))
    store.close()


async def most_read(url: str) -> Sequence[tuple[str, float]]:
    """Each index that was used, and the entries that were read of it each time, on average."""
    db = await asyncpg.connect(url)
    try:
        for _ in range(100):  # the server counts what a connection did when it has gone
            if await db.fetchval("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()") == 1:
                break
            await asyncio.sleep(0.05)
        found = await db.fetch(
            "SELECT indexrelname, idx_tup_read::float / idx_scan FROM pg_stat_user_indexes WHERE idx_scan > $1", FEW
        )
    finally:
        await db.close()
    return [(one[0], one[1]) for one in found]
