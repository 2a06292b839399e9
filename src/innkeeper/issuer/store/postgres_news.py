"""Hearing from other nodes that something changed, by LISTEN and NOTIFY; and looking by oneself, in case nobody says."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from innkeeper.issuer.store.postgres_effects import CHANNEL
from innkeeper.issuer.store.postgres_pool import THE_DATABASES, WRONG_ADDRESS, Connection, Pool

LOOK_EVERY = 2.0
"""Seconds after which a node looks by itself: the longest that it believes what has changed, whatever fails."""


class News:
    """A connection that listens. Where it is lost, it is made anew at the next wait."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._listening: Connection | None = None
        self._heard = asyncio.Event()

    async def wait(self) -> None:
        """Return when something has changed, or after a while without news."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY):
                await self._listen()
                await self._heard.wait()
        self._heard.clear()

    def close(self) -> None:
        if self._listening is not None:
            self._listening.terminate()

    async def _listen(self) -> None:
        if self._listening is not None and not self._listening.is_closed():
            return
        with suppress(*THE_DATABASES, *WRONG_ADDRESS):
            self._listening = await self._pool.connect()
            self._listening.add_termination_listener(self._hear)  # Who is cut off hears nothing, and has to look.
            await self._listening.add_listener(CHANNEL, self._hear)
            self._heard.set()  # Whatever was said in the meantime was missed.

    def _hear(self, *_: Any) -> None:
        self._heard.set()
