"""Every version's tables come forward to those of today, with what is in them; older and newer ones are not worked on."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from innkeeper.issuer.store.looking import look
from innkeeper.issuer.store.opening import open_store
from innkeeper.issuer.store.schema import SCHEMA_VERSION, statements
from innkeeper.issuer.store.sqlite import SqliteStore
from innkeeper.issuer.store.upgrading import bring_up, upgrade
from innkeeper.protocol.refusals import Unreachable, UsageError
from tests.issuer.core.facts import SHOP
from tests.postgres import Postgres

SCHEMAS = Path(__file__).parent / "schemas"
RELEASED = sorted(int(file.stem.partition("-")[2]) for file in SCHEMAS.glob("sqlite-*.sql"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "innkeeper.db"


def made_as(file: Path, version: int) -> None:
    """A file as the innkeeper of that version made it, with a row in it."""
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        for statement in (SCHEMAS / f"sqlite-{version}.sql").read_text("utf-8").split(";\n"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version={version}")
        db.execute("INSERT INTO notes VALUES ('r', 'kept', 'yes')")


def tables_of(file: Path) -> tuple[object, ...]:
    """Everything about a file's tables, as it is written in the file."""
    with closing(sqlite3.connect(file)) as db:
        version = db.execute("PRAGMA user_version").fetchone()
        step = db.execute("SELECT version_num FROM alembic_version").fetchall()
        columns = 'SELECT m.name, c.name, c.type, c."notnull", c.pk FROM sqlite_master m, pragma_table_info(m.name) c'
        plans = db.execute("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY 1, 2").fetchall()
        indexes = db.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type='index' ORDER BY 1").fetchall()
        return version, step, sorted(db.execute(columns)), plans, indexes


TABLES_OF_POSTGRES = """
    SELECT table_name, column_name, data_type, is_nullable, collation_name FROM information_schema.columns
    WHERE table_schema = 'public' ORDER BY 1, 2;
    SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2;
    SELECT * FROM alembic_version
"""


def test_todays_tables_are_kept_for_tomorrows_tests() -> None:
    """Whoever changes the tables gives them a new version, a step that leads there, and a copy for this test."""
    for engine, name in (("sqlite", "schema.sql"), ("postgres", "postgres.sql")):
        kept = (SCHEMAS / f"{engine}-{SCHEMA_VERSION}.sql").read_text("utf-8")
        assert [one for one in kept.split(";\n") if one.strip()] == statements(name)
    assert list(range(1, SCHEMA_VERSION + 1)) == RELEASED


@pytest.mark.parametrize("version", RELEASED)
def test_every_versions_file_comes_forward_to_the_tables_of_a_new_one(file: Path, version: int) -> None:
    made_as(file, version)
    assert asyncio.run(upgrade(str(file))) == (version, SCHEMA_VERSION)
    assert asyncio.run(upgrade(str(file))) == (SCHEMA_VERSION, SCHEMA_VERSION)
    new = file.with_name("new.db")
    assert asyncio.run(upgrade(str(new))) == (0, SCHEMA_VERSION)
    assert tables_of(file) == tables_of(new)
    store = SqliteStore(file)
    assert asyncio.run(store.realm("r").note("kept")) == "yes"
    store.close()


def test_an_older_file_is_refused_untouched_with_the_command_that_helps(file: Path) -> None:
    made_as(file, 1)
    before = file.read_bytes()
    with pytest.raises(UsageError, match=r"schema version 1, .*innkeeper db upgrade"):
        SqliteStore(file)
    assert file.read_bytes() == before
    asyncio.run(bring_up(str(file)))
    SqliteStore(file).close()


def test_an_upgrade_that_fails_leaves_everything_as_it_was(file: Path) -> None:
    made_as(file, 1)
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE alembic_version (version_num TEXT)")
        db.execute("INSERT INTO alembic_version VALUES ('another program''s')")
        db.commit()
    before = file.read_bytes()
    with pytest.raises(UsageError, match="cannot be brought up"):
        asyncio.run(upgrade(str(file)))
    assert file.read_bytes() == before


