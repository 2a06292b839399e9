"""Every chapter is played on a running house, and what it tells one to type comes to the same result."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from innkeeper.tour.plays import Chapter, chapter, chapters
from innkeeper.tour.told import COURSE
from tests.inn import Inn
from tests.tour.world import SEEDED

ALL = pytest.mark.parametrize(
    "one", [one for one in chapters() if not one.needs or one.needs in SEEDED], ids=lambda one: one.key
)
JSON = {"accept": "application/json"}


@pytest.fixture
def client(house: Inn) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=house.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def plays(house: Inn) -> dict[str, dict[str, Any]]:
    """Each chapter as it was played, once."""
    with httpx2.Client(base_url=house.url, timeout=60) as client:
        return {one.key: played(client, one.key) for one in chapters() if not one.needs or one.needs in SEEDED}


def played(client: httpx2.Client, key: str) -> dict[str, Any]:
    reply = client.post(f"/tour/chapters/{key}", data={"play": "all"}, headers=JSON)
    assert reply.status_code == 201, reply.text
    document: dict[str, Any] = reply.json()
    return document


@ALL
def test_a_chapter_is_played_and_nothing_surprises(plays: dict[str, Any], one: Chapter) -> None:
    told = plays[one.key]["chapter"]
    assert [(act["title"], act["outcome"]) for act in told["acts"] if not act["ok"]] == []
    assert told["ended"]
    assert all(act["hops"] for act in told["acts"]), "each act left its messages on record"
    refused = [act for act in told["acts"] if act["outcome"][:1] in "45"]
    assert all(act["failed"] for act in refused if act["outcome"] != "401"), "each no has its check"


@ALL
def test_its_page_says_everything_in_words_and_keeps_no_secret(
    client: httpx2.Client, plays: dict[str, Any], one: Chapter
) -> None:
    document = plays[one.key]
    page, record = client.get(document["page"]).text, client.get(f"{document['page']}/replay.json").text
    assert page.count('class="act act-done"') == len(one.acts)
    assert "Correct-Horse-7" not in page + record
    assert "concierge-secret" not in record
    hops = client.get(f"{document['page']}/replay.json").json()["hops"]
    assert [hop["kind"] for hop in hops if hop["kind"] == "other"] == []
    assert {hop["from"] for hop in hops} | {hop["to"] for hop in hops} <= set(one.lanes)


@ALL
def test_what_one_is_told_to_type_comes_to_the_same(house: Inn, plays: dict[str, Any], one: Chapter) -> None:
    told = plays[one.key]["chapter"]
    for line in told["yourself"]:
        done = typed(house, line["line"])
        assert done.returncode == 0, done.stderr
        assert line["prints"] in done.stdout, line["line"]


def typed(house: Inn, line: str) -> subprocess.CompletedProcess[str]:
    """A command line as a person types it, with innkeeper on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HOME": str(house.folder)}
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, check=False, timeout=60, env=environment, cwd=house.folder
    )


def test_acts_are_played_one_at_a_time(client: httpx2.Client) -> None:
    begun = client.post("/tour/chapters/discovery", data={"play": "one"})
    assert begun.status_code == 303
    page, _, act = begun.headers["location"].partition("#")
    assert act == "act-1"
    second = client.post(f"{page}/acts", data={"play": "one"})
    assert second.headers["location"] == f"{page}#act-2"
    rest = client.post(f"{page}/acts", data={"play": "all"}, headers=JSON).json()
    assert rest["chapter"]["ended"]
    assert client.post(f"{page}/acts", data={"play": "one"}).status_code == 409


def test_ten_cards_are_refused_and_each_for_its_own_reason(plays: dict[str, Any]) -> None:
    acts = plays["mistakes"]["chapter"]["acts"]
    ten = [act for act in acts if act["title"][0].isdigit() and act["outcome"][:1] == "4"]
    reasons = [act["failed"]["reason"] if act["failed"] else "" for act in ten]
    assert len(ten) == 10
    assert len(set(reasons)) >= 9, "two broken seals look alike; all others have their own reason"
    assert all(act["lesson"] for act in ten)


def test_a_stranger_s_page_cannot_start_a_chapter(client: httpx2.Client) -> None:
    headers = {"origin": "https://thief.example", "sec-fetch-site": "cross-site"}
    assert client.post("/tour/chapters/refresh", headers=headers).status_code == 403
    assert client.post("/tour/chapters/no-such", data={"play": "one"}).status_code == 404
    assert client.get("/tour/chapters/no-such").status_code == 404
    assert client.post("/tour/visits/none/acts", data={"play": "one"}).status_code == 404


def test_a_chapter_from_a_terminal_ends_well_and_an_unknown_one_is_named(house: Inn) -> None:
    assert "client-credentials" in typed(house, "innkeeper tour --chapter list").stdout
    wrong = typed(house, f"innkeeper tour --issuer {house.url} --chapter refesh")
    assert wrong.returncode == 2
    assert "did you mean 'refresh'" in wrong.stderr
    data = typed(house, f"innkeeper tour --issuer {house.url} --chapter discovery --json").stdout
    assert '"ended": true' in data


def test_every_yourself_line_is_about_this_house() -> None:
    assert chapter("refresh") is not None
    for one in chapters():
        assert all("127.0.0.1:8400" not in line.line for line in one.yourself)


def test_every_part_of_every_message_is_explained(client: httpx2.Client, plays: dict[str, Any]) -> None:
    unsaid = set()
    for document in plays.values():
        for hop in client.get(f"{document['page']}/replay.json").json()["hops"]:
            request, response = hop["request"], hop["response"]
            after = response["next"]["params"] if response["next"] else []
            parts = [*request["params"], *request["body"]["params"], *response["body"]["params"], *after]
            unsaid |= {(hop["kind"], part["name"]) for part in parts if not part["says"]}
    assert unsaid == set()


def test_every_chapter_names_its_page_of_the_course() -> None:
    folder = Path(__file__).parents[2] / "docs" / "tutorial"
    assert set(COURSE) == {one.key for one in chapters()}
    if folder.is_dir():
        assert [name for name in COURSE.values() if not (folder / f"{name}.md").exists()] == []
