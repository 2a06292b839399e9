"""Connections to PostgreSQL: a few, kept open; a lost one is replaced, and what did not happen is tried again.

Ours and not asyncpg's pool, because that one spends 45 microseconds on a statement of 25, and because it matters here
what may be tried again: a look-up always, a commit only where it certainly was not made.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg
from asyncpg import exceptions as pg

from innkeeper.issuer.core.effects import Lost
from innkeeper.issuer.store.waiting import Line
from innkeeper.protocol.refusals import Unreachable, UsageError

Result = TypeVar("Result")
Connection = Any
"""An ``asyncpg.Connection``, which declares no types."""

Work = Callable[[Connection], Awaitable[Result]]


class Pool:
    """At most ``most`` connections to the database at ``address``, a ``postgresql:`` URL with one host or several."""

    def __init__(self, address: str, most: int) -> None:
        self._address = address
        self._places = Places(most)
        self._idle: list[tuple[int, Connection]] = []
        self._busy: set[Connection] = set()
        self._generation = 0
        self._down_since: float | None = None
        self._knocking = False
        self._closed = False

    async def read(self, work: Work[Result]) -> Result:
        """The answer to a question, asked again where a connection was lost. Raises ``Unreachable``."""
        return await self._done(work, _MAY_BE_ASKED_AGAIN)

    async def write(self, work: Work[Result]) -> Result:
        """The result of a change, made again only where it certainly was not made. Raises ``Unreachable``, ``Lost``."""
        return await self._done(work, _DID_NOT_HAPPEN)

    async def connect(self, settings: Mapping[str, str] = MappingProxyType({})) -> Connection:
        """A connection beside the pool, for whoever needs one of their own, with ``settings`` of their own."""
        connection = await asyncpg.connect(
            self._address,
            timeout=_CONNECT,
            command_timeout=None if settings else _COMMAND,
            server_settings={**_SETTINGS, **settings},
            target_session_attrs="read-write" if _has_several_hosts(self._address) else None,
        )
        await connection.execute(_DURABLE)
        return connection

    def close(self) -> None:
        """Let go of all connections. What was acknowledged is in the database; nothing else is owed to anybody."""
        self._closed = True
        for connection in [*self._busy, *(one for _, one in self._idle)]:
            connection.terminate()
        self._idle.clear()

    async def _done(self, work: Work[Result], again: tuple[type[Exception], ...]) -> Result:
        pauses = _pauses()
        while True:
            try:
                return await self._once(work)
            except _NobodyThere as nobody:
                pause = next(pauses, None) if self._lately_up() else None
                if pause is None:
                    raise Unreachable(f"the database cannot be reached: {nobody}") from None
            except again as passing:
                pause = next(pauses, None)
                if pause is None:
                    raise Unreachable(f"the database did not answer: {_told(passing)}") from None
            except THE_DATABASES as failure:
                raise Unreachable(f"the database did not answer: {_told(failure)}") from None
            await asyncio.sleep(pause)

    async def _once(self, work: Work[Result]) -> Result:
        if self._closed:
            raise Unreachable("the database was closed")
        await self._places.take()
        try:
            generation, connection = await self._connection()
            self._busy.add(connection)
            kept = False
            try:
                result = await work(connection)
                kept = True
                return result
            except pg.ReadOnlySQLTransactionError:
                self._generation += 1  # A server that only reads is not the one to be at: ask who is, anew.
                raise
            except (Lost, pg.PostgresError, asyncio.CancelledError) as failure:
                kept = not isinstance(failure, _CUTS)
                raise
            finally:
                self._busy.discard(connection)
                self._give_back(generation, connection, kept)
        finally:
            self._places.leave()

    async def _connection(self) -> tuple[int, Connection]:
        while self._idle:
            generation, connection = self._idle.pop()
            if generation == self._generation and not connection.is_closed():
                return generation, connection
            connection.terminate()
        return self._generation, await self._fresh()

    async def _fresh(self) -> Connection:
        if self._knocking and not self._lately_up():
            raise _NobodyThere("nobody has answered for a while")
        self._knocking = True
        try:
            connection = await self.connect()
        except (*THE_DATABASES, *WRONG_ADDRESS) as failure:
            self._down_since = self._down_since or time.monotonic()
            raise _NobodyThere(_told(failure)) from None
        finally:
            self._knocking = False
        self._down_since = None
        return connection

    def _give_back(self, generation: int, connection: Connection, kept: bool) -> None:
        if self._closed or not kept or generation != self._generation or connection.is_closed():
            connection.terminate()
        else:
            self._idle.append((generation, connection))

    def _lately_up(self) -> bool:
        """Whether it is too early to give up: the database was there a moment ago."""
        return self._down_since is None or time.monotonic() - self._down_since < _HOPE


class Places:
    """As many places as there are connections, given to those who wait in their order."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._line: Line[None] = Line("every connection to the database is busy")

    async def take(self) -> None:
        """Take a place. Raises ``Unreachable`` where none got free in time."""
        if self._free:
            self._free -= 1
            return
        mine = self._line.join(None, PATIENCE)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled() and mine.exception() is None:
                self.leave()  # it was ours already
            raise

    def leave(self) -> None:
        """Leave a place to whoever has waited longest."""
        first = self._line.next()
        if first is None:
            self._free += 1
        else:
            first[0].set_result(None)