def test_a_newer_database_is_not_brought_down(file: Path, postgres: Postgres) -> None:
    asyncio.run(upgrade(str(file)))
    with closing(sqlite3.connect(file)) as db:
        db.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    url = postgres.new_database("tables")
    postgres.sql(f"UPDATE alembic_version SET version_num='{SCHEMA_VERSION + 1}'", url.rpartition("/")[2])
    for address in (str(file), url):
        for work in (upgrade, open_store):
            with pytest.raises(UsageError, match="newer innkeeper"):
                asyncio.run(work(address))


# PostgreSQL


def test_an_empty_postgres_is_refused_until_its_tables_are_made_by_however_many(postgres: Postgres) -> None:
    url = postgres.new_database()
    with pytest.raises(UsageError, match=r"no tables yet.*innkeeper db upgrade"):
        asyncio.run(open_store(url))

    async def everybody() -> list[tuple[int, int]]:
        return await asyncio.gather(*(upgrade(url) for _ in range(8)))

    assert set(asyncio.run(everybody())) <= {(0, SCHEMA_VERSION), (SCHEMA_VERSION, SCHEMA_VERSION)}
    asyncio.run(opened_and_used(url))


async def opened_and_used(url: str) -> None:
    store = await open_store(url)
    await store.realm("r").put_client(SHOP)
    assert await store.realm("r").client(SHOP.id) == SHOP
    store.close()


@pytest.mark.parametrize("version", RELEASED)
def test_every_versions_postgres_comes_forward_to_the_tables_of_a_new_one(postgres: Postgres, version: int) -> None:
    """There was none before version 2: what is tried of version 1 is that its step can be taken."""
    url = postgres.new_database()
    name = url.rpartition("/")[2]
    postgres.sql((SCHEMAS / f"postgres-{max(version, 2)}.sql").read_text("utf-8"), name)
    postgres.sql(f"UPDATE alembic_version SET version_num='{version}'", name)
    postgres.sql("INSERT INTO notes VALUES ('r', 'kept', 'yes')", name)
    assert asyncio.run(upgrade(url)) == (version, SCHEMA_VERSION)
    new = postgres.new_database("tables").rpartition("/")[2]
    assert postgres.sql(TABLES_OF_POSTGRES, name) == postgres.sql(TABLES_OF_POSTGRES, new)
    assert postgres.sql("SELECT text FROM notes", name) == "yes"


# What people are told


def test_a_look_tells_the_version_and_what_is_unsafe(file: Path, postgres: Postgres) -> None:
    assert asyncio.run(look(str(file))).version == 0
    assert not file.exists(), "a look makes nothing"
    asyncio.run(upgrade(f"sqlite:///{file}"))
    found = asyncio.run(look(str(file)))
    assert (found.name, found.version, found.bytes > 0) == (str(file), SCHEMA_VERSION, True)
    found = asyncio.run(look(postgres.new_database("tables")))
    assert (found.version, found.engine.startswith("PostgreSQL 1")) == (SCHEMA_VERSION, True)
    assert any("fsync is off" in one for one in found.warnings), "the server of these tests is fast and unsafe"


SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        (f"mysql://inn:{SECRET}@db/inn", "mysql is not known"),
        (f"postgresql:///inn?password={SECRET}", "write postgresql://user:password@host:5432/name"),
        (f"postgresql://inn:{SECRET}@[::1/inn", "write postgresql://user:password@host:5432/name"),
        (f"postgresql://inn:{SECRET}@127.0.0.1:1/inn", "cannot be reached"),
    ],
)
def test_what_is_wrong_with_an_address_is_told_without_its_password(address: str, complaint: str) -> None:
    with pytest.raises((UsageError, Unreachable), match=complaint) as refused:
        asyncio.run(open_store(address))
    assert SECRET not in str(refused.value)
