"""Everything in a database written to a stream and read from one, between the engines and on either.

A line of JSON for each row. The first says which schema, the last how many rows of each table there were, so that a file
that was cut short is known as one. Records go as they are: passwords and machine secrets as hashes, keys sealed by the
master key, without which the copy opens nothing.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import IO, Any

import msgspec

from innkeeper.issuer.store.opening import file_of, is_postgres
from innkeeper.issuer.store.schema import SCHEMA_VERSION, judge
from innkeeper.issuer.store.sqlite import SqliteStore
from innkeeper.issuer.store.tables import TABLES
from innkeeper.protocol.refusals import UsageError

Row = Sequence[Any]
Counts = dict[str, int]


class _Head(msgspec.Struct):
    innkeeper_export: int


class _Line(msgspec.Struct, array_like=True):
    table: str
    row: msgspec.Raw


class _End(msgspec.Struct):
    rows: Counts


async def export_all(address: str, to: IO[bytes]) -> Counts:
    """Write everything, as it is at one moment, while others go on working; the rows of each table."""
    encoder, counts = msgspec.json.Encoder(), dict.fromkeys(TABLES, 0)
    to.write(encoder.encode(_Head(SCHEMA_VERSION)) + b"\n")
    async for table, rows in _everything(address):
        counts[table] += len(rows)
        to.write(b"".join(encoder.encode((table, tuple(row))) + b"\n" for row in rows))
    to.write(encoder.encode(_End(counts)) + b"\n")
    to.flush()
    return counts


async def import_all(address: str, source: IO[bytes]) -> Counts:
    """Read everything into a database that has tables and nothing in them: all of it or nothing. Raises ``UsageError``."""
    lines = iter(source)
    if _decoded(next(lines, b""), _Head).innkeeper_export != SCHEMA_VERSION:
        raise UsageError(
            f"the export is of another schema than {SCHEMA_VERSION}: bring its database up, and export again"
        )
    if is_postgres(address):
        return await _into_postgres(address, lines)
    return await asyncio.to_thread(_into_sqlite, file_of(address), lines)


def backup(address: str, to: Path) -> int:
    """Copy a SQLite file while others go on working, whole and checked; the bytes. Raises ``UsageError``."""
    if is_postgres(address):
        raise UsageError(
            "PostgreSQL has backups of its own: pg_dump, or your service's snapshots. "
            "`innkeeper db export` writes a copy that any innkeeper can import."
        )
    if to.exists():
        raise UsageError(f"{to} is there already; choose another name")
    SqliteStore(file_of(address)).close()
    to.touch(mode=0o600)
    with closing(sqlite3.connect(file_of(address), timeout=30)) as source, closing(sqlite3.connect(to)) as copy:
        source.backup(copy, pages=_PAGES)
        problem = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    if problem != "ok":
        raise UsageError(f"the copy {to} is damaged: {problem}. Look at the disk, and at {file_of(address)}")
    with to.open("rb") as written:
        os.fsync(written.fileno())
    return to.stat().st_size


async def _everything(address: str) -> AsyncIterator[tuple[str, Sequence[Row]]]:
    """All rows of all tables in batches, as they are at one moment."""
    if not is_postgres(address):
        for batch in _all_of_sqlite(file_of(address)):
            yield batch
        return
    async with _Postgres(address) as db, db.transaction(isolation="repeatable_read", readonly=True):
        for table in TABLES:
            cursor = await db.cursor(f"SELECT {_columns(table)} FROM {table}")  # noqa: S608
            while rows := await cursor.fetch(_BATCH):
                yield table, [_as_read(row) for row in rows]


def _all_of_sqlite(file: Path) -> Iterator[tuple[str, Sequence[Row]]]:
    SqliteStore(file).close()
    with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as db:
        db.execute("BEGIN")
        for table in TABLES:
            cursor = db.execute(f"SELECT {_columns(table)} FROM {table}")  # noqa: S608
            while rows := cursor.fetchmany(_BATCH):
                yield table, rows


def _into_sqlite(file: Path, lines: Iterator[bytes]) -> Counts:
    SqliteStore(file).close()
    counts = dict.fromkeys(TABLES, 0)
    with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous=FULL")
        db.execute("BEGIN IMMEDIATE")
        for table in TABLES:
            _must_be_empty(table, db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone())  # noqa: S608
        for table, rows in _batches(lines, counts):
            marks = ", ".join("?" * len(TABLES[table]))
            try:
                db.executemany(f"INSERT INTO {table} ({_columns(table)}) VALUES ({marks})", rows)  # noqa: S608
            except sqlite3.IntegrityError:
                raise _not_whole() from None
        db.execute("COMMIT")
    return counts


async def _into_postgres(address: str, lines: Iterator[bytes]) -> Counts:
    from asyncpg import IntegrityConstraintViolationError

    counts = dict.fromkeys(TABLES, 0)
    async with _Postgres(address) as db, db.transaction():
        for table in TABLES:
            _must_be_empty(table, await db.fetchval(f"SELECT 1 FROM {table} LIMIT 1"))  # noqa: S608
        for table, rows in _batches(lines, counts):
            records = [_as_written(row) for row in rows]
            try:
                await db.copy_records_to_table(table, columns=list(TABLES[table]), records=records)
            except IntegrityConstraintViolationError:
                raise _not_whole() from None
    return counts


def _batches(lines: Iterator[bytes], counts: Counts) -> Iterator[tuple[str, Sequence[Row]]]:
    """The rows of an export, some of one table at a time, counted. Raises ``UsageError`` where it is not whole."""
    end = None
    while batch := list(islice(lines, _BATCH)):
        rows: dict[str, list[Row]] = {}
        for line in batch:
            if end is not None:
                raise UsageError("the export goes on after its end")
            if line.startswith(b"{"):
                end = _decoded(line, _End)
                continue
            found = _decoded(line, _Line)
            if found.table not in TABLES:
                raise UsageError(f"the export has rows of a table {found.table!r}, which there is not")
            rows.setdefault(found.table, []).append(_decoded(bytes(found.row), _ROWS[found.table]))
            counts[found.table] += 1
        yield from rows.items()
    if end is None or end.rows != counts:
        raise _not_whole()


def _not_whole() -> UsageError:
    return UsageError("the export is not whole: it was cut short, or changed. Nothing was imported.")


class _Postgres:
    """A connection of its own, with the patience that much work needs, to tables as we know them."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection: Any = None

    async def __aenter__(self) -> Any:
        from innkeeper.issuer.store.postgres import version_of
        from innkeeper.issuer.store.postgres_pool import Pool, checked_address, shown_address

        pool = Pool(checked_address(self._address), 1)
        try:
            judge(await pool.read(version_of), f"the database {shown_address(self._address)}")
            self._connection = await pool.connect(_PATIENT)
        finally:
            pool.close()
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()


_PATIENT = {"statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0"}


def _as_written(row: Row) -> Row:
    from innkeeper.issuer.store.postgres import written

    return [written(one) if isinstance(one, str) else one for one in row]


def _as_read(row: Row) -> Row:
    from innkeeper.issuer.store.postgres import read

    return [read(one) if isinstance(one, str) else one for one in row]


def _columns(table: str) -> str:
    return ", ".join(TABLES[table])


def _must_be_empty(table: str, found: object) -> None:
    if found is not None:
        raise UsageError(f"there are {table} in the database already; import into a new one. Nothing was changed.")


def _decoded(text: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError:
        raise UsageError("this is not an export of innkeeper, or it was damaged. Nothing was imported.") from None


_ROWS: dict[str, Any] = {table: tuple[tuple(columns.values())] for table, columns in TABLES.items()}  # type: ignore[misc]

_BATCH = 1_000
_PAGES = 1_000
"""Pages copied at a time, after which others have a turn."""
