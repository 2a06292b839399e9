"""The store on PostgreSQL, shared by any number of nodes: one statement a look-up, one statement a commit, and one trip for
what many look up or commit at the same time.

Plain SQL over the plain wire protocol, so that managed and distributed services serve too. Isolation is READ COMMITTED;
what must not happen twice is a condition on the row that it happens to, and the second comes to a row that has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from asyncpg import exceptions as pg

from innkeeper.issuer.core import effects as fx
from innkeeper.issuer.core.records import Client, Code, Consent, Grant, Person, RefreshToken, Resource, Session
from innkeeper.issuer.store import decoding
from innkeeper.issuer.store.decoding import encode
from innkeeper.issuer.store.port import Credential, Entry, HeldToken, RealmStore, Standing
from innkeeper.issuer.store.postgres_crowd import Crowds
from innkeeper.issuer.store.postgres_effects import (
    COUNT_CHANGE,
    NEW_RESOURCE,
    PUT_KEY,
    Part,
    are_independent,
    joined,
    place_in_a_crowd,
    steps_of,
)
from innkeeper.issuer.store.postgres_news import News
from innkeeper.issuer.store.postgres_planner import teach
from innkeeper.issuer.store.postgres_pool import Connection, Pool
from innkeeper.issuer.store.schema import NOTHING, statements
from innkeeper.issuer.store.tables import SHELVES
from innkeeper.keys.stored import StoredKey
from innkeeper.protocol.refusals import UsageError

Record = TypeVar("Record")


class PostgresStore:
    """A database of one or several nodes. Opened by ``store.opening``, which sees to its tables."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._crowds = Crowds(pool)
        self._news = News(pool)

    def realm(self, name: str) -> RealmStore:
        return PostgresRealm(name, self._pool, self._crowds)

    async def version(self) -> int:
        rows = await self._pool.read(lambda db: db.fetch("SELECT text FROM notes WHERE realm='' AND name='changes'"))
        return int(rows[0][0]) if rows else 0

    async def news(self) -> None:
        await self._news.wait()

    def close(self) -> None:
        self._news.close()
        self._pool.close()


