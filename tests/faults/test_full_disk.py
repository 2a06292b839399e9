"""The disk that holds the database, SQLite's file or PostgreSQL's folder, is full, while clients are at work; then there is
room again.

What is proved: whoever wants something written is told 503 with Retry-After, whatever needs no writing is answered, and
once there is room everything goes on without help; nothing that was acknowledged is lost, doubled or falsely revoked.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.faults.families import Family, begin_families, cut_codes, furnish
from tests.faults.history import Clients, History
from tests.faults.nodes import nodes
from tests.postgres import FAST, Postgres, postgres


@contextmanager
def disk_of(size: str) -> Iterator[Path]:
    """A file system of that size, in memory, that everybody may reach."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can make a file system, on Linux")
    folder = Path(mkdtemp(prefix="innkeeper-disk-"))
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=777", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if made.returncode != 0:
        pytest.skip(f"no file system can be made here: {made.stderr.decode('utf-8', 'replace').strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def test_a_disk_that_fills_up_and_has_room_again(tmp_path: Path) -> None:
    with disk_of("4m") as disk:
        fills_up_and_has_room_again(disk, str(disk / "inn.db"), tmp_path, 2)


def test_a_disk_that_fills_up_under_postgresql_and_has_room_again(tmp_path: Path, postgres: Postgres) -> None:
    """Room for its log is there from the start (a server without that stops); its tables find none. (The run's own server is
    asked for first, since it says whether there can be any.)"""
    small_log = ("min_wal_size=32MB", "max_wal_size=48MB", "checkpoint_timeout=1h")
    with disk_of("128m") as disk, another(*FAST, *small_log, below=disk) as own:
        own.sql("CREATE DATABASE inn")
        fills_up_and_has_room_again(disk, own.url("inn"), tmp_path, 2)


another = postgres


def fills_up_and_has_room_again(disk: Path, url: str, folder: Path, count: int) -> None:
    asyncio.run(furnish(url))
    with nodes(folder, url, count) as at_work:

        async def work() -> History:
            history = History()
            clients = Clients(history, lambda: at_work[history.given % count].url)
            families, redeemed = await begin_families(url, 8), list[Family]()
            codes = await cut_codes(url, 200)
            clients.rotate(families)
            clients.redeem(codes, redeemed)
            await clients.until_given(50)
            ballast = disk / "ballast"
            await asyncio.to_thread(fill, ballast)
            await clients.until_unavailable()
            assert all([await asyncio.to_thread(node.is_ready) for node in at_work]), "reading goes on"
            ballast.unlink()
            await clients.until_given(50)
            await clients.stop()
            await clients.judge([*families, *redeemed])
            return history

        history = asyncio.run(work())
        assert (history.unanswered, history.unavailable > 0) == (0, True)
        assert not any("Traceback" in node.told() for node in at_work)


def fill(file: Path) -> None:
    """Write until nothing more can be written."""
    with file.open("wb", buffering=0) as ballast:
        try:
            while ballast.write(b"\0" * 65_536):
                pass
        except OSError:
            return
