"""The SQLite engine: the shared suite, and what a file on a disk can do to it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import pytest
from msgspec.structs import replace

from innkeeper.issuer.core import effects as fx
from innkeeper.issuer.store.sqlite import SCHEMA_VERSION, SqliteStore
from innkeeper.issuer.store.sqlite_turn import Turn
from innkeeper.protocol.refusals import Unreachable, UsageError
from tests.issuer.core.facts import CODE, NOW, SHOP, digest
from tests.issuer.store.everything import CHANGES, everything
from tests.issuer.store.suite import Open, StoreSuite, code, outcomes, run

ROOT = Path(__file__).parents[3]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "innkeeper.db"


@pytest.fixture
def opened(file: Path) -> Iterator[Open]:
    """Opens the file once more; everything is closed at the end."""
    stores: list[SqliteStore] = []

    def open_once_more() -> SqliteStore:
        stores.append(SqliteStore(file))
        return stores[-1]

    yield open_once_more
    for store in stores:
        store.close()


class TestSqlite(StoreSuite):
    @pytest.fixture
    def open_store(self, opened: Open) -> Open:
        return opened


def test_a_commit_is_on_the_disk_before_it_is_acknowledged(opened: Open, file: Path) -> None:
    run(opened().realm("r").put_client(SHOP))
    with sqlite3.connect(file) as probe:
        assert probe.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    probe.close()
    store = opened()
    assert isinstance(store, SqliteStore)
    assert store._writer._connection.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"


def test_commits_that_arrive_together_share_one_transaction(opened: Open, file: Path) -> None:
    store = opened()
    assert isinstance(store, SqliteStore)
    begun: list[str] = []
    store._writer._connection.set_trace_callback(lambda sql: begun.append(sql) if sql.startswith("BEGIN") else None)

    async def many() -> list[type]:
        return await outcomes(store.realm("r").commit((fx.AddCode(code(str(n))),)) for n in range(200))

    assert set(run(many())) == {type(None)}
    assert 1 <= len(begun) < 20


def test_processes_that_start_at_once_on_no_file_all_open(file: Path) -> None:
    start = Barrier(8)

    def start_up(_: int) -> SqliteStore:
        start.wait()
        return SqliteStore(file)

    with ThreadPoolExecutor(8) as threads:
        stores = list(threads.map(start_up, range(8)))
    run(stores[0].realm("r").put_client(SHOP))
    assert [run(store.realm("r").client("shop")) for store in stores] == [SHOP] * 8
    for store in stores:
        store.close()


def test_every_record_is_found_by_an_index_so_that_ten_million_cost_what_ten_do(opened: Open) -> None:
    assert {type(effect) for effect in CHANGES} == set(fx.Effect.__subclasses__())
    store = opened()
    assert isinstance(store, SqliteStore)
    asked: list[str] = []
    connections = (store._reading, store._writer._connection)
    for connection in connections:
        connection.set_trace_callback(asked.append)
    run(everything(store.realm("r")))
    for connection in connections:
        connection.set_trace_callback(None)
    statements = [sql for sql in asked if sql.lstrip().startswith(("SELECT", "UPDATE", "DELETE", "INSERT"))]
    assert len(statements) > 40
    steps = {(sql, step[3]) for sql in statements for step in store._reading.execute(f"EXPLAIN QUERY PLAN {sql}")}
    a_row_of_nothing = ("SCAN CONSTANT ROW", "SCAN 2 CONSTANT ROWS", "SCAN one")  # (SELECT 1) one
    through_all = {one for one in steps if one[1].startswith("SCAN") and one[1] not in a_row_of_nothing}
    resources = "INSERT INTO resources"  # each node has all of them in memory: there are few
    through_the_realm = {one for one in steps if one[1].endswith("(realm=?)") and not one[0].startswith(resources)}
    assert (through_all, through_the_realm) == (set(), set())


# Files that are not to be touched


def untouched(file: Path, complaint: str) -> None:
    """Opening is refused with one line that names the file and what is wrong, and not a byte changes."""
    before = file.read_bytes()
    with pytest.raises(UsageError, match=complaint) as refused:
        SqliteStore(file)
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert file.read_bytes() == before
    left = {one.name for one in file.parent.iterdir()} - {
        file.name,
        *(f"{file.name}-{part}" for part in ("wal", "shm", "turn")),
    }
    assert left == set()


def filled(file: Path) -> None:
    """A database with a few hundred rows, closed."""
    store = SqliteStore(file)
    realm = store.realm("r")
    run(realm.commit(tuple(fx.AddCode(code(f"{n} {'x' * 200}")) for n in range(300))))
    store.close()


def test_a_database_of_a_newer_innkeeper_is_refused_untouched(file: Path) -> None:
    filled(file)
    with sqlite3.connect(file) as newer:
        newer.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    newer.close()
    untouched(file, "newer innkeeper")


@pytest.mark.parametrize("text", [b"not a database at all", b"SQLite format 3\0" + b"\xff" * 4096, os.urandom(8192)])
def test_a_file_that_is_no_database_is_refused_untouched(file: Path, text: bytes) -> None:
    file.write_bytes(text)
    untouched(file, "cannot be used")


def test_a_damaged_database_is_refused_untouched(file: Path) -> None:
    filled(file)
    whole = file.read_bytes()
    middle = len(whole) // 2 // 4096 * 4096
    file.write_bytes(whole[:middle] + b"\xde\xad" * 4096 + whole[middle + 8192 :])
    untouched(file, "cannot be used")


def test_a_database_cut_short_is_refused_untouched(file: Path) -> None:
    filled(file)
    file.write_bytes(file.read_bytes()[:-8192])
    untouched(file, "cannot be used")


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_another_programs_database_is_refused_untouched(file: Path, mode: str) -> None:
    with sqlite3.connect(file) as theirs:
        theirs.execute(f"PRAGMA journal_mode={mode}")
        theirs.execute("CREATE TABLE recipes (name TEXT)")
    theirs.close()
    untouched(file, "another program")


def test_an_empty_file_becomes_a_database(file: Path) -> None:
    file.touch()
    SqliteStore(file).close()
    assert file.stat().st_size > 0


@pytest.mark.parametrize("place", ["missing/innkeeper.db", "."])
def test_a_place_where_no_file_can_be_is_a_usage_error(tmp_path: Path, place: str) -> None:
    with pytest.raises(UsageError, match="cannot be used"):
        SqliteStore(tmp_path / place)


@contextmanager
def without_rights() -> Iterator[None]:
    """For a test run as root: to whom no folder is closed."""
    root = os.geteuid() == 0
    os.seteuid(65534 if root else os.geteuid())
    try:
        yield
    finally:
        os.seteuid(0 if root else os.geteuid())


@pytest.mark.parametrize("there", [True, False], ids=["with a database", "without one"])
def test_a_folder_that_cannot_be_written_is_a_usage_error(there: bool) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        if there:
            filled(folder / "innkeeper.db")
        folder.chmod(0o555)
        with without_rights(), pytest.raises(UsageError, match=r"cannot be used.*Make its folder writable"):
            SqliteStore(folder / "innkeeper.db")
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


# A world that fails while we run


def test_a_full_disk_is_the_worlds_failure_and_loses_nothing(opened: Open) -> None:
    store = opened()
    assert isinstance(store, SqliteStore)
    realm = store.realm("r")
    run(realm.commit((fx.AddCode(CODE),)))
    writing = store._writer._connection
    pages = writing.execute("PRAGMA page_count").fetchone()[0]
    writing.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(Unreachable, match="full"):
        run(realm.commit((fx.SpendCode(CODE.digest, NOW), fx.PutEntry("k", "x", b"x" * 100_000, NOW))))
    assert run(realm.code(CODE.digest)) == CODE, "nothing of a commit that failed stays"
    run(realm.commit((fx.SpendCode(CODE.digest, NOW),)))
    writing.execute("PRAGMA max_page_count=1000000")
    run(realm.commit((fx.PutEntry("k", "x", b"x" * 100_000, NOW),)))
    assert run(realm.code(CODE.digest)) == replace(CODE, spent_at=NOW)


def test_a_database_that_is_damaged_while_open_is_the_worlds_failure(file: Path, opened: Open) -> None:
    filled(file)
    store = opened()
    realm = store.realm("r")
    with file.open("r+b") as disk:
        disk.seek(4096)
        disk.write(b"\xff" * (file.stat().st_size - 4096))
    run(opened_beside(file))
    with pytest.raises(Unreachable):
        run(realm.code(digest("unknown")))
    with pytest.raises(Unreachable):
        run(realm.commit((fx.SpendCode(b"unknown", NOW),)))


async def opened_beside(file: Path) -> None:
    """Another process changes the file, so that what is kept in memory of it is read anew."""
    other = sqlite3.connect(file)
    other.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    other.commit()
    other.close()


def test_a_store_that_was_closed_says_so_at_once(file: Path) -> None:
    store = SqliteStore(file)
    realm = store.realm("r")
    run(realm.put_client(SHOP))
    store.close()
    with pytest.raises(Unreachable):
        run(asyncio.wait_for(realm.put_client(SHOP), 5))
    with pytest.raises(Unreachable):
        run(realm.client("shop"))


def test_closing_finishes_what_was_asked(file: Path) -> None:
    store = SqliteStore(file)

    async def ask_and_close() -> list[type]:
        realm = store.realm("r")
        asked = [asyncio.ensure_future(realm.commit((fx.AddCode(code(str(n))),))) for n in range(50)]
        await asyncio.sleep(0)
        store.close()
        return await outcomes(asked)

    assert run(ask_and_close()) == [type(None)] * 50
    again = SqliteStore(file)
    assert all(run(again.realm("r").code(digest(str(n)))) for n in range(50))
    again.close()


def test_a_caller_that_gives_up_harms_nobody(opened: Open) -> None:
    realm = opened().realm("r")

    async def some_give_up() -> list[type]:
        asked = [asyncio.ensure_future(realm.commit((fx.AddCode(code(str(n))),))) for n in range(20)]
        await asyncio.sleep(0)
        for one in asked[::2]:
            one.cancel()
        return await outcomes(asked)

    assert run(some_give_up())[1::2] == [type(None)] * 10
    run(realm.commit((fx.AddCode(code("after")),)))


# Other processes


def child(script: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python process beside ours that answers on its standard output."""
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)


