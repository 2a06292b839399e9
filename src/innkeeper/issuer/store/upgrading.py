"""Bringing a database to the tables of today: made where there are none, step by step where they are older."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from innkeeper.issuer.store.opening import file_of, is_postgres
from innkeeper.issuer.store.schema import NOTHING, SCHEMA_VERSION, judge
from innkeeper.issuer.store.sqlite import SqliteStore
from innkeeper.protocol.refusals import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection


async def upgrade(address: str) -> tuple[int, int]:
    """Bring the database to the tables of today. The versions before and after. Raises ``UsageError``, ``Unreachable``.

    All of it happens or nothing. Nodes that are at work go on; those of an older innkeeper cannot be started any more.
    """
    if is_postgres(address):
        return await _upgrade_postgres(address), SCHEMA_VERSION
    return _upgrade_sqlite(file_of(address)), SCHEMA_VERSION


def sqlite_version(file: Path) -> int:
    """The version of a file's tables; 0 for none, and for no file. Raises ``UsageError``."""
    if not file.exists():
        return NOTHING
    try:
        with closing(sqlite3.connect(file, timeout=5)) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        raise UsageError(f"the database {file} cannot be used: {error}") from None


def _upgrade_sqlite(file: Path) -> int:
    before = sqlite_version(file)
    if NOTHING < before < SCHEMA_VERSION:
        _run_on_sqlite(file, before)
    with suppress(OSError):  # what cannot be made is told by opening it
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    SqliteStore(file).close()
    return before


def _run_on_sqlite(file: Path, before: int) -> None:
    from sqlalchemy import StaticPool, create_engine, event, text

    own = sqlite3.connect(file, timeout=30, isolation_level=None)
    engine = create_engine("sqlite://", creator=lambda: own, poolclass=StaticPool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            _take_steps(connection, before)
            connection.execute(text(f"PRAGMA user_version={SCHEMA_VERSION}"))
    finally:
        engine.dispose()
        own.close()


async def _upgrade_postgres(address: str) -> int:
    from innkeeper.issuer.store.postgres import make_tables, version_of
    from innkeeper.issuer.store.postgres_pool import Pool, checked_address, shown_address

    pool = Pool(checked_address(address), 1)
    try:
        before = await pool.read(version_of)
        await pool.write(make_tables)
        if NOTHING < before < SCHEMA_VERSION:
            await _run_on_postgres(address, before)
        judge(await pool.read(version_of), f"the database {shown_address(address)}")
    finally:
        pool.close()
    return before


async def _run_on_postgres(address: str, before: int) -> None:
    import asyncpg
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    from innkeeper.issuer.store.postgres import MAKING

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(address))
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({MAKING})"))
            await connection.run_sync(_take_steps, before)
    finally:
        await engine.dispose()


def _take_steps(connection: Connection, before: int) -> None:
    """All steps that are missing, in the transaction that is open. Raises ``UsageError`` for what another one is at."""
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.util import CommandError

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    try:
        if MigrationContext.configure(connection).get_current_revision() is None:
            command.stamp(config, str(before))
        command.upgrade(config, str(SCHEMA_VERSION))
    except CommandError as error:
        raise UsageError(f"the database cannot be brought up from version {before}: {error}") from None


async def bring_up(address: str) -> None:
    """For a database of one's own: ``upgrade`` where that is needed, which costs a moment only then."""
    if is_postgres(address) or NOTHING < sqlite_version(file_of(address)) < SCHEMA_VERSION:
        await upgrade(address)
