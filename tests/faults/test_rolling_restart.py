"""Every node is replaced by a new one while requests keep coming, and not one of them fails.

What is proved: a node that is told to stop says so at /readyz before it stops taking requests, answers what it has
taken, and what it knew, sessions, families and keys, the others know.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from tests.faults.families import Family, begin_families, furnish
from tests.faults.nodes import Node, nodes

LOOKS_EVERY = 0.05
"""Seconds between a balancer's looks at /readyz."""


class Balancer:
    """Requests go to the nodes that were ready when they were last asked, one after another."""

    def __init__(self, at_work: list[Node]) -> None:
        self.nodes = at_work
        self.ready = list(at_work)
        self._turns = itertools.count()
        self._client = httpx2.AsyncClient(timeout=20, limits=httpx2.Limits(max_connections=None))

    async def look(self) -> None:
        while True:
            self.ready = [node for node in self.nodes if await self._is_ready(node)]
            await asyncio.sleep(LOOKS_EVERY)

    async def _is_ready(self, node: Node) -> bool:
        try:
            return (await self._client.get(f"{node.url}/readyz")).status_code == 200
        except httpx2.HTTPError:
            return False

    async def post(self, path: str, form: dict[str, str]) -> httpx2.Response:
        ready = self.ready
        node = ready[next(self._turns) % len(ready)]
        return await self._client.post(node.url + path, data=form)

    async def aclose(self) -> None:
        await self._client.aclose()


@pytest.mark.parametrize("engine", ["postgres", "sqlite"])
def test_no_request_fails_while_all_nodes_are_replaced(
    tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("database") if engine == "postgres" else str(tmp_path / "inn.db")
    asyncio.run(furnish(url))
    with nodes(tmp_path, url, 2, leave=1.0) as at_work:
        answered = asyncio.run(replaced_under_load(url, at_work))
    assert set(answered) == {200}
    assert len(answered) > 100


async def replaced_under_load(url: str, at_work: list[Node]) -> list[int]:
    """The statuses of all answers while each node was replaced in turn."""
    balancer, answered = Balancer(at_work), []
    families = await begin_families(url, 8)
    going = True

    async def keep_asking(family: Family) -> None:
        while going:
            answer = await balancer.post("/token", family.next_request())
            answered.append(answer.status_code)
            family.take(answer.json())

    looking = asyncio.create_task(balancer.look())
    asking = [asyncio.create_task(keep_asking(family)) for family in families]
    try:
        for at in range(len(at_work)):
            await replace(balancer, at)
    finally:
        going = False
        await asyncio.gather(*asking)
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        await balancer.aclose()
    return answered


async def replace(balancer: Balancer, at: int) -> None:
    """A new node comes, is ready, takes the place of the old one; the old one leaves."""
    old = balancer.nodes[at]
    new = Node(old.folder, old.database, leave=1.0)
    await asyncio.to_thread(new.start)
    balancer.nodes.append(new)
    await until(lambda: new in balancer.ready)
    old.leave()
    await until(lambda: old not in balancer.ready)
    await asyncio.to_thread(old.until_gone)
    balancer.nodes.remove(old)
    balancer.nodes.insert(at, balancer.nodes.pop())


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.02)
