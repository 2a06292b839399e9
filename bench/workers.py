"""What a second worker gives, what a worker holds in memory, and how long the house takes to open.

    python -m bench workers [ROUNDS]

Twice: two workers and their load on two cores against one worker and its load on one of them, which is what another core is worth;
and against one worker on both, where the load takes no time from it, but a part of what the second worker could have. Requests
are client credentials, signed in ES256, and the load is one that costs little (wrk, no script); CPU µs a request show what it
costs to share.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

from bench import servers
from bench.contest import ROUNDS, Contender, hold, served
from bench.load import Call
from bench.machine import SERVER_CORE, cores, family, free_port, private_megabytes, resident_megabytes
from bench.servers import Server
from bench.token import CONCIERGE

STARTS = 5


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with ExitStack() as stack:
        alone, one, two = (stack.enter_context(_workers(*which)) for which in ((1, SERVER_CORE), (1, None), (2, None)))
        both = _served(two, None)
        hold(
            "Client credentials, the load included: two cores against one", [both, _served(alone, SERVER_CORE)], rounds
        )
        hold(f"Client credentials on {cores()} cores, which the load shares", [both, _served(one, None)], rounds)
        _memory(two)
    print(f"  it opens in {median(_start(again=False) for _ in range(STARTS)):.2f} s with an empty state,")
    print(f"  and in {median(_start(again=True) for _ in range(STARTS)):.2f} s with one that is there")


def _served(house: Server, core: int | None) -> Contender:
    body = "grant_type=client_credentials&scope=room%3Aenter"
    return served(house, Call("POST", f"{house.url}/token", CONCIERGE, body, '"access_token":', core=core))


def _memory(house: Server) -> None:
    parent, *workers = family(house.process)
    held = max(resident_megabytes(one) for one in workers)
    own = max(private_megabytes(one) for one in workers)
    print(f"  a worker holds {held:.0f} MB after the load, {own:.0f} MB of it for itself alone;", end=" ")
    print(f"the parent holds {resident_megabytes(parent, alone=True):.0f} MB")


@contextmanager
def _workers(count: int, core: int | None) -> Iterator[Server]:
    with servers.innkeeper(workers=count, core=core) as server:
        yield server._replace(name=f"{count} worker{'s' if count > 1 else ''}")


def _start(*, again: bool) -> float:
    """Seconds from the command to the first answer."""
    port = free_port()
    with TemporaryDirectory(prefix="innkeeper-bench-") as state:
        if again:
            _opened(Path(state), port)
        return _opened(Path(state), port)


def _opened(folder: Path, port: int) -> float:
    began = time.monotonic()
    command = [str(Path(sys.executable).with_name("innkeeper")), "serve"]
    process = subprocess.Popen(
        command, cwd=folder, env=servers.environment(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                with urlopen(f"http://127.0.0.1:{port}/jwks", timeout=2):
                    return time.monotonic() - began
            except URLError:
                time.sleep(0.005)
    finally:
        process.terminate()
        process.wait(timeout=servers.START)
