"""The store on one SQLite file: write-ahead log, synchronous FULL, one writer with group commit.

Reads run on the event loop's own connection: a look-up by primary key takes some ten microseconds, less than
handing it to a thread. Writes go to the writer's thread and return when they are on the disk.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from innkeeper.issuer.core import effects as fx
from innkeeper.issuer.core.records import Client, Code, Consent, Grant, Person, RefreshToken, Resource, Session
from innkeeper.issuer.store import decoding
from innkeeper.issuer.store.decoding import encode as _encode
from innkeeper.issuer.store.port import Credential, Entry, HeldToken, RealmStore, Standing
from innkeeper.issuer.store.schema import NOTHING, SCHEMA_VERSION, judge, statements
from innkeeper.issuer.store.sqlite_checkpoints import LOG_PAGES, Checkpoints
from innkeeper.issuer.store.sqlite_effects import COUNT_CHANGE, NEW_RESOURCE, all_of, put_client
from innkeeper.issuer.store.sqlite_turn import Turn
from innkeeper.issuer.store.sqlite_writer import Writer
from innkeeper.issuer.store.tables import SHELVES
from innkeeper.keys.stored import StoredKey
from innkeeper.protocol.refusals import Unreachable, UsageError

LOOK_EVERY = 0.5
"""Seconds between looks at what other processes have changed."""

Record = TypeVar("Record")


class SqliteStore:
    """A database file. Raises ``UsageError`` where it cannot be opened, is damaged, or is of a newer version."""

    def __init__(self, path: Path) -> None:
        writing = _connect(path)
        _bring_up(writing, path)
        self._reading = _connect(path)
        self._checkpoints = Checkpoints(_connect(path), path)
        self._writer = Writer(writing, path, self._checkpoints.after)

    def realm(self, name: str) -> RealmStore:
        return SqliteRealm(name, self._reading, self._writer)

    async def version(self) -> int:
        row = _reader(self._reading)("SELECT text FROM notes WHERE realm='' AND name='changes'").fetchone()
        return int(row[0]) if row else 0

    async def news(self) -> None:
        await asyncio.sleep(LOOK_EVERY)

    def close(self) -> None:
        self._writer.close()
        self._checkpoints.close()
        self._reading.close()


class SqliteRealm:
    """One realm's rows. See ``port.RealmStore`` for what each look-up means."""

    def __init__(self, name: str, reading: sqlite3.Connection, writer: Writer) -> None:
        self._name = name
        self._read = _reader(reading)
        self._writer = writer

    async def client(self, client_id: str) -> Client | None:
        return self._one(decoding.client, "SELECT record FROM clients WHERE realm=? AND id=?", client_id)

    async def clients(self) -> Sequence[Client]:
        return self._all(decoding.client, "SELECT record FROM clients WHERE realm=? ORDER BY id")

    async def put_client(self, client: Client) -> None:
        await self._writer.write(lambda db: put_client(db.execute, self._name, client))

    async def remove_client(self, client_id: str) -> bool:
        return await self._change("DELETE FROM clients WHERE realm=? AND id=?", client_id) > 0

    async def resources(self) -> Sequence[Resource]:
        return self._all(decoding.resource, "SELECT record FROM resources WHERE realm=? ORDER BY position, uri")

    async def put_resource(self, resource: Resource) -> None:
        await self._change(f"{NEW_RESOURCE} DO UPDATE SET record=excluded.record", resource.uri, _encode(resource))

    async def remove_resource(self, uri: str) -> bool:
        return await self._change("DELETE FROM resources WHERE realm=? AND uri=?", uri) > 0

    async def person(self, sub: str) -> Person | None:
        return self._one(decoding.person, "SELECT record FROM people WHERE realm=? AND sub=?", sub)

    async def person_named(self, username: str) -> Person | None:
        return self._one(decoding.person, "SELECT record FROM people WHERE realm=? AND username=?", username)

    async def people(self) -> Sequence[Person]:
        return self._all(decoding.person, "SELECT record FROM people WHERE realm=? ORDER BY username")

    async def put_person(self, person: Person) -> None:
        sql = "INSERT INTO people VALUES (?,?,?,?) ON CONFLICT (realm, sub) DO UPDATE SET username=?3, record=?4"
        try:
            await self._run(sql, person.sub, person.username, _encode(person))
        except sqlite3.IntegrityError:
            raise UsageError(f"somebody named {person.username!r} is here already; choose another name") from None

    async def session(self, digest: bytes) -> Session | None:
        sql = "SELECT record, ended_at FROM sessions WHERE realm=? AND digest=?"
        row = self._read(sql, (self._name, digest)).fetchone()
        return decoding.session(*row) if row else None

    async def sessions(self, sub: str) -> Sequence[Session]:
        sql = "SELECT record, ended_at FROM sessions WHERE realm=? AND sub=?"
        rows = self._read(sql, (self._name, sub))
        return [decoding.session(*row) for row in rows]

    async def consent(self, sub: str, client_id: str) -> Consent | None:
        return self._one(
            decoding.consent, "SELECT record FROM consents WHERE realm=? AND sub=? AND client_id=?", sub, client_id
        )

    async def consents(self, sub: str) -> Sequence[Consent]:
        return self._all(
            decoding.consent, "SELECT record FROM consents WHERE realm=? AND sub=? ORDER BY client_id", sub
        )

    async def code(self, digest: bytes) -> Code | None:
        sql = "SELECT record, spent_at FROM codes WHERE realm=? AND digest=?"
        row = self._read(sql, (self._name, digest)).fetchone()
        return decoding.code(*row) if row else None

    async def grant(self, grant_id: str) -> Grant | None:
        sql = "SELECT record, revoked_at FROM grants WHERE realm=? AND id=?"
        row = self._read(sql, (self._name, grant_id)).fetchone()
        return decoding.grant(*row) if row else None

    async def grants(self, sub: str) -> Sequence[Grant]:
        sql = "SELECT record, revoked_at FROM grants WHERE realm=? AND sub=?"
        rows = self._read(sql, (self._name, sub))
        return [decoding.grant(*row) for row in rows]

    async def refresh_token(self, digest: bytes) -> HeldToken | None:
        row = self._read(_REFRESH_TOKEN, (self._name, digest)).fetchone()
        if row is None:
            return None
        grant_id, expires_at, spent_at, successor, *whose = row
        token = RefreshToken(
            digest=digest, grant_id=grant_id, expires_at=expires_at, spent_at=spent_at, successor=successor
        )
        return decoding.held(token, *whose)

    async def token_is_revoked(self, jti: str) -> bool:
        sql = "SELECT 1 FROM revoked_tokens WHERE realm=? AND jti=?"
        return self._read(sql, (self._name, jti)).fetchone() is not None

    async def standing(self, jti: str, grant_id: str, sub: str) -> Standing:
        return decoding.standing(*self._read(_STANDING, (self._name, jti, grant_id, sub)).fetchone())

    async def entry(self, kind: str, key: str) -> Entry | None:
        sql = "SELECT key, record, expires_at, version FROM entries WHERE realm=? AND kind=? AND key=?"
        row = self._read(sql, (self._name, kind, key)).fetchone()
        return Entry(*row) if row else None

    async def entries(self, kind: str, prefix: str) -> Sequence[Entry]:
        sql = (
            "SELECT key, record, expires_at, version FROM entries "
            "WHERE realm=? AND kind=? AND key >= ? AND key < ? ORDER BY key"
        )
        return [Entry(*row) for row in self._read(sql, (self._name, kind, prefix, prefix + "\U0010ffff"))]

    async def credentials(self, sub: str, kind: str) -> Sequence[Credential]:
        sql = "SELECT sub, id, record FROM credentials WHERE realm=? AND sub=? AND kind=? ORDER BY id"
        return [Credential(*row) for row in self._read(sql, (self._name, sub, kind))]

    async def credential(self, kind: str, credential_id: str) -> Credential | None:
        sql = "SELECT sub, id, record FROM credentials WHERE realm=? AND kind=? AND id=?"
        row = self._read(sql, (self._name, kind, credential_id)).fetchone()
        return Credential(*row) if row else None

    async def record(self, shelf: str, key: str) -> bytes | None:
        table, column = SHELVES[shelf]
        row = self._read(f"SELECT record FROM {table} WHERE realm=? AND {column}=?", (self._name, key)).fetchone()  # noqa: S608
        return row[0] if row else None

    async def keys(self) -> Sequence[StoredKey]:
        return self._all(decoding.key, "SELECT record FROM signing_keys WHERE realm=?")

    async def put_keys(self, keys: Sequence[StoredKey]) -> None:
        rows = [(self._name, one.kid, _encode(one)) for one in keys]

        def work(db: sqlite3.Connection) -> None:
            db.executemany("INSERT OR REPLACE INTO signing_keys VALUES (?,?,?)", rows)
            db.execute(COUNT_CHANGE)

        await self._writer.write(work)

    async def secret(self, name: str) -> bytes | None:
        row = self._read("SELECT sealed FROM secrets WHERE realm=? AND name=?", (self._name, name)).fetchone()
        return row[0] if row else None

    async def put_secret(self, name: str, sealed: bytes) -> bytes:
        await self._run("INSERT OR IGNORE INTO secrets VALUES (?,?,?)", name, sealed)
        return await self.secret(name) or sealed

    async def note(self, name: str) -> str:
        row = self._read("SELECT text FROM notes WHERE realm=? AND name=?", (self._name, name)).fetchone()
        return row[0] if row else ""

    async def put_note(self, name: str, text: str) -> None:
        await self._run("INSERT OR REPLACE INTO notes VALUES (?,?,?)", name, text)

    async def commit(self, effects: Sequence[fx.Effect]) -> None:
        if effects:
            await self._writer.write(all_of(self._name, effects))

    async def purge(self, now: int, limit: int) -> int:
        """Kind by kind, so that what others want to write comes in between."""
        return sum([await self._run(sql, now, limit) for sql in _PURGES])

    def _one(self, decode: Callable[[bytes], Record], sql: str, *keys: object) -> Record | None:
        row = self._read(sql, (self._name, *keys)).fetchone()
        return decode(row[0]) if row else None

    def _all(self, decode: Callable[[bytes], Record], sql: str, *keys: object) -> list[Record]:
        return [decode(row[0]) for row in self._read(sql, (self._name, *keys))]

    async def _change(self, sql: str, *values: object) -> int:
        """Change what nodes keep in memory, and count the change, so that each of them notices."""

        def work(db: sqlite3.Connection) -> int:
            db.execute(COUNT_CHANGE)
            return db.execute(sql, (self._name, *values)).rowcount

        return int(str(await self._writer.write(work)))

    async def _run(self, sql: str, *values: object) -> int:
        return int(str(await self._writer.write(lambda db: db.execute(sql, (self._name, *values)).rowcount)))


