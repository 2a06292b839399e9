"""What a load balancer asks a node: does it live, is it to be sent requests. A node that leaves says so before it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from innkeeper.protocol.exchange import Reply, Request, json_reply
from innkeeper.protocol.refusals import Unreachable

ALIVE, READY = "/healthz", "/readyz"

_PATIENCE = 2.0
"""Seconds that the database has to answer: less than a load balancer usually waits for us."""


class Health:
    """One process: opened when it has its database, leaving when it was told to stop."""

    def __init__(self) -> None:
        self._look: Callable[[], Awaitable[object]] | None = None
        self.leaving = False

    def opened(self, look: Callable[[], Awaitable[object]]) -> None:
        """From now on requests can be answered, as long as ``look`` at the database succeeds."""
        self._look = look

    def leave(self) -> None:
        """Be sent no more requests. Those that come all the same are answered."""
        self.leaving = True

    async def alive(self, _: Request) -> Reply:
        """A process that answers this lives; starting it anew would not help with anything else."""
        return _answer(200, "alive")

    async def ready(self, _: Request) -> Reply:
        """Whether requests are welcome: 503 while the database does not answer, and once this node leaves."""
        if self.leaving:
            return _answer(503, "leaving")
        if self._look is None:
            return _answer(503, "opening")
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._look()
        except (Unreachable, TimeoutError):
            return _answer(503, "no database")
        return _answer(200, "ready")


def _answer(status: int, what: str) -> Reply:
    return json_reply({"status": what}, status, (("cache-control", "no-store"),))
