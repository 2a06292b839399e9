"""Errands: work that nobody waits for, such as telling a stranger's server that something happened."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

MOST = 1_000
"""Errands under way at a time. More than that means that strangers' servers are slow, and memory is not theirs."""

log = logging.getLogger("innkeeper.errands")


class Errands:
    """Errands under way. ``pause`` waits for so many seconds."""

    def __init__(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.pause = pause
        self._under_way: set[asyncio.Task[None]] = set()

    @property
    def under_way(self) -> int:
        return len(self._under_way)

    def start(self, errand: Coroutine[Any, Any, None]) -> bool:
        """Send somebody off; whoever calls does not wait. False, and nobody goes, where too many are out already."""
        if len(self._under_way) >= MOST:
            errand.close()
            log.warning("%d errands are under way: one was not begun", MOST)
            return False
        task = asyncio.create_task(errand)
        self._under_way.add(task)
        task.add_done_callback(self._back)
        return True

    async def finished(self, within: float | None = None) -> None:
        """Wait until all are back, for at most ``within`` seconds; then call off those that are not."""
        while self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=within)
            for task in late:
                task.cancel()

    def _back(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("an errand failed", exc_info=error)
