"""Who may write to a SQLite file, of several processes."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]


class Turn:
    """The turn to write among processes on one file, in a queue of the kernel's.

    SQLite would have one writer at a time by itself, but whoever waits looks again now and then, ever more seldom, and is
    overtaken: with two busy processes, one commit in a hundred took most of a second.
    """

    def __init__(self, file: Path) -> None:
        self._lock: int | None = None
        with suppress(OSError):  # without it, SQLite's own way remains
            self._lock = os.open(f"{file}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> None:
        if self._lock is not None and fcntl is not None:
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        if self._lock is not None and fcntl is not None:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
