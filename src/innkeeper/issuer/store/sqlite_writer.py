"""One writer for a SQLite file: commits that arrive together share one transaction, and so one fsync."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

import msgspec

from innkeeper.issuer.store.sqlite_turn import Turn
from innkeeper.issuer.store.waiting import settle
from innkeeper.protocol.refusals import Unreachable

Work = Callable[[sqlite3.Connection], object]

_MOST_TOGETHER = 512


class _Job(msgspec.Struct, frozen=True):
    work: Work
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[object]


class Writer:
    """A thread that owns the writing connection. Each job happens wholly or not at all."""

    def __init__(
        self, connection: sqlite3.Connection, file: Path, committed: Callable[[int], None] = lambda _: None
    ) -> None:
        """``committed`` is told how many rows each batch changed, once those who asked are told."""
        self._connection = connection
        self._committed = committed
        self._turn = Turn(file)
        self._closed = False
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def write(self, work: Work) -> object:
        """Run ``work`` in a transaction; return its result once that is durable. Its exception is raised here. ``work`` may be
        run twice, the first time in vain: it touches nothing but the connection."""
        if self._closed:
            raise Unreachable("the database was closed")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[object] = loop.create_future()
        self._jobs.put(_Job(work, loop, answer))
        return await answer

    def close(self) -> None:
        """Finish what was asked, then close the connection. Nothing can be asked from here on."""
        self._closed = True
        self._jobs.put(None)
        self._thread.join()
        self._connection.close()
        self._turn.close()

    def _run(self) -> None:
        while True:
            first = self._jobs.get()
            if first is None:
                return
            with self._turn:  # what else is asked for while we wait for it is done together
                batch, last = self._batch(first)
                self._commit(batch)
            if last:
                return

    def _batch(self, first: _Job) -> tuple[list[_Job], bool]:
        batch: list[_Job] = []
        job: _Job | None = first
        while job is not None:
            batch.append(job)
            if len(batch) == _MOST_TOGETHER:
                return batch, False
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return batch, False
        return batch, True

    def _commit(self, batch: Sequence[_Job]) -> None:
        before = self._connection.total_changes
        try:
            answers = self._together(batch)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
            answers = [Unreachable(f"the database did not take a write: {error}")] * len(batch)
        _tell(batch, answers)
        self._committed(self._connection.total_changes - before)

    def _together(self, batch: Sequence[_Job]) -> list[object]:
        """The jobs' results, in a transaction that is left open. Where one of them fails all are done anew, each by itself:
        few do, and a savepoint for each costs as much as a job."""
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            return [job.work(self._connection) for job in batch]
        except Exception as error:
            if _is_the_files(error):
                raise
        execute("ROLLBACK")
        execute("BEGIN IMMEDIATE")
        return [self._try(job) for job in batch]

    def _try(self, job: _Job) -> object:
        """The job's result, or its exception as a value after undoing what it did."""
        execute = self._connection.execute
        execute("SAVEPOINT job")
        try:
            result = job.work(self._connection)
        except Exception as error:
            if _is_the_files(error):
                raise
            execute("ROLLBACK TO job")
            result = error
        execute("RELEASE job")
        return result


def _is_the_files(error: Exception) -> bool:
    """Whether the database failed (full, locked, damaged), and not this one job."""
    return isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError


def _tell(batch: Sequence[_Job], answers: Sequence[object]) -> None:
    """Wake each loop that asked, once for all that it asked for."""
    told: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[object], object]]] = {}
    for job, answer in zip(batch, answers, strict=True):
        told.setdefault(job.loop, []).append((job.answer, answer))
    for loop, settled in told.items():
        with suppress(RuntimeError):  # The asking loop is closed: nobody is left to be told.
            loop.call_soon_threadsafe(_settle_all, settled)


def _settle_all(settled: Sequence[tuple[asyncio.Future[object], object]]) -> None:
    for future, answer in settled:
        settle(future, answer)