class PostgresRealm:
    """One realm's rows. See ``port.RealmStore`` for what each look-up means."""

    def __init__(self, name: str, pool: Pool, crowds: Crowds) -> None:
        self._name = written(name)
        self._pool = pool
        self._crowds = crowds

    async def client(self, client_id: str) -> Client | None:
        return await self._one(decoding.client, "SELECT record FROM clients WHERE realm=$1 AND id=$2", client_id)

    async def clients(self) -> Sequence[Client]:
        return await self._all(decoding.client, "SELECT record FROM clients WHERE realm=$1 ORDER BY id")

    async def put_client(self, client: Client) -> None:
        sql = "INSERT INTO clients VALUES ($1, $2, $3, $4) ON CONFLICT (realm, id) DO UPDATE SET record=excluded.record"
        await self._change(Part(sql, (client.id, client.unused_until or None, encode(client))), COUNT_CHANGE)

    async def remove_client(self, client_id: str) -> bool:
        return await self._removed(Part("DELETE FROM clients WHERE realm=$1 AND id=$2", (client_id,), must=True))

    async def resources(self) -> Sequence[Resource]:
        return await self._all(decoding.resource, "SELECT record FROM resources WHERE realm=$1 ORDER BY position, uri")

    async def put_resource(self, resource: Resource) -> None:
        sql = f"{NEW_RESOURCE} (realm, uri) DO UPDATE SET record=excluded.record"
        await self._change(Part(sql, (resource.uri, encode(resource))), COUNT_CHANGE)

    async def remove_resource(self, uri: str) -> bool:
        return await self._removed(Part("DELETE FROM resources WHERE realm=$1 AND uri=$2", (uri,), must=True))

    async def person(self, sub: str) -> Person | None:
        return await self._one(decoding.person, "SELECT record FROM people WHERE realm=$1 AND sub=$2", sub)

    async def person_named(self, username: str) -> Person | None:
        sql = 'SELECT record FROM people WHERE realm=$1 AND lower(username) = lower($2::text COLLATE "C")'
        return await self._one(decoding.person, sql, username)

    async def people(self) -> Sequence[Person]:
        sql = "SELECT record FROM people WHERE realm=$1 ORDER BY lower(username)"
        return await self._all(decoding.person, sql)

    async def put_person(self, person: Person) -> None:
        sql = (
            "INSERT INTO people VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (realm, sub) DO UPDATE SET username=excluded.username, record=excluded.record"
        )
        try:
            await self._change(Part(sql, (person.sub, person.username, encode(person))))
        except pg.UniqueViolationError:
            raise UsageError(f"somebody named {person.username!r} is here already; choose another name") from None

    async def session(self, digest: bytes) -> Session | None:
        row = await self._row("SELECT record, ended_at FROM sessions WHERE realm=$1 AND digest=$2", digest)
        return decoding.session(*row) if row else None

    async def sessions(self, sub: str) -> Sequence[Session]:
        rows = await self._rows("SELECT record, ended_at FROM sessions WHERE realm=$1 AND sub=$2", sub)
        return [decoding.session(*row) for row in rows]

    async def consent(self, sub: str, client_id: str) -> Consent | None:
        sql = "SELECT record FROM consents WHERE realm=$1 AND sub=$2 AND client_id=$3"
        return await self._one(decoding.consent, sql, sub, client_id)

    async def consents(self, sub: str) -> Sequence[Consent]:
        sql = "SELECT record FROM consents WHERE realm=$1 AND sub=$2 ORDER BY client_id"
        return await self._all(decoding.consent, sql, sub)

    async def code(self, digest: bytes) -> Code | None:
        row = await self._row("SELECT record, spent_at FROM codes WHERE realm=$1 AND digest=$2", digest)
        return decoding.code(*row) if row else None

    async def grant(self, grant_id: str) -> Grant | None:
        row = await self._row("SELECT record, revoked_at FROM grants WHERE realm=$1 AND id=$2", grant_id)
        return decoding.grant(*row) if row else None

    async def grants(self, sub: str) -> Sequence[Grant]:
        rows = await self._rows("SELECT record, revoked_at FROM grants WHERE realm=$1 AND sub=$2", sub)
        return [decoding.grant(*row) for row in rows]

    async def refresh_token(self, digest: bytes) -> HeldToken | None:
        row = await self._row(_REFRESH_TOKEN, digest)
        if not row:
            return None
        grant_id, expires_at, spent_at, successor, *whose = row
        token = RefreshToken(
            digest=digest, grant_id=read(grant_id), expires_at=expires_at, spent_at=spent_at, successor=successor
        )
        return decoding.held(token, *whose)

    async def token_is_revoked(self, jti: str) -> bool:
        return bool(await self._row("SELECT 1 FROM revoked_tokens WHERE realm=$1 AND jti=$2", jti))

    async def standing(self, jti: str, grant_id: str, sub: str) -> Standing:
        row = await self._row(_STANDING, jti, grant_id, sub)
        return decoding.standing(*row) if row else decoding.standing(False, None, None, None)

    async def entry(self, kind: str, key: str) -> Entry | None:
        sql = "SELECT key, record, expires_at, version FROM entries WHERE realm=$1 AND kind=$2 AND key=$3"
        row = await self._row(sql, kind, key)
        return _entry(*row) if row else None

    async def entries(self, kind: str, prefix: str) -> Sequence[Entry]:
        sql = (
            "SELECT key, record, expires_at, version FROM entries "
            "WHERE realm=$1 AND kind=$2 AND key >= $3 AND key < $4 ORDER BY key"
        )
        return [_entry(*row) for row in await self._rows(sql, kind, prefix, prefix + "\U0010ffff")]

    async def credentials(self, sub: str, kind: str) -> Sequence[Credential]:
        sql = "SELECT sub, id, record FROM credentials WHERE realm=$1 AND sub=$2 AND kind=$3 ORDER BY id"
        return [_credential(*row) for row in await self._rows(sql, sub, kind)]

    async def credential(self, kind: str, credential_id: str) -> Credential | None:
        sql = "SELECT sub, id, record FROM credentials WHERE realm=$1 AND kind=$2 AND id=$3"
        row = await self._row(sql, kind, credential_id)
        return _credential(*row) if row else None

    async def record(self, shelf: str, key: str) -> bytes | None:
        table, column = SHELVES[shelf]
        row = await self._row(f"SELECT record FROM {table} WHERE realm=$1 AND {column}=$2", key)  # noqa: S608
        return row[0] if row else None

    async def keys(self) -> Sequence[StoredKey]:
        return await self._all(decoding.key, "SELECT record FROM signing_keys WHERE realm=$1")

    async def put_keys(self, keys: Sequence[StoredKey]) -> None:
        parts = [Part(PUT_KEY, (one.kid, encode(one))) for one in keys]
        await self._pool.write(lambda db: _in_turn(db, self._name, [*parts, COUNT_CHANGE]))

    async def secret(self, name: str) -> bytes | None:
        row = await self._row("SELECT sealed FROM secrets WHERE realm=$1 AND name=$2", name)
        return row[0] if row else None

    async def put_secret(self, name: str, sealed: bytes) -> bytes:
        await self._change(Part("INSERT INTO secrets VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", (name, sealed)))
        return await self.secret(name) or sealed

    async def note(self, name: str) -> str:
        row = await self._row("SELECT text FROM notes WHERE realm=$1 AND name=$2", name)
        return read(row[0]) if row else ""

    async def put_note(self, name: str, text: str) -> None:
        sql = "INSERT INTO notes VALUES ($1, $2, $3) ON CONFLICT (realm, name) DO UPDATE SET text=excluded.text"
        await self._change(Part(sql, (name, text)))

    async def commit(self, effects: Sequence[fx.Effect]) -> None:
        if not effects:
            return
        steps = steps_of(effects)
        parts = [part for step in steps for part in step.parts]
        try:
            if not are_independent(steps):
                await self._pool.write(lambda db: _in_turn(db, self._name, parts))
            elif (place := place_in_a_crowd(effects)) is not None:
                await self._shared(parts, place)
            else:
                await self._change(*parts)
        except pg.UniqueViolationError as taken:
            if taken.constraint_name != "people_by_name":
                raise
            raise fx.Lost from None

    async def purge(self, now: int, limit: int) -> int:
        return sum([await self._purged(sql.format(limit=int(limit)), now) for sql in _PURGES])

    async def _purged(self, sql: str, now: int) -> int:
        return _count(await self._pool.write(lambda db: db.execute(sql, self._name, now)))

    async def _one(self, decode: Callable[[bytes], Record], sql: str, *keys: object) -> Record | None:
        row = await self._row(sql, *keys)
        return decode(row[0]) if row else None

    async def _all(self, decode: Callable[[bytes], Record], sql: str, *keys: object) -> list[Record]:
        return [decode(row[0]) for row in await self._rows(sql, *keys)]

    async def _row(self, sql: str, *keys: object) -> Sequence[Any] | None:
        return await self._crowds.row(sql, (self._name, *_written_all(keys)))

    async def _rows(self, sql: str, *keys: object) -> Sequence[Any]:
        values = _written_all(keys)
        return await self._pool.read(lambda db: db.fetch(sql, self._name, *values))

    async def _change(self, *parts: Part) -> None:
        """Make all changes in one statement. Raises ``Lost``."""
        values = _written_all(value for part in parts for value in part.values)
        if len(parts) == 1:
            told = (self._name, *values) if "$1" in parts[0].sql else ()
            status = await self._pool.write(lambda db: db.execute(parts[0].sql, *told))
            if parts[0].must and _count(status) != 1:
                raise fx.Lost
            return
        sql = joined(parts)
        try:
            await self._pool.write(lambda db: db.fetch(sql, self._name, *values))
        except pg.DivisionByZeroError:
            raise fx.Lost from None

    async def _shared(self, parts: Sequence[Part], place: str) -> None:
        """The same, in a transaction with others of their kind. Raises ``Lost``."""
        values = _written_all(value for part in parts for value in part.values)
        try:
            await self._crowds.change(joined(parts), (self._name, *values), place)
        except pg.DivisionByZeroError:
            raise fx.Lost from None

    async def _removed(self, part: Part) -> bool:
        """Remove what nodes keep in memory; whether it was there."""
        try:
            await self._change(part, COUNT_CHANGE)
        except fx.Lost:
            return False
        return True


