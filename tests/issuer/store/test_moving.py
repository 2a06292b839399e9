"""A database moves from engine to engine and back, whole, or not at all; and is copied while others work on it."""

from __future__ import annotations

import asyncio
import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from innkeeper.issuer.core import effects as fx
from innkeeper.issuer.core.records import Resource
from innkeeper.issuer.store.moving import backup, export_all, import_all
from innkeeper.issuer.store.opening import open_store
from innkeeper.issuer.store.port import RealmStore
from innkeeper.issuer.store.sqlite import SqliteStore
from innkeeper.issuer.store.tables import TABLES
from innkeeper.issuer.store.upgrading import upgrade
from innkeeper.protocol.refusals import UsageError
from tests.issuer.core.facts import ADA, APP, CODE, CONSENT, GRANT, NOW, REFRESH, SESSION, SHOP, digest
from tests.issuer.store.suite import KEY, refresh
from tests.postgres import TABLES as FURNISHED
from tests.postgres import Postgres

STRANGE = "ä\0🗝\x1a\x1a0\\n"


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "innkeeper.db")


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    made = postgres.new_database(FURNISHED)
    yield made
    postgres.drop(made)


async def fill(realm: RealmStore) -> None:
    """Something in every table, some of it changed since."""
    await realm.put_client(replace(SHOP, name=STRANGE))
    await realm.put_client(replace(APP, unused_until=NOW))
    await realm.put_resource(Resource("https://a.example", "A"))
    await realm.put_person(replace(ADA, username=f"ada{STRANGE}"))
    await realm.put_keys([KEY])
    await realm.put_secret("s", b"\0sealed")
    await realm.put_note("n", STRANGE)
    await realm.commit((fx.AddSession(SESSION), fx.GiveConsent(CONSENT), fx.AddGrant(GRANT), fx.AddCode(CODE)))
    await realm.commit((fx.AddRefreshToken(REFRESH), fx.RevokeToken("j", NOW), fx.AddOnce("k", STRANGE, NOW)))
    await realm.commit((fx.PutCredential(ADA.sub, "passkey", "c", b"\xff"), fx.SpendCode(CODE.digest, NOW)))
    spent = fx.SpendRefreshToken(REFRESH.digest, digest("next"), NOW)
    await realm.commit((spent, fx.AddRefreshToken(refresh("next")), fx.EndSession(SESSION.id, NOW)))


async def filled(address: str) -> None:
    store = await open_store(address)
    for name in ("native", f"realm {STRANGE}"):
        await fill(store.realm(name))
    store.close()


def exported(address: str) -> bytes:
    to = io.BytesIO()
    asyncio.run(export_all(address, to))
    return to.getvalue()


def imported(address: str, text: bytes) -> dict[str, int]:
    return asyncio.run(import_all(address, io.BytesIO(text)))


def rows(text: bytes) -> list[bytes]:
    return sorted(text.splitlines())


def test_from_a_file_to_postgres_and_back_everything_is_as_it_was(file: str, url: str) -> None:
    asyncio.run(filled(file))
    first = exported(file)
    counts = imported(url, first)
    assert set(counts) == set(TABLES)
    assert all(counts.values()), "something of every table"
    second = exported(url)
    assert rows(second) == rows(first)
    back = f"{file}.back"
    imported_after_upgrade(back, second)
    assert rows(exported(back)) == rows(first)
    for address in (url, back):
        asyncio.run(is_all_there(address))


def imported_after_upgrade(address: str, text: bytes) -> None:
    asyncio.run(upgrade(address))
    imported(address, text)


async def is_all_there(address: str) -> None:
    store = await open_store(address)
    realm = store.realm(f"realm {STRANGE}")
    assert await realm.client(SHOP.id) == replace(SHOP, name=STRANGE)
    assert await realm.person_named(f"ADA{STRANGE}") == replace(ADA, username=f"ada{STRANGE}")
    assert await realm.note("n") == STRANGE
    assert (await realm.keys(), await realm.secret("s")) == ([KEY], b"\0sealed")
    found = await realm.refresh_token(REFRESH.digest)
    assert found is not None
    assert (found.token.successor, found.grant) == (digest("next"), replace(GRANT, revoked_at=NOW))
    with pytest.raises(fx.Lost):
        await realm.commit((fx.AddOnce("k", STRANGE, NOW),))
    store.close()


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_what_is_not_whole_is_not_taken_at_all(file: str, url: str, engine: str) -> None:
    asyncio.run(filled(file))
    text = exported(file)
    lines = text.splitlines(keepends=True)
    target = url if engine == "postgres" else f"{file}.new"
    asyncio.run(upgrade(target))
    empty = exported(target)
    broken = {
        "cut short": b"".join(lines[:-1]),
        "a row lost": b"".join([*lines[:3], *lines[4:]]),
        "a row doubled": b"".join([*lines[:3], lines[2], *lines[3:]]),
        "cut in a row": text[: len(text) // 2],
        "no export": b"hello\n",
        "nothing": b"",
        "another schema": text.replace(b'{"innkeeper_export":', b'{"innkeeper_export":9', 1),
        "another table": b"".join([lines[0], b'["recipes",["a"]]\n', *lines[1:]]),
        "something after the end": text + lines[1],
    }
    for what, document in broken.items():
        with pytest.raises(UsageError):
            imported(target, document)
        assert rows(exported(target)) == rows(empty), what
    imported(target, text)
    with pytest.raises(UsageError, match="already"):
        imported(target, text)
    assert rows(exported(target)) == rows(text)


def test_every_column_of_every_table_is_copied(file: str, url: str, postgres: Postgres) -> None:
    SqliteStore(Path(file)).close()
    with closing(sqlite3.connect(file)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        ours = {name for name in names if not name.startswith("sqlite_") and name != "alembic_version"}
        in_file = {name: {row[1] for row in db.execute(f"PRAGMA table_info({name})")} for name in ours}
    listed = postgres.sql(
        "SELECT table_name || '.' || column_name FROM information_schema.columns "
        "WHERE table_schema='public' AND table_name <> 'alembic_version'",
        url.rpartition("/")[2],
    )
    known = {name: set(columns) for name, columns in TABLES.items()}
    assert in_file == known
    assert set(listed.split()) == {f"{name}.{column}" for name, columns in known.items() for column in columns}


def test_a_file_is_backed_up_while_it_is_written_to(file: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    store = SqliteStore(Path(file))
    realm = store.realm("r")

    async def work() -> int:
        await fill(realm)
        copying = asyncio.create_task(asyncio.to_thread(backup, file, copy))
        done = 0
        while not copying.done():
            await realm.commit((fx.AddOnce("a", str(done), NOW), fx.AddOnce("b", str(done), NOW)))
            done += 1
        await copying
        return done

    assert asyncio.run(work()) > 0
    store.close()
    with closing(sqlite3.connect(copy)) as probe:
        kept = {
            kind: {key for (key,) in probe.execute("SELECT key FROM entries WHERE kind=?", (kind,))} for kind in "ab"
        }
    assert kept["a"] == kept["b"], "no half of a commit"
    assert copy.stat().st_mode & 0o077 == 0, "nobody else reads it"
    again = SqliteStore(copy)
    assert asyncio.run(again.realm("r").client(SHOP.id)) is not None
    again.close()


def test_a_backup_overwrites_nothing_and_is_not_for_postgres(file: str, url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there already"):
        backup(file, tmp_path)
    with pytest.raises(UsageError, match="pg_dump"):
        backup(url, tmp_path / "copy.db")
