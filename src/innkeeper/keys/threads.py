"""Where slow signatures are made."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class Threads:
    """Where slow signatures are made: in threads, while this process has cores that no other worker of its issuer uses.

    A thread without a core of its own gains nothing. ``workers`` is how many share the cores.
    """

    def __init__(self, cores: int) -> None:
        self.workers = 1
        self._cores = cores
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="sign")

    @property
    def gain(self) -> bool:
        return self._cores > self.workers

    async def run(self, work: Callable[..., str], *told: object) -> str:
        """What ``work`` comes to, and the loop goes on meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *told)


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


THREADS = Threads(_cores())
"""Those of this process."""
