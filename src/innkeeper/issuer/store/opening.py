"""Opening whichever store an address names, and seeing that its tables are those that this innkeeper knows."""

from __future__ import annotations

from pathlib import Path

from innkeeper.issuer.store.port import Store
from innkeeper.issuer.store.schema import judge
from innkeeper.issuer.store.sqlite import SqliteStore
from innkeeper.protocol.refusals import Unreachable, UsageError


async def open_store(address: str, connections: int = 10) -> Store:
    """The store at ``address``: a ``postgresql:`` URL, or a SQLite file's path, which is made where it is missing.

    ``connections`` are the most that are held to PostgreSQL. Raises ``UsageError``, ``Unreachable``.
    """
    return await _open_postgres(address, connections) if is_postgres(address) else SqliteStore(file_of(address))


def is_postgres(address: str) -> bool:
    """Whether an address is one of PostgreSQL. Raises ``UsageError`` for one of some other database."""
    scheme, colon, _ = address.partition("://")
    if colon and scheme not in ("postgresql", "postgres", "sqlite"):
        raise UsageError(f"database_url: {scheme} is not known; write postgresql://… or the path of a SQLite file")
    return address.startswith(("postgresql:", "postgres:"))


def file_of(address: str) -> Path:
    """The SQLite file that an address names: a path, or a ``sqlite:`` URL (``sqlite:////srv/inn.db`` is absolute)."""
    return Path(address.removeprefix("sqlite:///"))


async def _open_postgres(address: str, connections: int) -> Store:
    from innkeeper.issuer.store.postgres import PostgresStore, version_of
    from innkeeper.issuer.store.postgres_pool import Pool, checked_address, shown_address

    pool = Pool(checked_address(address), connections)
    try:
        judge(await pool.read(version_of), f"the database {shown_address(address)}")
    except (UsageError, Unreachable):
        pool.close()
        raise
    return PostgresStore(pool)
