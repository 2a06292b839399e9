"""``innkeeper serve --workers``: deaths, replacements and stops that no caller notices."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.inn import free_port

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to see the workers")

INNKEEPER = str(Path(sys.executable).with_name("innkeeper"))
LONG = 30.0
QUICK = "[server]\nleave = 0.1\n"


class House:
    """A parent, its workers, and what they wrote."""

    def __init__(self, folder: Path, workers: int, settings: str = QUICK) -> None:
        self.port, self.log = free_port(), folder / "log"
        (folder / "innkeeper.toml").write_text(settings, "utf-8")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [INNKEEPER, "serve", "--workers", str(workers)],
                cwd=folder,
                env={**os.environ, "INNKEEPER_PORT": str(self.port), "INNKEEPER_STATE": str(folder / "state")},
                stdout=log,
                stderr=log,
            )

    def workers(self) -> set[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return {int(one) for one in children.read_text().split()} if children.exists() else set()

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/jwks", timeout=10) as reply:
                return bool(reply.status == 200)
        except urllib.error.URLError as error:
            if isinstance(error.reason, ConnectionRefusedError):
                return False
            raise

    def until(self, come: Callable[[], object], what: str) -> None:
        """Return once it has come to that. Fails with the log where it does not."""
        deadline = time.monotonic() + LONG
        while not come():
            assert time.monotonic() < deadline, f"{what}:\n{self.log.read_text('utf-8')}"
            with pytest.raises(subprocess.TimeoutExpired):
                self.process.wait(0.05)

    def ended(self) -> int:
        return self.process.wait(LONG)


@contextmanager
def house(folder: Path, workers: int, settings: str = QUICK) -> Iterator[House]:
    opened = House(folder, workers, settings)
    try:
        opened.until(opened.answers, "the house did not open")
        yield opened
    finally:
        if opened.process.poll() is None:
            opened.process.terminate()
        opened.ended()


class Callers:
    """Callers who open a connection for each request, until the block ends; ``troubles`` are what went wrong."""

    def __init__(self, opened: House) -> None:
        self._house = opened
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(3)]
        self.troubles: list[Exception] = []
        self.answered = 0

    def __enter__(self) -> Callers:
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for one in self._threads:
            one.join()

    def _call(self) -> None:
        while not self._over.is_set():
            try:
                assert self._house.answers()
                self.answered += 1
            except (OSError, AssertionError) as trouble:
                self.troubles.append(trouble)


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    with house(tmp_path, 2) as opened:
        opened.until(lambda: len(opened.workers()) == 2, "there are not two workers")
        dead = min(before := opened.workers())
        os.kill(dead, signal.SIGKILL)
        opened.until(lambda: len(opened.workers() - {dead}) == 2, "nobody took the dead one's place")
        assert opened.workers() & before == before - {dead}
        assert opened.answers()
        assert "was ended by SIGKILL" in opened.log.read_text("utf-8")


def test_a_hangup_replaces_every_worker_and_no_request_fails(tmp_path: Path) -> None:
    with house(tmp_path, 2) as opened, Callers(opened) as callers:
        opened.until(lambda: len(opened.workers()) == 2 and callers.answered > 20, "nobody was answered")
        before = opened.workers()
        opened.process.send_signal(signal.SIGHUP)
        opened.until(lambda: len(opened.workers()) == 2 and not opened.workers() & before, "not all were replaced")
        answered = callers.answered
        opened.until(lambda: callers.answered > answered + 20, "nobody was answered by the new ones")
    assert callers.troubles == []


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_all_of_them_go(tmp_path: Path, by: signal.Signals) -> None:
    with house(tmp_path, 2) as opened:
        workers = opened.workers()
        opened.process.send_signal(by)
        assert opened.ended() == 0
        assert not any(is_alive(one) for one in workers)
        assert not opened.answers()


def test_workers_do_not_outlive_their_parent(tmp_path: Path) -> None:
    with house(tmp_path, 2) as opened:
        opened.until(lambda: len(opened.workers()) == 2, "there are not two workers")
        workers = opened.workers()
        opened.process.kill()
        opened.ended()
        deadline = time.monotonic() + LONG
        while any(is_alive(one) for one in workers):
            assert time.monotonic() < deadline, "a worker serves on without its parent"


def test_where_no_worker_can_start_the_parent_says_so_and_ends(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    opened = House(tmp_path, 2)
    assert opened.ended() == 2
    log = opened.log.read_text("utf-8")
    assert "Not a directory" in log
    assert "Traceback" not in log


def test_a_port_in_use_is_not_shared_with_its_user(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        refused = subprocess.run(
            [INNKEEPER, "serve", "--workers", "2"],
            cwd=tmp_path,
            env={**os.environ, "INNKEEPER_PORT": str(other.getsockname()[1])},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (refused.returncode, "is in use" in refused.stderr) == (2, True)