RACER = """
import asyncio, sys
from pathlib import Path
from innkeeper.issuer.core.effects import Lost, SpendCode
from innkeeper.issuer.store.sqlite import SqliteStore

async def race(realm):
    asked = (realm.commit((SpendCode(bytes([n]), 1),)) for n in range(32) for _ in range(32))
    return await asyncio.gather(*asked, return_exceptions=True)

store = SqliteStore(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
ends = asyncio.run(race(store.realm("r")))
assert all(end is None or isinstance(end, Lost) for end in ends), ends
print(" ".join(str(at // 32) for at, end in enumerate(ends) if end is None))
store.close()
"""


def test_two_processes_that_spend_the_same_codes_never_both_win(file: Path, opened: Open) -> None:
    realm = opened().realm("r")
    run(realm.commit(tuple(fx.AddCode(replace(CODE, digest=bytes([n]))) for n in range(32))))
    racers = [child(RACER, str(file)) for _ in range(2)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    wins = [int(n) for racer in racers for n in racer.communicate(timeout=30)[0].split()]
    assert [racer.returncode for racer in racers] == [0, 0]
    assert sorted(wins) == list(range(32)), "each code was spent once, by one of the two"


WRITER = """
import asyncio, itertools, sys
from pathlib import Path
from innkeeper.issuer.core.effects import AddOnce
from innkeeper.issuer.store.sqlite import SqliteStore

store = SqliteStore(Path(sys.argv[1]))
realm, numbers = store.realm("r"), itertools.count(int(sys.argv[2]))

async def write():
    for n in numbers:
        await realm.commit((AddOnce("a", str(n), 1), AddOnce("b", str(n), 1)))
        print(n, flush=True)

async def everyone():
    await asyncio.gather(*(write() for _ in range(16)))

asyncio.run(everyone())
"""


def test_a_process_killed_while_writing_loses_nothing_it_acknowledged(file: Path) -> None:
    acknowledged: list[str] = []
    for turn in range(4):
        writer = child(WRITER, str(file), str(turn * 1_000_000))
        assert writer.stdout is not None
        acknowledged += [writer.stdout.readline().strip() for _ in range(50 + 70 * turn)]
        writer.kill()
        acknowledged += writer.communicate()[0].split()
        assert writer.returncode == -9
    with sqlite3.connect(file) as probe:
        assert probe.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows: dict[str, set[str]] = {"a": set(), "b": set()}
        for kind, key in probe.execute("SELECT kind, key FROM entries"):
            rows[kind].add(key)
    probe.close()
    assert set(acknowledged) <= rows["a"]
    assert rows["a"] == rows["b"], "half of a commit was kept"
    SqliteStore(file).close()


def test_a_process_waits_for_its_turn_and_does_together_what_came_in_meanwhile(opened: Open, file: Path) -> None:
    store = opened()
    assert isinstance(store, SqliteStore)
    realm = store.realm("r")
    begun: list[str] = []
    store._writer._connection.set_trace_callback(lambda sql: begun.append(sql) if sql.startswith("BEGIN") else None)
    another = Turn(file)

    async def wait_for_it() -> None:
        with another:
            asked = [asyncio.ensure_future(realm.commit((fx.AddCode(code(str(n))),))) for n in range(50)]
            done, _ = await asyncio.wait(asked, timeout=0.05)
            assert (done, begun) == (set(), []), "it is not our turn"
        await asyncio.gather(*asked)

    run(wait_for_it())
    another.close()
    assert len(begun) == 1