async def version_of(db: Connection) -> int:
    """The version of the tables there are; 0 for none."""
    if not await db.fetchval(_IS_THERE):
        return NOTHING
    return int(await db.fetchval("SELECT version_num FROM alembic_version") or NOTHING)


_IS_THERE = "SELECT 1 FROM pg_tables WHERE tablename='alembic_version' AND schemaname=ANY(current_schemas(false))"
"""Not ``to_regclass``: it may answer from what this connection knew before it waited for another's tables."""


async def make_tables(db: Connection) -> None:
    """The tables, unless they are there; several processes may come at once."""
    async with db.transaction():
        await db.execute(f"SELECT pg_advisory_xact_lock({MAKING})")
        if await version_of(db) == NOTHING:
            for statement in statements("postgres.sql"):
                await db.execute(statement)
            await teach(db)


MAKING = 0x1CEE_9E12
"""The advisory lock of whoever makes or changes tables."""


async def _in_turn(db: Connection, realm: str, parts: Sequence[Part]) -> None:
    """Make changes one after another, each seeing those before it, all or none. Raises ``Lost``."""
    async with db.transaction():
        for part in parts:
            status = await db.execute(part.sql, *((realm, *_written_all(part.values)) if "$1" in part.sql else ()))
            if part.must and _count(status) != 1:
                raise fx.Lost


