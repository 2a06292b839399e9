"""One flow at several desks, side by side, and every difference marked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pytest

from innkeeper.tour.comparing import comparison_document, desks_of
from innkeeper.tour.house import Twin
from innkeeper.tour.plays import Comparison, chapter, comparison, comparisons
from tests.inn import Inn
from tests.tour.world import HOUSE

TWO = msgspec.structs.replace(HOUSE, twins=(Twin("cognito", "/pool", {}),))

ALL = pytest.mark.parametrize("told", comparisons(), ids=lambda told: told.key)


@pytest.fixture
def client(house: Inn) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=house.url, timeout=60, follow_redirects=True) as client:
        yield client


@ALL
def test_every_desk_takes_the_same_steps(told: Comparison) -> None:
    titles = {desk: [act.title for act in acts] for desk, acts in told.desks.items()}
    assert len({tuple(one) for one in titles.values()}) == 1
    for desk in told.desks:
        played = chapter(f"compare/{told.key}/{desk}")
        assert played is not None
        assert {act.by for act in played.acts} < set(played.lanes)
    assert chapter(f"compare/{told.key}/nowhere") is None
    assert comparison("no-such") is None


@ALL
def test_a_house_without_twins_has_one_desk(told: Comparison) -> None:
    assert desks_of(told, HOUSE) == ["native"]
    document = comparison_document(told, {}, HOUSE)
    assert document["steps"] == document["tokens"] == []


@ALL
def test_a_flow_is_played_at_each_desk_and_laid_side_by_side(client: httpx2.Client, told: Comparison) -> None:
    page = client.post(f"/tour/compare/{told.key}", data={"play": "all"})
    assert page.status_code == 200
    visits = dict(page.url.params)
    assert {"native", "cognito"} <= set(visits)
    for visit in visits.values():
        assert 'class="surprise"' not in client.get(f"/tour/visits/{visit}").text
    assert "What is asked" in page.text
    assert 'class="only-some"' in page.text


def test_an_access_token_at_home_has_an_audience_and_at_cognito_has_none(client: httpx2.Client) -> None:
    page = client.post("/tour/compare/client-credentials", data={"play": "all"})
    rows = [row for row in page.text.split("<tr") if 'scope="row"><code>aud</code>' in row]
    assert len(rows) == 1
    assert "only-some" in rows[0]
    assert "not there" in rows[0]


def test_somebody_elses_visit_is_not_taken_for_a_desk(client: httpx2.Client) -> None:
    other = client.post("/tour/chapters/discovery", data={"play": "all"}, headers={"accept": "application/json"}).json()
    assert "Hop by hop" not in client.get("/tour/compare/code", params={"native": other["id"]}).text
    assert client.get("/tour/compare/no-such").status_code == 404


def test_what_only_some_say_is_marked() -> None:
    told = comparisons()[0]
    document: dict[str, Any] = comparison_document(told, {"native": replay("aud"), "cognito": replay("client_id")}, TWO)
    (token,) = document["tokens"]
    rows = {row["name"]: row for row in token["rows"]}
    assert rows["iss"]["everywhere"]
    assert rows["aud"]["cells"] == ["x", None]
    assert not rows["aud"]["everywhere"]


def replay(claim: str) -> dict[str, Any]:
    claims = [{"name": name, "value": "x", "says": "It says so."} for name in ("iss", claim)]
    return {"id": "v1", "hops": [], "tokens": [{"kind": "card", "header": [], "claims": claims}]}
