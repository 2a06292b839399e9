"""What many ask of PostgreSQL at the same time goes there together: one trip, one transaction, one flush of its log.

A statement has a few lanes. Whoever comes while one is free leaves at the end of the loop's turn, with those who came in it;
whoever comes while none is waits for the next departure. So nobody waits for a crowd to gather, and the busier the
server is, the more share a trip. Where one of them is refused, each goes alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from asyncpg import exceptions as pg

from innkeeper.issuer.store.postgres_pool import PATIENCE, Connection, Pool
from innkeeper.issuer.store.waiting import Line, settle
from innkeeper.protocol.refusals import Unreachable

Values = Sequence[object]


class Crowds:
    """The trips to one database, a crowd for each statement."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._asking: dict[str, Crowd] = {}
        self._changing: dict[str, Crowd] = {}

    async def row(self, sql: str, values: Values) -> Sequence[Any] | None:
        """The row that ``sql``, which finds one at most, finds for these values. Raises ``Unreachable``."""
        crowd = self._asking.get(sql)
        if crowd is None:
            crowd = self._asking[sql] = Crowd(self._asked(_always_a_row(sql)))
        found: Any = await crowd.join(values)
        return found[1:] if found[0] else None

    async def change(self, sql: str, values: Values, place: str) -> None:
        """Make a change. Raises ``Unreachable``, and what the database says of this one change.

        A crowd makes its changes in the order of their places. So that no two wait for each other, a change touches one row at most
        that others may touch, too, and has its place by that row.
        """
        crowd = self._changing.get(sql)
        if crowd is None:
            if len(self._changing) >= _STATEMENTS_KEPT:
                self._changing.clear()
            crowd = self._changing[sql] = Crowd(self._changed(sql))
        await crowd.join(values, place)

    def _asked(self, sql: str) -> Trip:
        async def alone(values: Values) -> object:
            found = await self._pool.read(lambda db: db.fetch(sql, *values))
            return found[0]

        async def trip(crowd: Sequence[Values]) -> Sequence[object]:
            return await self._pool.read(lambda db: _unless_refused(db.fetchmany(sql, crowd))) or await _each(
                alone, crowd
            )

        return trip

    def _changed(self, sql: str) -> Trip:
        async def alone(values: Values) -> object:
            return await self._pool.write(lambda db: db.execute(sql, *values))

        async def made(db: Connection, crowd: Sequence[Values]) -> Sequence[object]:
            await db.executemany(sql, crowd)
            return [None] * len(crowd)

        async def trip(crowd: Sequence[Values]) -> Sequence[object]:
            if len(crowd) == 1:
                return [await alone(crowd[0])]
            return await self._pool.write(lambda db: _unless_refused(made(db, crowd))) or await _each(alone, crowd)

        return trip


Trip = Callable[[Sequence[Values]], Awaitable[Sequence[object]]]
"""Takes the values of some, and brings each an answer, or an exception as one."""


class Crowd:
    """Those who ask the same."""

    def __init__(self, trip: Trip) -> None:
        self._trip = trip
        self._line: Line[tuple[str, Values]] = Line("the database is too busy")
        self._free = LANES
        self._called = False
        self._under_way: set[asyncio.Task[None]] = set()

    def join(self, values: Values, place: str = "") -> asyncio.Future[object]:
        """The answer for these values. Whoever stops waiting for it may have been answered all the same."""
        answer = self._line.join((place, values), PATIENCE)
        if self._free and not self._called:
            self._called = True
            asyncio.get_running_loop().call_soon(self._depart)
        return answer

    def _depart(self) -> None:
        self._called = False
        while self._free and (going := self._next()):
            self._free -= 1
            task = asyncio.get_running_loop().create_task(self._travel(going))
            self._under_way.add(task)
            task.add_done_callback(self._back)

    def _next(self) -> list[_Traveller]:
        going: list[_Traveller] = []
        while len(going) < MOST_TOGETHER and (one := self._line.next()):
            going.append(one)
        going.sort(key=_place)
        return going

    def _back(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._free += 1
        if self._line and not self._called:
            self._depart()

    async def _travel(self, going: Sequence[_Traveller]) -> None:
        try:
            answers = await self._trip([values for _, (_, values) in going])
        except asyncio.CancelledError:
            for answer, _ in going:
                answer.cancel()
            raise
        except Exception as failure:  # noqa: BLE001 - it is everybody's who asked
            answers = [_anew(failure) for _ in going]
        for (answer, _), told in zip(going, answers, strict=True):
            settle(answer, told)


_Traveller = tuple["asyncio.Future[object]", tuple[str, Values]]


def _place(one: _Traveller) -> str:
    return one[1][0]


async def _unless_refused(work: Awaitable[Sequence[object]]) -> Sequence[object]:
    """What it comes to; nothing where the database refused one of a crowd, and so did nothing for any of it."""
    try:
        return await work
    except _REFUSED:
        return ()


async def _each(alone: Callable[[Values], Awaitable[object]], crowd: Sequence[Values]) -> Sequence[object]:
    return await asyncio.gather(*map(alone, crowd), return_exceptions=True)


def _always_a_row(sql: str) -> str:
    """A question that finds one row or none, as one that finds a row always: whether there was one, and it. So that answers
    stand in the order of what was asked."""
    return f"SELECT found.* FROM (SELECT 1) one LEFT JOIN LATERAL (SELECT true AS there, it.* FROM ({sql}) it) found ON true"  # noqa: S608


def _anew(failure: Exception) -> Exception:
    """One of one's own for each: whoever raises it adds to where it has been."""
    return Unreachable(*failure.args) if isinstance(failure, Unreachable) else failure


LANES = 4
"""Trips of one statement that may be under way: while one waits for the disk, another goes."""

MOST_TOGETHER = 16
"""Of a crowd on one trip. More would leave this process idle while the database works, and the database while this process does."""

_STATEMENTS_KEPT = 256

_REFUSED = (
    pg.DataError,  # that of a lost race among them, a division by zero
    pg.IntegrityConstraintViolationError,
    pg.TransactionRollbackError,
    pg.LockNotAvailableError,
)
"""It is about one of them, and everything was undone."""
