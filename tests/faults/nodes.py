"""Nodes: processes of ``innkeeper serve`` that share one database, started, stopped and killed by tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.inn import free_port

START = 60.0

SETTINGS = """
title = "The inn of many doors"

[server]
public_url = "{origin}"
leave = {leave}

[[resource]]
uri = "https://api.example"
name = "The API"

[resource.scopes]
"room:enter" = "Enter a room"
"""

ORIGIN = "http://127.0.0.1:8400"
"""The issuer that all nodes are; a load balancer stands there in life, and nobody in these tests."""


class Node:
    """One process. Nodes of one ``folder`` share its master key, and its database where that is a file."""

    def __init__(
        self, folder: Path, database: str, *, leave: float = 0.5, more: Mapping[str, str] | None = None
    ) -> None:
        self.port = free_port()
        self.folder = folder
        self.log = folder / f"node-{self.port}.log"
        self._more = dict(more or {})
        self.database = database
        self._process: subprocess.Popen[bytes] | None = None
        settings = SETTINGS.format(origin=ORIGIN, leave=leave)
        (folder / "innkeeper.toml").write_text(settings, "utf-8")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.begin()
        self.until_ready()

    def begin(self) -> None:
        """Start it."""
        environment = {
            **os.environ,
            "INNKEEPER_PORT": str(self.port),
            "INNKEEPER_STATE": str(self.folder / "state"),
            "INNKEEPER_DATABASE_URL": self.database,
            **self._more,
        }
        command = [sys.executable, "-m", "innkeeper.cli", "serve"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)

    def until_ready(self) -> None:
        deadline = time.monotonic() + START
        while time.monotonic() < deadline and self.lives():
            if self.is_ready():
                return
            time.sleep(0.02)
        raise AssertionError(f"a node did not get ready:\n{self.log.read_text('utf-8', 'replace')[-3000:]}")

    def is_ready(self) -> bool:
        """As a load balancer asks."""
        try:
            with urlopen(f"{self.url}/readyz", timeout=3):
                return True
        except (URLError, OSError):
            return False

    def lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """As a machine's end does it: nothing is finished, nobody is told."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def hold(self) -> None:
        """Stop it where it is, and wait until it stands still."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        tasks = Path(f"/proc/{self._process.pid}/task")
        while not all(_stands_still(task) for task in tasks.iterdir()):
            time.sleep(0.001)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def leave(self) -> None:
        """Tell it to stop, without waiting."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def until_gone(self) -> None:
        assert self._process is not None
        self._process.wait(timeout=START)

    def told(self) -> str:
        """What it has logged."""
        return self.log.read_text("utf-8", "replace")


def _stands_still(task: Path) -> bool:
    """Whether a thread is stopped, as Linux says (T), and not in a call that it has to finish first (D)."""
    return (task / "stat").read_text().rpartition(")")[2].split()[0] == "T"


@contextmanager
def nodes(folder: Path, database: str, count: int, *, leave: float = 0.5) -> Iterator[list[Node]]:
    """That many nodes at work, killed in the end where they still live."""
    made = [Node(folder, database, leave=leave) for _ in range(count)]
    try:
        made[0].start()  # the first makes keys and plants the settings' records
        for node in made[1:]:
            node.start()
        yield made
    finally:
        for node in made:
            if node.lives():
                node.kill()
