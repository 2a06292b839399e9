"""The file system that holds the SQLite file reads only from one moment on, as a kernel makes it after an error of its disk.

What is proved: whoever wants something written is told 503 with Retry-After, and nobody is given what is not written; once
the disk is mounted anew and the nodes are started again, as after the repair, nothing that was acknowledged is lost, doubled or
falsely revoked.

The nodes are held still while the file system breaks off, in the middle of whatever they are at, so that no fsync is under way in
the kernel. ext4 may answer such a one as done and lose what it was about: bare SQLite, without innkeeper, lost acknowledged rows in 11
of 260 rounds of that, and none in 250 rounds of this.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.faults.families import Family, begin_families, cut_codes, furnish
from tests.faults.history import Clients, History
from tests.faults.nodes import Node, nodes


class Disk:
    """A file system in a file, which can be made to read only and be repaired."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "disk"
        self._file = folder / "image"

    def make(self) -> str:
        """Make and mount it; why that cannot be, or ""."""
        self.folder.mkdir()
        with self._file.open("wb") as file:
            file.truncate(16 << 20)
        return _run("mkfs.ext4", "-q", "-F", str(self._file)) or self.mount()

    def mount(self) -> str:
        return _run("mount", "-o", "loop,errors=remount-ro", str(self._file), str(self.folder))

    def fail(self) -> None:
        """What the kernel does when the disk gives an error: not one byte more is written, of what nobody has asked for yet."""
        assert not _run("sync", "-f", str(self.folder))
        assert not _run("mount", "-o", "remount,abort", str(self.folder))

    def repair(self) -> None:
        assert not self.unmount()
        _run("e2fsck", "-p", "-f", str(self._file))
        assert not self.mount()

    def unmount(self) -> str:
        return _run("umount", str(self.folder))


def _run(*command: str) -> str:
    """What a command complains of; "" where it succeeds."""
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    return (ran.stderr.strip() or f"{command[0]} failed") if ran.returncode else ""


@pytest.fixture
def disk() -> Iterator[Disk]:
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
        pytest.skip("only root can make a file system, on Linux, with mkfs.ext4")
    folder = Path(mkdtemp(prefix="innkeeper-disk-"))
    disk = Disk(folder)
    if why := disk.make():
        shutil.rmtree(folder)
        pytest.skip(f"no file system can be made here: {why}")
    yield disk
    disk.unmount()
    shutil.rmtree(folder)


def test_a_disk_that_reads_only_and_is_repaired(disk: Disk, tmp_path: Path) -> None:
    url = str(disk.folder / "inn.db")
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
            with held(at_work):
                disk.fail()
            await clients.until_unavailable()
            assert all([await asyncio.to_thread(node.is_ready) for node in at_work]), "reading goes on"
            assert history.unanswered == 0
            await asyncio.to_thread(repaired, disk, at_work)
            await clients.until_given(50)
            await clients.stop()
            await clients.judge([*families, *redeemed])
            return history

        history = asyncio.run(work())
        assert history.unavailable > 0
        assert not any("Traceback" in node.told() for node in at_work)


@contextmanager
def held(at_work: list[Node]) -> Iterator[None]:
    """While this lasts, the nodes stand still, each wherever it was; no call of theirs is under way in the kernel."""
    for node in at_work:
        node.hold()
    yield
    for node in at_work:
        node.go_on()


def repaired(disk: Disk, at_work: list[Node]) -> None:
    """Stop the nodes, mount the disk anew, and start them again."""
    for node in at_work:
        node.kill()
    disk.repair()
    for node in at_work:
        node.start()
