"""The disk that holds the SQLite file is full, while clients are at work; then there is room again.

What is proved: whoever wants something written is told 503 with Retry-After, whatever needs no writing is answered, and
once there is room everything goes on without help; nothing that was acknowledged is lost, doubled or falsely revoked.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.families import Family, begin_families, cut_codes, furnish
from tests.faults.history import Clients, History
from tests.faults.nodes import nodes


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes, in memory."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can make a file system, on Linux")
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if made.returncode != 0:
        pytest.skip(f"no file system can be made here: {made.stderr.decode('utf-8', 'replace').strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_fills_up_and_has_room_again(small_disk: Path, tmp_path: Path) -> None:
    url = str(small_disk / "inn.db")
    asyncio.run(furnish(url))
    with nodes(tmp_path, url, 2) as at_work:

        async def work() -> History:
            history = History()
            clients = Clients(history, lambda: at_work[history.given % 2].url)
            families, redeemed = await begin_families(url, 8), list[Family]()
            codes = await cut_codes(url, 200)
            clients.rotate(families)
            clients.redeem(codes, redeemed)
            await clients.until_given(50)
            ballast = small_disk / "ballast"
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
