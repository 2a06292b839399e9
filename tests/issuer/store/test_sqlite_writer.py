"""Commits that share a transaction: each happens wholly or not at all, whatever becomes of the others."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from innkeeper.issuer.store.sqlite_turn import Turn
from innkeeper.issuer.store.sqlite_writer import Writer

Work = Callable[[sqlite3.Connection], object]


class Slow(Exception):
    """What a job of these tests fails with."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "kept.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE kept (name TEXT PRIMARY KEY)")
    return path


@pytest.fixture
def writer(file: Path) -> Iterator[Writer]:
    made = Writer(sqlite3.connect(file, isolation_level=None, check_same_thread=False), file)
    yield made
    made.close()


def kept(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as db:
        return [name for (name,) in db.execute("SELECT name FROM kept ORDER BY name")]


def put(name: str, *, fails: bool = False) -> Work:
    def work(db: sqlite3.Connection) -> str:
        db.execute("INSERT INTO kept VALUES (?)", (name,))
        if fails:
            raise Slow(name)
        return name

    return work


def together(writer: Writer, file: Path, *jobs: Work) -> list[object]:
    """What comes of jobs that wait for the turn to write, and so are done in one transaction."""

    async def ask() -> list[object]:
        with Turn(file):
            asked = [asyncio.ensure_future(writer.write(one)) for one in jobs]
            await asyncio.sleep(0.05)
        return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(ask())


def test_those_that_fail_are_undone_and_the_others_are_there(writer: Writer, file: Path) -> None:
    jobs = [put("a"), put("b", fails=True), put("c"), put("d", fails=True), put("e")]
    answers = together(writer, file, *jobs)
    assert [one if isinstance(one, str) else type(one) for one in answers] == ["a", Slow, "c", Slow, "e"]
    assert kept(file) == ["a", "c", "e"]


def test_one_that_fails_alone_is_undone(writer: Writer, file: Path) -> None:
    (answer,) = together(writer, file, put("a", fails=True))
    assert isinstance(answer, Slow)
    assert kept(file) == []


def test_a_later_one_sees_what_an_earlier_one_did_and_not_what_was_undone(writer: Writer, file: Path) -> None:
    answers = together(writer, file, put("a", fails=True), put("b"), put("b"), put("a"))
    assert [type(one) for one in answers] == [Slow, str, sqlite3.IntegrityError, str]
    assert kept(file) == ["a", "b"]


def test_a_batch_wakes_its_loop_once(writer: Writer, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    woken = list[object]()

    async def ask() -> list[object]:
        loop = asyncio.get_running_loop()
        wake = loop.call_soon_threadsafe
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda call, *told: (woken.append(call), wake(call, *told)))
        with Turn(file):
            asked = [asyncio.ensure_future(writer.write(put(name))) for name in "abcdefgh"]
            await asyncio.sleep(0.05)
        return await asyncio.gather(*asked)

    assert asyncio.run(ask()) == list("abcdefgh")
    assert len(woken) <= 2  # the first may have been taken up alone
    assert kept(file) == list("abcdefgh")


def test_what_was_asked_by_a_loop_that_is_gone_harms_nobody(writer: Writer, file: Path) -> None:
    async def ask_and_go() -> None:
        asked = asyncio.ensure_future(writer.write(put("a")))
        await asyncio.sleep(0)
        asked.cancel()

    with Turn(file):
        asyncio.run(ask_and_go())
    assert together(writer, file, put("b")) == ["b"]
    assert kept(file) == ["a", "b"]
