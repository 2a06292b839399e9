"""``python -m bench.twins [NAME=URL...]``: the check list for innkeeper and the emulators beside it.

Without arguments, innkeeper and whichever of ``moto_server``, ``ministack`` and ``cognito-local`` are on the PATH are started on
free ports and stopped again. ``NAME=URL`` checks one that runs already.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from httpx2 import HTTPError

from bench.twins.checks import CHECKS
from bench.twins.ground import Ground

_OPENS_WITHIN = 60.0
INN = Path(sys.executable).with_name("innkeeper")


class Emulator(NamedTuple):
    """How one is started: its command and environment, with {port} in both."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


EMULATORS: dict[str, Emulator] = {
    "innkeeper": Emulator((str(INN), "up"), {"INNKEEPER_PORT": "{port}", "INNKEEPER_TLS_PORT": "0"}),
    "moto": Emulator(("moto_server", "-H", "127.0.0.1", "-p", "{port}"), {}),
    "ministack": Emulator(("ministack",), {"GATEWAY_PORT": "{port}", "MINISTACK_HOST": "127.0.0.1"}),
    "cognito-local": Emulator(("cognito-local",), {"PORT": "{port}", "HOST": "127.0.0.1"}),
}


def main() -> None:
    told = dict(one.split("=", 1) for one in sys.argv[1:])
    with ExitStack() as stack:
        found = told or {name: stack.enter_context(_open(one)) for name, one in EMULATORS.items() if _is_here(one)}
        results = {name: {check.__name__: _judged(check, url) for check in CHECKS} for name, url in found.items()}
    print("\n".join(_table(results)))


def _is_here(one: Emulator) -> bool:
    return shutil.which(one.command[0]) is not None


def _judged(check: object, url: str) -> str:
    """ "" where the check passed, else why it did not."""
    ground = Ground(url)
    try:
        check(ground)  # type: ignore[operator]
    except (AssertionError, BotoCoreError, ClientError, HTTPError, KeyError, TypeError, ValueError) as error:
        return " ".join(f"{type(error).__name__}: {error}".split())[:160]
    finally:
        ground.close()
    return ""


@contextmanager
def _open(one: Emulator) -> Iterator[str]:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = str(door.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, **{name: text.format(port=port) for name, text in one.environment.items()}}
        command = [word.format(port=port) for word in one.command]
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _await(int(port))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await(port: int) -> None:
    deadline = time.monotonic() + _OPENS_WITHIN
    while time.monotonic() < deadline:
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"nothing opened on port {port}")


def _table(results: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """A table of marks in Markdown, then why each check that failed did."""
    names = list(results)
    yield f"| check | {' | '.join(names)} |"
    yield f"|---|{'---|' * len(names)}"
    for check in CHECKS:
        marks = ("✗" if results[name][check.__name__] else "✓" for name in names)
        yield f"| {(check.__doc__ or '').strip()} | {' | '.join(marks)} |"
    scores = (f"**{sum(not why for why in results[name].values())} of {len(CHECKS)}**" for name in names)
    yield f"| | {' | '.join(scores)} |"
    for name in names:
        failed = {check: why for check, why in results[name].items() if why}
        yield ""
        yield f"{name}: {len(failed)} failed"
        yield from (f"  {check}: {why}" for check, why in failed.items())


main()
