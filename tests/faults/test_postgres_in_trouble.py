"""PostgreSQL goes away, comes back, cuts us off, only reads, or is replaced by its standby, while clients are at work.

What is proved: nobody is told anything but tokens or 503 with Retry-After; once the database is back, so are we, without
help; and nothing that was acknowledged is lost, doubled or falsely revoked.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.families import Family, begin_families, cut_codes, furnish
from tests.faults.history import Clients, History
from tests.faults.nodes import nodes
from tests.postgres import FAST, Postgres, postgres, standby

Trouble = Callable[[Clients], Awaitable[None]]


@pytest.fixture
def own(postgres: Postgres) -> Iterator[Postgres]:
    """A server of this test's own. (The run's own is asked for first, since it says whether there can be any.)"""
    with another(*FAST) as server:
        yield server


another = postgres


def through(folder: Path, url: str, trouble: Trouble) -> History:
    """Clients at work on one node, before, while and after there is trouble; judged in the end."""
    asyncio.run(furnish(url))
    with nodes(folder, url, 1) as (node,):

        async def work() -> History:
            history = History()
            clients = Clients(history, lambda: node.url)
            families, redeemed = await begin_families(url, 8), list[Family]()
            codes = await cut_codes(url, 500)
            clients.rotate(families)
            clients.redeem(codes, redeemed)
            await clients.until_given(50)
            await trouble(clients)
            await clients.until_given(50)
            await clients.stop()
            await clients.judge([*families, *redeemed])
            return history

        history = asyncio.run(work())
        assert "Traceback" not in node.told(), node.told()[-2000:]
    print(f"{history.given} given, {history.unanswered} unanswered, {history.unavailable} unavailable")
    assert history.unanswered == 0, "the node itself was there all the time"
    return history


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_a_server_that_ends_and_starts_again(tmp_path: Path, own: Postgres, how: signal.Signals) -> None:
    async def trouble(clients: Clients) -> None:
        await asyncio.to_thread(own.stop, how)
        await clients.until_unavailable()
        await asyncio.to_thread(own.start)

    assert through(tmp_path, own.url(), trouble).unavailable > 0


def test_connections_that_are_cut_in_the_middle_of_what_they_do(tmp_path: Path, own: Postgres) -> None:
    async def trouble(clients: Clients) -> None:
        for _ in range(10):
            await asyncio.to_thread(own.cut, "inn")
            await clients.until_given(10)

    own.sql("CREATE DATABASE inn")
    through(tmp_path, own.url("inn"), trouble)


def test_a_database_that_only_reads_for_a_while(tmp_path: Path, own: Postgres) -> None:
    async def trouble(clients: Clients) -> None:
        for setting in ("on", "off"):
            await asyncio.to_thread(own.sql, f"ALTER DATABASE inn SET default_transaction_read_only = {setting}")
            await asyncio.to_thread(own.cut, "inn")
            if setting == "on":
                await clients.until_unavailable()

    own.sql("CREATE DATABASE inn")
    assert through(tmp_path, own.url("inn"), trouble).unavailable > 0


def test_a_standby_that_takes_over(tmp_path: Path, own: Postgres) -> None:
    """Both hosts stand in the URL. The standby has what was acknowledged, for the first one waits for it."""
    with standby(own, *FAST) as second:
        own.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        own.sql("SELECT pg_reload_conf()")

        async def trouble(clients: Clients) -> None:
            await asyncio.to_thread(own.stop, signal.SIGQUIT)
            await clients.until_unavailable()
            await asyncio.to_thread(second.sql, "SELECT pg_promote()")

        hosts = f"127.0.0.1:{own.port},127.0.0.1:{second.port}"
        assert through(tmp_path, f"postgresql://innkeeper@{hosts}/postgres", trouble).unavailable > 0
