"""Nodes are killed at random moments, again and again, while codes are redeemed and tokens rotated on two of them.

What is proved: a process may end between any two instructions, and no acknowledged token is lost, no code is redeemed
twice, no family forks or is falsely revoked, and the next start is clean every time; the audit log holds, and knows of
every token that anybody got. ``make faults`` does hundreds of rounds of it; here are a few. The seed of a run is in its
failure.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from innkeeper.issuer.witness.audit import chains, lines, verify
from tests.faults.families import Family, begin_families, cut_codes, furnish
from tests.faults.history import Clients, History
from tests.faults.nodes import Node, nodes

ROUNDS = int(os.environ.get("INNKEEPER_FAULT_ROUNDS", "3"))
CODES = 200
SEED = int(os.environ.get("INNKEEPER_FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)


@pytest.mark.parametrize("engine", ["postgres", "sqlite"])
def test_nothing_is_lost_doubled_or_revoked_however_often_nodes_are_killed(
    tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    print(f"INNKEEPER_FAULT_SEED={SEED}")
    url = request.getfixturevalue("database") if engine == "postgres" else str(tmp_path / "inn.db")
    asyncio.run(furnish(url))
    with nodes(tmp_path, url, 2) as at_work:
        history = asyncio.run(killed_under_load(url, at_work))
    print(f"{history.given} given, {history.unanswered} unanswered, {history.unavailable} unavailable")
    assert history.unanswered > 0, "nobody noticed"
    for node in at_work:
        assert "Traceback" not in node.told(), "a start was not clean"
    assert booked(tmp_path / "state" / "audit") >= history.given
    if engine == "sqlite":
        with closing(sqlite3.connect(url)) as probe:
            assert probe.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def booked(folder: Path) -> int:
    """How often tokens were given out, as chains say that hold."""
    found = chains(folder)
    assert len(found) == 2, "a chain for each node"
    assert [verdict.problem for verdict in (verify(*one) for one in found.items())] == ["", ""]
    told = (line for files in found.values() for line in lines(files))
    return sum(line.get("about") == "token" and line["outcome"] == "passed" for line in told)


async def killed_under_load(url: str, at_work: list[Node]) -> History:
    chance = random.Random(SEED)
    history = History()
    clients = Clients(history, lambda: chance.choice(at_work).url)
    families, redeemed = await begin_families(url, 8), list[Family]()
    clients.rotate(families)
    for _ in range(ROUNDS):
        clients.redeem(await cut_codes(url, CODES), redeemed)
        await clients.until_given(40)
        await asyncio.sleep(chance.uniform(0, 0.1))
        victim = chance.choice(at_work)
        await asyncio.to_thread(victim.kill)
        await asyncio.to_thread(victim.start)
    await clients.until_given(40)
    await clients.stop()
    await clients.judge([*families, *redeemed])
    return history