def checked_address(text: str) -> str:
    """A ``postgresql:`` URL as it was given. Raises ``UsageError``, without what may be a password."""
    try:
        good = urlsplit(text).scheme in ("postgresql", "postgres") and bool(urlsplit(text).netloc)
    except ValueError:
        good = False
    if not good:
        raise UsageError("the database URL is not one of PostgreSQL: write postgresql://user:password@host:5432/name")
    return text


def shown_address(address: str) -> str:
    """An address as people may see it: hosts and database, no user and no password."""
    parts = urlsplit(address)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"


class _NobodyThere(Exception):
    """No connection could be made; nothing was asked."""


def _told(failure: BaseException) -> str:
    return " ".join(str(failure).split()) or type(failure).__name__


def _has_several_hosts(address: str) -> bool:
    parts = urlsplit(address)
    return "," in parts.netloc or "target_session_attrs" in parts.query


def _pauses() -> Iterator[float]:
    """Seconds between tries, each with jitter, so that many nodes do not knock together."""
    for pause in (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8):
        yield pause * random.uniform(0.5, 1.5)  # noqa: S311 - nothing here is secret


_CONNECT = 3.0
"""Seconds that a server has to let us in."""

_COMMAND = 8.0
"""Seconds after which a statement is given up from our side: the server, or the way to it, is gone."""

PATIENCE = 3.0
"""Seconds that a request waits for a free connection."""

_HOPE = 2.0
"""Seconds after losing the database in which a request still waits for it; later ones are told at once."""

_SETTINGS = {
    "application_name": "innkeeper",
    "statement_timeout": "5000",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "10000",
    "jit": "off",
}
"""Milliseconds. ``jit`` costs more than any statement of ours takes."""

_DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
"""What is acknowledged is on disk, whatever the server does for others. Stricter settings, and ``local``, are let be."""

_CUTS = (pg.AdminShutdownError, pg.CrashShutdownError, pg.CannotConnectNowError, pg.PostgresConnectionError)
"""After these, the connection is gone or about to be."""

THE_DATABASES = (
    OSError,
    TimeoutError,
    pg.InterfaceError,
    pg.InternalClientError,
    pg.PostgresConnectionError,
    pg.InsufficientResourcesError,
    pg.OperatorInterventionError,
    pg.PostgresSystemError,
    pg.TransactionRollbackError,
    pg.LockNotAvailableError,
    pg.ReadOnlySQLTransactionError,
    pg.InternalServerError,
)
"""The database failed, or the way to it, and not this one question."""

WRONG_ADDRESS = (pg.InvalidCatalogNameError, pg.InvalidAuthorizationSpecificationError)

_DID_NOT_HAPPEN = (pg.TransactionRollbackError, pg.ReadOnlySQLTransactionError)
"""The server says that it undid everything."""

_MAY_BE_ASKED_AGAIN = (
    *_DID_NOT_HAPPEN,
    OSError,
    pg.InterfaceError,
    pg.InternalClientError,  # a farewell was read, and the connection is not known to be closed yet
    pg.PostgresConnectionError,
    pg.AdminShutdownError,
    pg.CrashShutdownError,
)
