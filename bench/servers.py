"""The servers of a bench, each started as its makers say for production, on the servers' core and on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

from bench.fleet import MACHINES, settle_in
from bench.machine import BENCH, NODE_PACKAGES, SERVER_CORE, free_port, node, pinned

START = 180.0
"""Seconds at most; Keycloak makes its tables first."""
HERE = {"PYTHONPATH": os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), str(BENCH.parent)])}
"""Where servers find this bench, and innkeeper compiled where the bench was told of it."""


class Server(NamedTuple):
    """A running server: its process, its address, and its version as its makers count."""

    name: str
    process: int
    url: str
    folder: Path


@contextmanager
def innkeeper(
    algorithm: str = "ES256", *, workers: int = 0, settings: str = "", core: int | None = SERVER_CORE
) -> Iterator[Server]:
    """``innkeeper serve`` with an empty state, the clients of a laptop and a fleet; ``algorithm`` signs access tokens.

    ``settings`` are further ones, in TOML. It stays on one ``core``; None for any.
    """
    command = [sys.executable, "-m", "bench.serve", algorithm, *(["--workers", str(workers)] if workers else [])]
    with state() as folder:
        settle_in(folder, settings)
        with started("innkeeper", command, folder, "/jwks", HERE, core) as server:
            yield server


@contextmanager
def oidc_provider(algorithm: str = "ES256", *, keeps: str = "memory", database: str = "") -> Iterator[Server]:
    """npm ``oidc-provider`` on the newest Node, with an adapter that ``keeps`` in "memory", "sqlite" or "postgres"."""
    told = {"NODE_ENV": "production", "ALGORITHM": algorithm, "FLEET": json.dumps(dict(MACHINES)), "ADAPTER": keeps}
    kept = {"memory": "", "sqlite": ", on SQLite", "postgres": ", on PostgreSQL"}[keeps]
    command = [node(), str(NODE_PACKAGES / "oidc-provider.js")]
    with state() as folder:
        told |= {"DATABASE_FILE": str(folder / "kept.db"), "DATABASE_URL": database}
        with started(f"oidc-provider{kept}", command, folder, "/jwks", told) as server:
            yield server


@contextmanager
def authlib() -> Iterator[Server]:
    """Authlib's authorization server on Flask, under granian: of the WSGI servers tried the one it was fastest on."""
    options = ["--interface", "wsgi", "--workers", "1", "--blocking-threads", "1", "--no-ws", "--log-level", "error"]
    command = [sys.executable, "-m", "granian", *options, "bench.peers:application"]
    with state() as folder, started("Authlib", command, folder, "/ready", HERE) as server:
        yield server


@contextmanager
def started(
    name: str,
    command: Sequence[str],
    folder: Path,
    ready: str,
    more: Mapping[str, str],
    core: int | None = SERVER_CORE,
    port: int | None = None,
) -> Iterator[Server]:
    """A server that is told its port by ``PORT``, unless ``more`` tells it, and answers at the path ``ready`` once it is up."""
    port = port or free_port()
    told = {**environment(port), **more}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(pinned(core, command), cwd=folder, env=told, stdout=log, stderr=log)
    try:
        server = Server(name, process.pid, f"http://127.0.0.1:{port}", folder)
        _await(process, server, ready)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=START)


def environment(port: int) -> dict[str, str]:
    """What tells a server its port, whoever it is."""
    return {**os.environ, "PORT": str(port), "GRANIAN_PORT": str(port), "INNKEEPER_PORT": str(port)}


def _await(process: subprocess.Popen[bytes], server: Server, ready: str) -> None:
    deadline = time.monotonic() + START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(server.url + ready, timeout=2):
                return
        except (URLError, TimeoutError):
            time.sleep(0.05)
    raise SystemExit(f"{server.name} did not start:\n{(server.folder / 'log').read_text('utf-8', 'replace')}")


@contextmanager
def state() -> Iterator[Path]:
    """A folder for a server's state, gone afterwards."""
    with ExitStack() as stack:
        yield Path(stack.enter_context(TemporaryDirectory(prefix="innkeeper-bench-", ignore_cleanup_errors=True)))