def _count(status: str) -> int:
    """The rows that a statement changed, by what it says of itself (``UPDATE 1``)."""
    return int(status.rpartition(" ")[2])


_ESCAPE = "\x1a"


def written(text: str) -> str:
    """Text as PostgreSQL can hold it: without NUL."""
    if "\0" not in text and _ESCAPE not in text:
        return text
    return text.replace(_ESCAPE, _ESCAPE + "1").replace("\0", _ESCAPE + "0")


def read(text: str) -> str:
    """What ``written`` made, as it was."""
    return text.replace(_ESCAPE + "0", "\0").replace(_ESCAPE + "1", _ESCAPE) if _ESCAPE in text else text


def _written_all(values: Iterable[object]) -> list[object]:
    return [written(one) if isinstance(one, str) else one for one in values]


def _entry(key: str, record: bytes, expires_at: int, version: int) -> Entry:
    return Entry(read(key), record, expires_at, version)


def _credential(sub: str, credential_id: str, record: bytes) -> Credential:
    return Credential(read(sub), read(credential_id), record)


_REFRESH_TOKEN = """
    SELECT t.grant_id, t.expires_at, t.spent_at, t.successor,
           (SELECT s.spent_at IS NOT NULL FROM refresh_tokens s WHERE s.realm = t.realm AND s.digest = t.successor),
           g.record, g.revoked_at, p.record
    FROM refresh_tokens t JOIN grants g ON g.realm = t.realm AND g.id = t.grant_id
    LEFT JOIN people p ON p.realm = g.realm AND p.sub = g.sub
    WHERE t.realm = $1 AND t.digest = $2
"""


_STANDING = """
    SELECT r.jti IS NOT NULL, g.record, g.revoked_at, p.record
    FROM (SELECT 1) one
    LEFT JOIN revoked_tokens r ON r.realm = $1 AND r.jti = $2
    LEFT JOIN grants g ON g.realm = $1 AND g.id = $3
    LEFT JOIN people p ON p.realm = $1 AND p.sub = $4
"""


def _some(change: str, column: str, key: str, table: str, which: str) -> str:
    """SQL for a change where ``column`` is the key of one of some rows of a table. Rows that another node is at are left to it:
    nobody waits for anybody.

    The limit is written out, or the planner would expect to find a tenth of the table, and read all of it. They are chosen
    apart (``MATERIALIZED``): in a plain ``IN``, a plan may choose anew for each row that it looks at, and so come to all of them.
    """
    chosen = f"SELECT {key} FROM {table} WHERE realm=$1 AND {which} LIMIT {{limit}} FOR UPDATE SKIP LOCKED"  # noqa: S608
    return (
        f"WITH chosen AS MATERIALIZED ({chosen}) {change} WHERE realm=$1 AND ({column}) IN (SELECT {key} FROM chosen)"  # noqa: S608
    )


def _purge(table: str, key: str) -> str:
    return _some(f"DELETE FROM {table}", key, key, table, "expires_at < $2")  # noqa: S608


def _unused(change: str, column: str, lives: str) -> str:
    """SQL for a change to do with clients whose time is up; ``lives`` is "" for those of which a grant lives, NOT for the others."""
    grant = "EXISTS (SELECT 1 FROM grants g WHERE g.realm=$1 AND g.client_id=clients.id AND g.revoked_at IS NULL)"
    return _some(change, column, "id", "clients", f"unused_until < $2 AND {lives} {grant}")


_PURGES = (
    # a client of which a grant lives is looked at again a day later
    _unused("UPDATE clients SET unused_until = $2 + 86400", "id", ""),
    _unused("DELETE FROM consents", "client_id", "NOT"),
    _unused("DELETE FROM clients", "id", "NOT"),
    _purge("codes", "digest"),
    _purge("refresh_tokens", "digest"),
    _purge("grants", "id"),
    _purge("sessions", "digest"),
    _purge("revoked_tokens", "jti"),
    _purge("entries", "kind, key"),
)
