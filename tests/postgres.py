"""A PostgreSQL of one's own: started from the machine's binaries in a folder of its own, on loopback, for one test run.

Durability is off unless asked for: what is tested by most is what it does, not what a power cut does to it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import asyncpg

from innkeeper.issuer.store.postgres import make_tables

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
_NOBODY = "postgres"
"""Whom the server runs as where a test is run by root, who may not run one."""

FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
USER = "innkeeper"

TABLES = "tables"
"""The name of the database that has our tables and nothing in them."""

_numbers = itertools.count(1)


def binaries() -> Path | None:
    """The folder with PostgreSQL's programs, the newest there is."""
    found = [one for place in _PLACES for one in sorted(Path("/").glob(place[1:])) if (one / "initdb").exists()]
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else found[-1] if found else None


class Postgres:
    """A server that can be stopped, started and killed. ``url`` is that of its own database."""

    def __init__(self, folder: Path, port: int, settings: Sequence[str]) -> None:
        self.folder = folder
        self.port = port
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._has_tables = False

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        told = ["listen_addresses=127.0.0.1", f"port={self.port}", "unix_socket_directories=", *self._settings]
        command = [str(_bin("postgres")), "-D", str(self.folder / "data")]
        command += [word for one in told for word in ("-c", one)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **_as_nobody())
        self._until_it_answers()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT cuts all connections (fast), SIGQUIT is a crash (immediate), SIGTERM waits for them (smart)."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=60)
            self._process = None

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql prints for a statement, bare."""
        command = [str(_bin("psql")), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()

    def new_database(self, template: str = "template0") -> str:
        """The URL of another database, like the one named, in which nobody may be at work."""
        if template == TABLES and not self._has_tables:
            asyncio.run(_furnish(self.new_database(), self.sql))
            self._has_tables = True
        name = f"test_{next(_numbers)}"
        self.sql(f'CREATE DATABASE {name} TEMPLATE "{template}"')
        return self.url(name)

    def dump(self, url: str) -> bytes:
        """Everything in a database, as pg_dump writes it."""
        command = [str(_bin("pg_dump")), "--data-only", "-d", url]
        return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout

    def cut(self, database: str) -> None:
        """Cut every connection to a database, as an administrator or a failing network does."""
        self.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname='{database}'")

    def drop(self, url: str) -> None:
        """Drop a database, cutting off whoever is still there."""
        self.sql(f'DROP DATABASE IF EXISTS "{url.rpartition("/")[2]}" WITH (FORCE)')

    def _until_it_answers(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            command = [str(_bin("pg_isready")), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
            if subprocess.run(command, check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError(
            f"PostgreSQL did not start:\n{(self.folder / 'log').read_text('utf-8', 'replace')[-2000:]}"
        )


async def _furnish(url: str, sql: Callable[[str], str]) -> None:
    """Make our tables in a database, which becomes the template."""
    connection = await asyncpg.connect(url)
    await make_tables(connection)
    await connection.close()
    sql(f'ALTER DATABASE {url.rpartition("/")[2]} RENAME TO "{TABLES}"')


@contextmanager
def postgres(*settings: str, below: Path | None = None) -> Iterator[Postgres]:
    """A new, empty server, gone with its folder afterwards. ``settings`` as in its file, ``FAST`` among them; ``below`` is
    where the folder shall be."""
    with place(below) as folder:
        _run("initdb", "-D", str(folder / "data"), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        server = Postgres(folder, free_port(), ("max_connections=200", *settings))
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)


@contextmanager
def standby(primary: Postgres, *settings: str) -> Iterator[Postgres]:
    """A server that follows another, and goes on without it once it is promoted."""
    with place() as folder:
        source = f"host=127.0.0.1 port={primary.port} user={USER} application_name=standby"
        _run("pg_basebackup", "-D", str(folder / "data"), "-d", source, "-R", "-X", "stream", "-c", "fast", "-N")
        server = Postgres(folder, free_port(), ("max_connections=200", *settings))
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)


@contextmanager
def place(below: Path | None = None) -> Iterator[Path]:
    """A folder that the server may write to."""
    folder = Path(mkdtemp(prefix="innkeeper-postgres-", dir=below))
    if os.geteuid() == 0:
        shutil.chown(folder, _NOBODY)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
    return port


def _bin(name: str) -> Path:
    folder = binaries()
    assert folder is not None
    return folder / name


def _run(program: str, *arguments: str) -> None:
    command = [str(_bin(program)), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, timeout=120, **_as_nobody())
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")


def _as_nobody() -> dict[str, Any]:
    """Root may not run a server: somebody without rights does."""
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": [], "cwd": "/"} if os.geteuid() == 0 else {"cwd": "/"}