_REFRESH_TOKEN = """
    SELECT t.grant_id, t.expires_at, t.spent_at, t.successor,
           (SELECT s.spent_at IS NOT NULL FROM refresh_tokens s WHERE s.realm = t.realm AND s.digest = t.successor),
           g.record, g.revoked_at, p.record
    FROM refresh_tokens t JOIN grants g ON g.realm = t.realm AND g.id = t.grant_id
    LEFT JOIN people p ON p.realm = g.realm AND p.sub = g.sub
    WHERE t.realm = ? AND t.digest = ?
"""


_STANDING = """
    SELECT r.jti IS NOT NULL, g.record, g.revoked_at, p.record
    FROM (SELECT 1) one
    LEFT JOIN revoked_tokens r ON r.realm = ?1 AND r.jti = ?2
    LEFT JOIN grants g ON g.realm = ?1 AND g.id = ?3
    LEFT JOIN people p ON p.realm = ?1 AND p.sub = ?4
"""


def _purge(table: str, key: str) -> str:
    """SQL for one table; both names are constants below."""
    chosen = f"SELECT {key} FROM {table} WHERE realm=?1 AND expires_at < ?2 LIMIT ?3"  # noqa: S608
    return f"DELETE FROM {table} WHERE realm=?1 AND {key} IN ({chosen})"  # noqa: S608


