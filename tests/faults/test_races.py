"""Sixty-four requests at once, for one code or with one token, at three processes that share a database.

What is proved: of a code, exactly one redemption is answered with tokens, and since somebody else had it too, those are
taken back. Of a refresh token within its grace, all get the same successor, and the family lives on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.faults.families import begin_families, cut_codes, furnish, redeeming, refreshing
from tests.faults.nodes import Node, nodes

AT_ONCE = 64
TURNS = 5


@pytest.fixture(params=["postgres", "sqlite"])
def shared(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[str, list[Node]]]:
    """A database and three nodes at work on it."""
    url = request.getfixturevalue("database") if request.param == "postgres" else str(tmp_path / "inn.db")
    asyncio.run(furnish(url))
    with nodes(tmp_path, url, 3) as at_work:
        yield url, at_work


async def asked_at_once(client: httpx2.AsyncClient, at_work: list[Node], form: dict[str, str]) -> list[httpx2.Response]:
    asked = (client.post(f"{at_work[n % len(at_work)].url}/token", data=form) for n in range(AT_ONCE))
    return await asyncio.gather(*asked)


async def check(url: str, at_work: list[Node]) -> None:
    async with httpx2.AsyncClient(timeout=60, limits=httpx2.Limits(max_connections=None)) as client:
        for code in await cut_codes(url, TURNS):
            await one_wins(client, at_work, code)
        for family in await begin_families(url, TURNS):
            await all_get_the_same(client, at_work, family.token)


async def one_wins(client: httpx2.AsyncClient, at_work: list[Node], code: str) -> None:
    answers = await asked_at_once(client, at_work, redeeming(code))
    won = [one for one in answers if one.status_code == 200]
    assert (len(won), {one.status_code for one in answers}) == (1, {200, 400})
    assert {one.json()["error"] for one in answers if one.status_code == 400} == {"invalid_grant"}
    late = await client.post(f"{at_work[0].url}/token", data=refreshing(won[0].json()["refresh_token"]))
    assert late.status_code == 400, "somebody had a copy of the code: nobody keeps anything"


async def all_get_the_same(client: httpx2.AsyncClient, at_work: list[Node], token: str) -> None:
    answers = await asked_at_once(client, at_work, refreshing(token))
    assert {one.status_code for one in answers} == {200}
    successors = {one.json()["refresh_token"] for one in answers}
    assert len(successors) == 1
    assert len({one.json()["access_token"] for one in answers}) == AT_ONCE
    later = await client.post(f"{at_work[-1].url}/token", data=refreshing(successors.pop()))
    assert later.status_code == 200


def test_across_processes_one_redemption_wins_and_all_refreshes_agree(shared: tuple[str, list[Node]]) -> None:
    asyncio.run(check(*shared))
