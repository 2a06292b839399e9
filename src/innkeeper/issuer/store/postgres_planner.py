"""What PostgreSQL's planner has to know of tables in which there is nothing yet."""

from __future__ import annotations

from contextlib import suppress

from asyncpg import PostgresError

from innkeeper.issuer.store.postgres_pool import Connection


async def teach(db: Connection) -> None:
    """Tell it that nearly all rows of a table are of one realm, by rows that are gone again and that ``ANALYZE`` remembers.

    Of a table that it knows nothing of, it takes the realm for a key as good as any. It then finds a grant through all grants of the
    realm, in an index by person, and its plans stay so until the server looks at the table: a minute later, or
    never. Only for tables that nobody else sees yet.
    """
    with suppress(PostgresError):  # a service that cannot do this does without
        async with db.transaction():
            for (table,) in await db.fetch(_SEVERAL_WAYS):
                await _shape(db, table)


async def _shape(db: Connection, table: str) -> None:
    columns = await db.fetch(_COLUMNS, table)
    row = ", ".join(_ALIKE.get(name) or _DIFFERENT[kind] for name, kind in columns)
    await db.execute(f"INSERT INTO {table} SELECT {row} FROM generate_series(1, 300) n")  # noqa: S608 - names of ours
    await db.execute(f"ANALYZE {table}")
    await db.execute(f"TRUNCATE {table}")


_ALIKE = {"realm": "'native'", "kind": "'kind'"}

_DIFFERENT = {"text": "'row ' || n", "bytea": "int8send(n)", "bigint": "4000000000 + n"}
"""Of times, a century ahead: of a table, little has expired."""

_SEVERAL_WAYS = """
    SELECT tablename FROM pg_indexes WHERE schemaname = current_schema GROUP BY tablename HAVING count(*) > 1
"""
"""Tables with several indexes, each of which begins with the realm."""

_COLUMNS = """
    SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum
"""