_LIVES = "EXISTS (SELECT 1 FROM grants g WHERE g.realm=?1 AND g.client_id=clients.id AND g.revoked_at IS NULL)"
_LIVING = f"SELECT id FROM clients WHERE realm=?1 AND unused_until < ?2 AND {_LIVES} LIMIT ?3"  # noqa: S608
_DEAD = f"SELECT id FROM clients WHERE realm=?1 AND unused_until < ?2 AND NOT {_LIVES} LIMIT ?3"  # noqa: S608

_PURGES = (
    # a client of which a grant lives is looked at again a day later
    f"UPDATE clients SET unused_until = ?2 + 86400 WHERE realm=?1 AND id IN ({_LIVING})",  # noqa: S608
    f"DELETE FROM consents WHERE realm=?1 AND client_id IN ({_DEAD})",  # noqa: S608
    f"DELETE FROM clients WHERE realm=?1 AND id IN ({_DEAD})",  # noqa: S608
    _purge("codes", "digest"),
    _purge("refresh_tokens", "digest"),
    _purge("grants", "id"),
    _purge("sessions", "digest"),
    _purge("revoked_tokens", "jti"),
    (
        "DELETE FROM entries WHERE realm=?1 AND (kind, key) IN "
        "(SELECT kind, key FROM entries WHERE realm=?1 AND expires_at < ?2 LIMIT ?3)"
    ),
)


