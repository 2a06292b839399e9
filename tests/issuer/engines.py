"""Which engine the houses of a test remember in: SQLite in their own folder, or a database of their own on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.postgres import Postgres

SQLITE, POSTGRES = ALL = ("sqlite", "postgres")

CHOSEN = "INNKEEPER_TEST_DATABASE"
"""The environment variable that puts all houses on one engine."""

_servers: list[tuple[Postgres, int]] = []
_made: list[str] = []


@contextmanager
def remembering_in(name: str, request: pytest.FixtureRequest, nodes: int) -> Iterator[None]:
    """Inside the block, new houses remember in the engine of this name, and have so many nodes where that is PostgreSQL."""
    assert name in ALL, f"{CHOSEN}={name}: it is one of {', '.join(ALL)}"
    if name == SQLITE:
        yield
        return
    _servers.append((request.getfixturevalue("postgres"), nodes))
    before = len(_made)
    yield
    _servers.pop()
    assert len(_made) > before, (
        f"no house of {request.node.nodeid} was on PostgreSQL: does its fixture ask for `engine`?"
    )


def database_of(folder: Path) -> str:
    """The database of a house's folder, "" for a file in it. A copied folder has a copy of the database."""
    if not _servers:
        return ""
    server, note = _servers[-1][0], folder / "database"
    home, _, url = note.read_text("utf-8").partition(" ") if note.exists() else ("", "", "")
    if home != str(folder):
        _made.append(url := server.new_database(url.rpartition("/")[2] if url else "tables"))
        folder.mkdir(parents=True, exist_ok=True)
        note.write_text(f"{folder} {url}", "utf-8")
    return url


def nodes() -> int:
    """How many issuers a house has, taking turns: a file is one machine's, PostgreSQL is for many."""
    return _servers[-1][1] if _servers else 1


def everything(folder: Path) -> bytes:
    """All that a house's database holds, as it lies there; bytes on PostgreSQL in hexadecimal digits."""
    if _servers:
        return _servers[-1][0].dump((folder / "database").read_text("utf-8").partition(" ")[2])
    return b"".join(path.read_bytes() for path in folder.rglob("innkeeper.db*"))


def forget(folder: Path) -> None:
    """Drop the database of a folder that is used no more."""
    if _servers:
        _servers[-1][0].drop((folder / "database").read_text("utf-8").partition(" ")[2])
