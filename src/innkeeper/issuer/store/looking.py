"""Looking at a database without touching it: what it is, how large, at which schema, and what is unsafe about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec

from innkeeper.issuer.store.opening import file_of, is_postgres
from innkeeper.issuer.store.upgrading import sqlite_version


class Sight(msgspec.Struct, frozen=True):
    """A database as it was found. ``version`` 0 stands for no tables; ``warnings`` are sentences."""

    name: str
    engine: str
    bytes: int
    version: int
    warnings: Sequence[str] = ()


async def look(address: str) -> Sight:
    """Raises ``UsageError``, ``Unreachable``."""
    return await _look_at_postgres(address) if is_postgres(address) else _look_at_sqlite(file_of(address))


def _look_at_sqlite(file: Path) -> Sight:
    version = sqlite_version(file)
    parts = (file, Path(f"{file}-wal"))
    size = sum(one.stat().st_size for one in parts if one.exists())
    return Sight(str(file), f"SQLite {sqlite3.sqlite_version}", size, version)


async def _look_at_postgres(address: str) -> Sight:
    from innkeeper.issuer.store.postgres import version_of
    from innkeeper.issuer.store.postgres_pool import Pool, checked_address, shown_address

    pool = Pool(checked_address(address), 1)
    try:
        version = await pool.read(version_of)
        row = (await pool.read(lambda db: db.fetch(_ABOUT)))[0]
    finally:
        pool.close()
    warnings = [text for name, bad, text in _UNSAFE if row[name] == bad]
    return Sight(shown_address(address), f"PostgreSQL {row['server_version']}", row["size"], version, warnings)


_ABOUT = """
    SELECT pg_database_size(current_database()) AS size, current_setting('server_version') AS server_version,
           current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit,
           current_setting('full_page_writes') AS full_page_writes,
           current_setting('transaction_read_only') AS transaction_read_only
"""

_UNSAFE = (
    ("fsync", "off", "fsync is off: a crash of the machine can lose or damage everything"),
    ("full_page_writes", "off", "full_page_writes is off: a crash of the machine can damage pages"),
    ("synchronous_commit", "off", "synchronous_commit is off: a crash can lose what was acknowledged"),
    ("transaction_read_only", "on", "this server only reads: it is a standby, or was told so"),
)