def _reader(connection: sqlite3.Connection) -> Callable[..., sqlite3.Cursor]:
    execute = connection.execute

    def read(sql: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        try:
            return execute(sql, values)
        except sqlite3.Error as error:
            raise Unreachable(f"the database could not be read: {error}") from None

    return read


def _connect(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA cache_size=-8192")
        connection.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")
    except sqlite3.Error as error:
        raise _unusable(path, error) from None
    return connection


def _bring_up(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables in an empty file; refuse, untouched, a damaged one, a newer one and another program's."""
    try:
        _judge(connection, path)
        with closing(Turn(path)) as turn, turn:
            connection.execute("PRAGMA journal_mode=WAL")
            _make_tables(connection)
    except sqlite3.Error as error:
        connection.close()
        raise _unusable(path, error) from None
    except UsageError:
        connection.close()
        raise


def _judge(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN")  # both are of one moment: another process may be making the tables
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    connection.execute("COMMIT")
    if version != NOTHING:
        judge(version, f"the database {path}")
    elif tables:
        raise _unusable(path, "it is another program's")
    if path.stat().st_size > _CHECKED_WHOLE:
        return
    problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if problem != "ok":
        raise _unusable(path, problem)


def _make_tables(connection: sqlite3.Connection) -> None:
    """The tables, unless they are there; several processes may start on one empty file."""
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA user_version").fetchone()[0] == NOTHING:
        for statement in statements("schema.sql"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    connection.execute("COMMIT")


_CHECKED_WHOLE = 64_000_000
"""Bytes of the largest file that is read through for damage when it is opened: it takes some tenths of a second."""


def _unusable(path: Path, error: object) -> UsageError:
    return UsageError(
        f"the database {path} cannot be used: {' '.join(str(error).split())}. Nothing was changed. "
        "Make its folder writable, restore it from a backup, or choose another STATE."
    )
