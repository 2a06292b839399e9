"""A whole house, started as a person starts it (``innkeeper up``), on a free port with a state of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

START = 30.0
"""Seconds a house may take to open: the first start makes keys and a database."""


class Inn(NamedTuple):
    """A running house: its address, and the folder that holds its state as ``.innkeeper``."""

    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def open_inn(folder: Path) -> Iterator[Inn]:
    """A house that is open inside the block and closed, as by Ctrl-C, after it. Its log is ``inn.log`` in ``folder``."""
    inn = Inn(_free_port(), folder)
    environment = {**os.environ, "INNKEEPER_PORT": str(inn.port), "INNKEEPER_STATE": str(folder / ".innkeeper")}
    log = folder / "inn.log"
    with log.open("wb") as output:
        command = [str(Path(sys.executable).with_name("innkeeper")), "up"]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        _await_open(inn, process, log)
        yield inn
    finally:
        _close(process)


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


def _close(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=START)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
    return port
