"""Replays leave the house without tokens and codes, in forms that others read, and stay under an address that lasts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx2
import msgspec
import pytest

from innkeeper.protocol.refusals import Unreachable
from innkeeper.tour.redact import redacted
from innkeeper.tour.shelf import KEPT, Shelf
from tests.inn import Inn

TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.")
CHAPTERS = ("code", "dpop", "device")


@pytest.fixture(scope="module")
def pages(house: Inn) -> dict[str, str]:
    """The pages of some played chapters, with codes, proofs and tokens in them."""
    headers = {"accept": "application/json"}
    with httpx2.Client(base_url=house.url, timeout=60) as client:
        return {
            key: client.post(f"/tour/chapters/{key}", data={"play": "all"}, headers=headers).json()["page"]
            for key in CHAPTERS
        }


@pytest.fixture
def client(house: Inn) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=house.url, timeout=60) as client:
        yield client


def secrets(document: dict[str, Any]) -> set[str]:
    """Every token, code and random value in a record that is not redacted."""
    once = {"code", "state", "nonce", "code_verifier", "device_code", "dpop"}
    parts = [part for hop in document["hops"] for part in parameters(hop)]
    found = {part["value"] for part in parts if part["name"] in once and len(part["value"]) > 5}
    return found | {token["raw"] for token in document["tokens"]}


def parameters(hop: dict[str, Any]) -> list[dict[str, Any]]:
    request, response = hop["request"], hop["response"]
    after = response["next"]["params"] if response["next"] else []
    return [*request["params"], *request["headers"], *request["body"]["params"], *response["body"]["params"], *after]


@pytest.mark.parametrize("key", CHAPTERS)
@pytest.mark.parametrize("form", ["har", "md", "svg", "moving.svg"])
def test_no_token_or_code_leaves_in_any_form(client: httpx2.Client, pages: dict[str, str], key: str, form: str) -> None:
    hidden = secrets(client.get(f"{pages[key]}/replay.json").json())
    assert len(hidden) >= 3
    taken = client.get(f"{pages[key]}/replay.{form}").text
    assert [one for one in hidden if one in taken] == []
    assert not TOKEN.search(taken)


def test_the_same_value_has_the_same_name_in_every_message(client: httpx2.Client, pages: dict[str, str]) -> None:
    log = client.get(f"{pages['code']}/replay.har").json()["log"]
    codes = [
        part["value"]
        for entry in log["entries"]
        for part in entry["request"].get("postData", {"params": []})["params"]
        if part["name"] == "code"
    ]
    assert len(codes) >= 4
    assert len(set(codes)) == 1
    assert codes[0].startswith("‹code ")


def test_an_archive_is_one_that_browsers_read(client: httpx2.Client, pages: dict[str, str]) -> None:
    log = client.get(f"{pages['device']}/replay.har").json()["log"]
    assert log["version"] == "1.2"
    for entry in log["entries"]:
        assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= set(entry)
        assert entry["request"]["url"].startswith("http://127.0.0.1:")


def test_whoever_asks_for_the_tokens_has_them(client: httpx2.Client, pages: dict[str, str]) -> None:
    assert TOKEN.search(client.get(f"{pages['code']}/replay.har", params={"tokens": "shown"}).text)


def test_a_picture_is_a_picture_that_loads_nothing(client: httpx2.Client, pages: dict[str, str]) -> None:
    reply = client.get(f"{pages['code']}/replay.svg")
    assert reply.headers["content-type"] == "image/svg+xml"
    assert "script-src" not in reply.headers["content-security-policy"]
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    root = ElementTree.fromstring(reply.text)
    assert len(root.findall(".//{http://www.w3.org/2000/svg}path")) >= 20


def test_a_kept_replay_is_there_without_its_tokens_when_the_book_is_gone(
    client: httpx2.Client, pages: dict[str, str], house: Inn
) -> None:
    address = pages["code"].removeprefix(house.url)
    reply = client.post(f"{address}/keep", data={"keep": "yes"})
    there = reply.headers["location"]
    page = client.get(there).text
    assert "A kept replay" in page
    assert not TOKEN.search(page)
    assert page.count('class="message sheet"') == len(client.get(f"{address}/replay.json").json()["hops"])
    assert client.get(f"{there}/replay.md").text.startswith("# Code and PKCE")
    assert client.get("/tour/replays/no-such-replay").status_code == 404
    assert client.get("/tour/replays/..%2f..%2finnkeeper").status_code == 404
    foreign = {"origin": "https://thief.example", "sec-fetch-site": "cross-site"}
    assert client.post(f"{address}/keep", data={"keep": "yes"}, headers=foreign).status_code == 403


def test_the_shelf_holds_the_last_ones_and_reads_no_other_files(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "replays")
    assert shelf.get("replay-0000") is None
    for n in range(KEPT + 3):
        shelf.keep({"id": f"replay-{n:04}"})
    assert len(list((tmp_path / "replays").glob("*.json"))) == KEPT
    assert shelf.get(f"replay-{KEPT + 2:04}") == {"id": f"replay-{KEPT + 2:04}"}
    (tmp_path / "secret.json").write_text("{}")
    assert shelf.get("../secret") is None
    (tmp_path / "replays" / "torn-page-1.json").write_text("{")
    assert shelf.get("torn-page-1") is None


def test_a_shelf_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "replays").write_text("a file where the folder should be")
    with pytest.raises(Unreachable, match="cannot be kept"):
        Shelf(tmp_path / "replays").keep({"id": "replay-0001"})


def test_redacting_changes_nothing_but_what_is_secret() -> None:
    document = {
        "id": "v1",
        "cards": [1],
        "hops": [{"name": "code", "value": "c" * 20}, {"name": "scope", "value": "gym"}],
    }
    assert redacted(document) == {
        "id": "v1", "cards": [], "hops": [{"name": "code", "value": "‹code 1›"}, {"name": "scope", "value": "gym"}],
    }  # fmt: skip
    assert (
        msgspec.json.encode(redacted({"id": "v1", "text": "Bearer eyJhbGciOiJF.eyJzdWIi.c2ln"}))
        .decode()
        .count("token 1")
        == 1
    )
