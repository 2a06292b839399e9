"""Copying SQLite's write-ahead log back into its file, beside the writer.

Left to itself, SQLite does this in the commit that comes to the thousandth page: it copies all of them, to places far apart where the
file is large, and waits for the disk, some fifteen milliseconds, while nobody else may commit. Here a thread copies and
flushes while commits go on. Only for what came in the meantime, a few pages, it takes the writers' turn.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from innkeeper.issuer.store.sqlite_turn import Turn

EVERY = 250
"""Rows that this process changes until the log is copied: some four hundred pages of refresh tokens."""

LOG_PAGES = 4000
"""Pages of the log, 16 MB, at which the writer copies them itself: this thread could not keep up, or is not allowed to."""

_ROUNDS = 2
"""Each round copies and flushes what came during the one before; after two, few pages are left."""


class Checkpoints:
    """A thread with a connection of its own."""

    def __init__(self, connection: sqlite3.Connection, file: Path) -> None:
        self._connection = connection
        self._file = file
        self._turn = Turn(file)
        self._waiting = 0
        self._closed = False
        self._due = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sqlite-checkpoints", daemon=True)
        self._thread.start()

    def after(self, changed: int) -> None:
        """The writer has committed, and has changed so many rows."""
        self._waiting += changed
        if self._waiting >= EVERY:
            self._waiting = 0
            self._due.set()

    def close(self) -> None:
        self._closed = True
        self._due.set()
        self._thread.join()
        self._connection.close()
        self._turn.close()

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._closed:
                return
            # a full disk, or a broken one: the log stays, and whoever writes is told
            with suppress(sqlite3.Error, OSError):
                self._copy()

    def _copy(self) -> None:
        for _ in range(_ROUNDS):
            if not self._pass():
                return
            _flush(self._file)
        with self._turn:
            self._pass()

    def _pass(self) -> bool:
        """Copy what is in the log by now. False where another process is about it."""
        busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return not busy


def _flush(file: Path) -> None:
    """Have the disk write what was copied. SQLite does so itself only where nobody has committed meanwhile, and by then there
    is less to do."""
    if os.name == "nt":  # there, a file that is open cannot be removed
        return
    about = file.stat()
    with _opening:
        descriptor = _descriptors.get((about.st_dev, about.st_ino))
        if descriptor is None:
            descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
            _descriptors[about.st_dev, about.st_ino] = descriptor
    _to_disk(descriptor)


_to_disk = getattr(os, "fdatasync", os.fsync)

_opening = threading.Lock()

_descriptors: dict[tuple[int, int], int] = {}
"""By device and inode, and never closed: when a process closes any descriptor of a file, POSIX takes away all locks that it has on
it, SQLite's as well. Not SQLite's own either: an error of the disk's is told to each descriptor once, and SQLite has to hear of it."""
