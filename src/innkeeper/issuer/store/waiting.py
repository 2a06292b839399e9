"""A line of those who wait for their turn, each so long and no longer."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

from innkeeper.protocol.refusals import Unreachable

What = TypeVar("What")


class Line(Generic[What]):
    """Who came first is next. One timer looks after all: a busy server waits for nearly every statement, and a timer for each
    spent a tenth of its time."""

    def __init__(self, in_vain: str) -> None:
        self._in_vain = in_vain
        self._waiting: deque[tuple[float, asyncio.Future[object], What]] = deque()
        self._watch: asyncio.TimerHandle | None = None

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def join(self, what: What, patience: float) -> asyncio.Future[object]:
        """Wait as the last one, for at most that many seconds; the future then fails with ``Unreachable``."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[object] = loop.create_future()
        self._waiting.append((loop.time() + patience, turn, what))
        if self._watch is None:
            self._watch = loop.call_later(patience, self._look)
        return turn

    def next(self) -> tuple[asyncio.Future[object], What] | None:
        """Whoever has waited longest and still does, out of the line; None where nobody is."""
        while self._waiting:
            _, turn, what = self._waiting.popleft()
            if not turn.done():
                return turn, what
        return None

    def _look(self) -> None:
        """Turn away those who have waited too long, and look again when the next one will have."""
        loop, self._watch = asyncio.get_running_loop(), None
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] <= loop.time()):
            _, late, _ = self._waiting.popleft()
            if not late.done():
                late.set_exception(Unreachable(self._in_vain))
        if self._waiting:
            self._watch = loop.call_at(self._waiting[0][0], self._look)


def settle(asked: asyncio.Future[object], answer: object) -> None:
    """Give whoever waits an answer, or raise one that is an exception; nobody may be waiting any more."""
    if asked.done():
        return
    if isinstance(answer, BaseException):
        asked.set_exception(answer)
    else:
        asked.set_result(answer)
