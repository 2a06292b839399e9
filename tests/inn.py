"""A whole house, started as a person starts it (``innkeeper up``), on a free port with a state of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

START = 120.0
"""Seconds a house may take to open: the first start makes keys and a database."""


class Inn(NamedTuple):
    """A running house: its address, and the folder that holds its state as ``.innkeeper``."""

    port: int
    folder: Path
    tls_port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"https://localhost:{self.tls_port}"

    @property
    def authority(self) -> Path:
        """The certificate to trust for ``tls_url``."""
        return self.folder / ".innkeeper" / "ca.pem"


@contextmanager
def open_inn(folder: Path) -> Iterator[Inn]:
    """A house that is open inside the block and closed, as by Ctrl-C, after it. Its log is ``inn.log`` in ``folder``."""
    inn = Inn(free_port(), folder, free_port())
    settings = {
        "INNKEEPER_PORT": str(inn.port),
        "INNKEEPER_TLS_PORT": str(inn.tls_port),
        "INNKEEPER_STATE": str(folder / ".innkeeper"),
    }
    with opened_by([str(Path(sys.executable).with_name("innkeeper")), "up"], inn, settings):
        yield inn


@contextmanager
def opened_by(
    command: Sequence[str], inn: Inn, environment: Mapping[str, str], stop: signal.Signals = signal.SIGINT
) -> Iterator[None]:
    """Run a command that opens the house, and when the block ends stop it by a signal; it must then end by itself."""
    log = inn.folder / "inn.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=inn.folder, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _await_open(inn, process, log)
        yield
    finally:
        _close(process, stop)


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
    return port


def _await_open(inn: Inn, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the house answers. Fails with its log where it ends or stays shut."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and _lives_on(process):
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", inn.port)) == 0:
                return
    raise AssertionError(f"innkeeper up did not open (exit code {process.poll()}):\n{log.read_text('utf-8')}")


def _lives_on(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(timeout=0.05)
    except subprocess.TimeoutExpired:
        return True
    return False


def _close(process: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    process.send_signal(stop)
    try:
        process.wait(timeout=START)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
