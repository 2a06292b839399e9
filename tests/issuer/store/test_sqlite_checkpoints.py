"""The log of a SQLite file goes back into the file beside the writer, and nothing of it is ever at stake."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from innkeeper.issuer.core import effects as fx
from innkeeper.issuer.store import sqlite_checkpoints
from innkeeper.issuer.store.sqlite import SqliteStore
from innkeeper.issuer.store.sqlite_checkpoints import EVERY
from tests.issuer.core.facts import NOW
from tests.issuer.store.suite import run

REALM = "r"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "innkeeper.db"


def test_what_was_committed_comes_into_the_file_while_the_store_is_open(file: Path) -> None:
    with closing(SqliteStore(file)) as store:
        run(revoke(store, EVERY))
        assert soon(lambda: copied(file) >= EVERY)


def test_few_rows_wait_in_the_log(file: Path) -> None:
    with closing(SqliteStore(file)) as store:
        run(revoke(store, EVERY // 2))
        time.sleep(0.2)
        assert copied(file) == 0
        assert kept(file) == EVERY // 2


def test_a_disk_that_does_not_take_it_stops_neither_the_writer_nor_the_next_copy(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def broken(descriptor: int) -> None:
        asked.append(descriptor)
        raise OSError(5, "Input/output error")

    with closing(SqliteStore(file)) as store:
        monkeypatch.setattr(sqlite_checkpoints, "_to_disk", broken)
        run(revoke(store, EVERY))
        assert soon(lambda: bool(asked))
        monkeypatch.undo()
        run(revoke(store, EVERY, "later"))
        assert soon(lambda: copied(file) == 2 * EVERY)


def test_several_stores_on_one_file_lose_nothing(file: Path) -> None:
    stores = [SqliteStore(file) for _ in range(3)]

    async def all_write() -> None:
        await asyncio.gather(*(revoke(store, 4 * EVERY, f"of {at}") for at, store in enumerate(stores)))

    run(all_write())
    for store in stores:
        store.close()
    with closing(sqlite3.connect(file)) as probe:
        assert probe.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert kept(file) == 3 * 4 * EVERY


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX alone takes locks away so")
def test_a_store_that_closes_leaves_another_of_the_same_process_its_locks(file: Path) -> None:
    """Whoever may leave the log behind for good is alone with the file: while a store is open, nobody is."""
    first, second = SqliteStore(file), SqliteStore(file)
    run(revoke(first, EVERY))
    assert soon(lambda: copied(file) == EVERY)
    first.close()
    assert "locked" in leave_the_log_behind(file)
    run(revoke(second, 1, "still"))
    second.close()
    assert leave_the_log_behind(file) == "delete"
    assert kept(file) == EVERY + 1


async def revoke(store: SqliteStore, count: int, name: str = "token") -> None:
    realm = store.realm(REALM)
    together: Sequence[fx.Effect] = [fx.RevokeToken(f"{name} {at}", NOW) for at in range(count)]
    for one in together:
        await realm.commit((one,))


def kept(file: Path) -> int:
    with closing(sqlite3.connect(file)) as probe:
        return int(probe.execute("SELECT count(*) FROM revoked_tokens").fetchone()[0])


def copied(file: Path) -> int:
    """Rows in the file itself, without its log. Another process reads it: if this one did, closing it would take its locks away."""
    return int(elsewhere(_COPIED, file) or 0)


def leave_the_log_behind(file: Path) -> str:
    """What another process is told that wants the file for itself, without a log."""
    return elsewhere(_ALONE, file)


def elsewhere(program: str, file: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)], capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout.strip()


_COPIED = """
import sqlite3, sys
try:
    file = sqlite3.connect(f"file:{sys.argv[1]}?immutable=1", uri=True)
    print(file.execute("SELECT count(*) FROM revoked_tokens").fetchone()[0])
except sqlite3.DatabaseError:  # in the middle of a copy
    pass
"""

_ALONE = """
import sqlite3, sys
try:
    print(sqlite3.connect(sys.argv[1], timeout=0).execute("PRAGMA journal_mode=DELETE").fetchone()[0])
except sqlite3.OperationalError as error:
    print(error)
"""


def soon(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
