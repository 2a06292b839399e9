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

_servers: list[Postgres] = []
_made: list[str] = []


@contextmanager
def remembering_in(name: str, request: pytest.FixtureRequest) -> Iterator[None]:
    """Inside the block, new houses remember in the engine of this name."""
    assert name in ALL, f"{CHOSEN}={name}: it is one of {', '.join(ALL)}"
    if name == SQLITE:
        yield
        return
    _servers.append(request.getfixturevalue("postgres"))
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
    server, note = _servers[-1], folder / "database"
    home, _, url = note.read_text("utf-8").partition(" ") if note.exists() else ("", "", "")
    if home != str(folder):
        _made.append(url := server.new_database(url.rpartition("/")[2] if url else "tables"))
        folder.mkdir(parents=True, exist_ok=True)
        note.write_text(f"{folder} {url}", "utf-8")
    return url


def forget(folder: Path) -> None:
    """Drop the database of a folder that is used no more."""
    if _servers:
        _servers[-1].drop((folder / "database").read_text("utf-8").partition(" ")[2])
