"""How long a newcomer waits: from the clone to a token explained, and to an API guarded, by the very commands of the pages.

    python -m bench.newcomer

Clones this checkout into a folder of its own, opens the house there as the course says, and types what stands in
``docs/tutorial/first-token.md`` and ``guarded-api.md``. What a person needs to read is not in the figures. Exit code 1: too slow,
or a command printed something else than the page shows.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.docs.transcripts import Command, commands, quarrel, run
from tests.inn import free_port

ROOT = Path(__file__).parents[1]
COURSE = ROOT / "docs" / "tutorial"
TOKEN, API = 300, 600
"""Seconds until a token is explained, and until an API is guarded."""

_OPENS_WITHIN = 290.0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        home = Path(folder) / "innkeeper"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(home)], check=True)
        with house(home) as (port, ready):
            print(f"{ready - begun:6.0f} s  the house is open (git clone, make up)")
            explained = typed(
                home, port, page("first-token"), "innkeeper explain", begun, "a token is explained", TOKEN
            )
            subprocess.run([home / ".venv/bin/pip", "install", "--quiet", "-e", ".[fastapi]"], cwd=home, check=True)
            guarded = typed(home, port, page("guarded-api"), "Bearer $TOKEN", begun, "an API is guarded", API)
    return 0 if explained and guarded else 1


def page(name: str) -> list[Command]:
    return commands((COURSE / f"{name}.md").read_text("utf-8"))


def typed(home: Path, port: int, found: list[Command], until: str, begun: float, what: str, limit: int) -> bool:
    """Type a page's commands until the one that matters has printed what the page shows."""
    last = next(n for n, one in enumerate(found) if until in one.text)
    ports = {"8400": str(port), "8500": str(free_port())}
    texts = [swapped(one.text, ports) for one in found[: last + 1]]
    ran = run([*texts, "kill %1 2>/dev/null || true"], home, terminal(home, port), timeout=300)
    took = time.monotonic() - begun
    back = {other: usual for usual, other in ports.items()}
    wrong = quarrel(found[last], ran[last]._replace(output=swapped(ran[last].output, back)))
    print(f"{took:6.0f} s  {what} (at most {limit})")
    if wrong:
        print(wrong)
    return not wrong and took < limit


@contextmanager
def house(home: Path) -> Iterator[tuple[int, float]]:
    """The house as ``make up`` opens it, and the moment at which it answered."""
    port = free_port()
    process = subprocess.Popen(
        ["make", "up", f"PORT={port}", "TLS_PORT=0"],
        cwd=home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield port, opened(process, port)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def opened(process: subprocess.Popen[bytes], port: int) -> float:
    deadline = time.monotonic() + _OPENS_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", port)) == 0:
                return time.monotonic()
        time.sleep(0.2)
    raise SystemExit("make up did not open the house")


def terminal(home: Path, port: int) -> dict[str, str]:
    words = {"PATH": f"{home}/.venv/bin:{os.environ['PATH']}", "HOME": str(home), "INNKEEPER_PORT": str(port)}
    return {**words, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "110", "LC_ALL": "C.UTF-8"}


def swapped(text: str, ports: dict[str, str]) -> str:
    return re.sub("|".join(ports), lambda found: ports[found[0]], text)


if __name__ == "__main__":
    sys.exit(main())
