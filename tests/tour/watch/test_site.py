"""The pages of your own traffic, on a running house: who may look, what they say, and the same in a terminal."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.inn import Inn

INNKEEPER = str(Path(sys.executable).with_name("innkeeper"))
JSON = {"accept": "application/json"}


@pytest.fixture
def client(house: Inn) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=house.url, timeout=30) as client:
        assert client.post("/tour/watch/start", headers=JSON).json()["on"]
        client.post("/tour/watch/clear")
        yield client
        client.post("/tour/watch/stop")


def asked(client: httpx2.Client, secret: str = "concierge-secret") -> int:
    """Ask for a card, and the number of the message."""
    form = {"grant_type": "client_credentials", "scope": "gym:enter"}
    client.post("/token", data=form, auth=("concierge", secret))
    return int(rows(client)[-1]["n"])


def rows(client: httpx2.Client, **headers: str) -> list[dict[str, Any]]:
    """What the stream of news begins with."""
    with client.stream("GET", "/tour/watch/events", headers={"last-event-id": "", **headers}) as stream:
        line = next(line for line in stream.iter_lines() if line.startswith('data: {"on'))
        found: list[dict[str, Any]] = json.loads(line.removeprefix("data: "))["rows"]
    return found


def test_a_message_is_listed_and_opened_with_its_trail(client: httpx2.Client) -> None:
    n = asked(client, "not-the-secret")
    listed = client.get("/tour/watch").text
    assert "The secret is the client’s" in listed
    page = client.get(f"/tour/watch/messages/{n}").text
    assert "IK201" in page
    assert "Basic ••••••••" in page
    assert "bm90LXRoZS1zZWNyZXQ" not in page


def test_a_token_is_revealed_by_a_button_alone(client: httpx2.Client) -> None:
    n = asked(client)
    page = f"/tour/watch/messages/{n}"
    signature = "".join(client.get(page, headers=JSON).json()["tokens"][0]["parts"][2:])
    assert set(signature) == {"•"}
    assert client.get(f"{page}/revealed").status_code == 405
    shown = client.post(f"{page}/revealed").text
    assert "Shown in full" in shown
    assert "Y29uY2llcmdlOmNvbmNpZXJnZS1zZWNyZXQ" in shown
    assert "Shown in full" not in client.get(page).text


def test_a_message_is_sent_again_and_a_repaired_secret_opens(client: httpx2.Client) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": "concierge",
        "client_secret": "wrong",
        "scope": "gym:enter",
    }
    assert client.post("/token", data=form).status_code == 401
    n = rows(client)[-1]["n"]
    reply = client.post(f"/tour/watch/messages/{n}/again", data={"body.2": "concierge-secret"}, headers=JSON)
    again = client.get(f"/tour/watch/messages/{reply.json()['n']}", headers=JSON).json()
    assert (again["status"], again["again"], again["outcome"]) == (200, n, "ok")


def test_the_address_keeps_the_filter(client: httpx2.Client) -> None:
    asked(client)
    asked(client, "wrong")
    page = client.get("/tour/watch?outcome=refused&client=concierge").text
    assert "1 of 2 messages" in page
    assert page.count('<li class="seen seen-ok"') == 2 - 1 + 1  # one hidden, one in the template
    assert "<option selected>refused</option>" in page


def test_a_pinned_message_outlives_a_clearing(client: httpx2.Client) -> None:
    n = asked(client)
    assert client.post(f"/tour/watch/messages/{n}/pin", headers=JSON).json() == {"n": n, "pinned": True}
    assert client.post("/tour/watch/clear", headers=JSON).json() == {"left": 1}
    assert [one["n"] for one in rows(client)] == [n]
    client.post(f"/tour/watch/messages/{n}/pin")


def test_the_archive_is_masked_unless_a_button_asks(client: httpx2.Client) -> None:
    asked(client)
    secret = "Y29uY2llcmdlOmNvbmNpZXJnZS1zZWNyZXQ"
    masked, shown = client.get("/tour/watch/traffic.har"), client.post("/tour/watch/traffic.har")
    [entry] = masked.json()["log"]["entries"]
    assert entry["request"]["method"] == "POST"
    assert entry["startedDateTime"] < shown.json()["log"]["entries"][0]["startedDateTime"] + "~"
    assert secret not in masked.text
    assert secret in shown.text


def test_a_message_that_is_gone_says_so(client: httpx2.Client) -> None:
    reply = client.get("/tour/watch/messages/99999", headers=JSON)
    assert (reply.status_code, "IK751" in reply.text) == (404, True)


FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"host": "evil.example:8400"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize("path", ["events", "traffic.har", "messages/1"])
def test_no_other_site_gets_anything(client: httpx2.Client, path: str, headers: dict[str, str]) -> None:
    asked(client)
    reply = client.get(f"/tour/watch/{path}", headers={**JSON, **headers})
    assert reply.status_code in {403, 307}
    assert "concierge" not in reply.text
    assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize(
    "path", ["start", "stop", "clear", "messages/1/revealed", "messages/1/again", "messages/1/pin"]
)
def test_no_other_site_does_anything(client: httpx2.Client, path: str, headers: dict[str, str]) -> None:
    assert client.post(f"/tour/watch/{path}", headers=headers).status_code == 403


def test_a_stream_is_taken_up_where_it_was(client: httpx2.Client) -> None:
    asked(client)
    with client.stream("GET", "/tour/watch/events") as stream:
        mark = next(line for line in stream.iter_lines() if line.startswith("id: ")).removeprefix("id: ")
    n = asked(client)
    assert [one["n"] for one in rows(client, **{"last-event-id": mark})] == [n]
    with client.stream("GET", "/tour/watch/events", headers={"last-event-id": f"earlier.{n}"}) as stream:
        assert any(line == "event: anew" for line, _ in zip(stream.iter_lines(), range(4), strict=False))


def test_a_developer_sees_it_in_a_terminal(house: Inn, client: httpx2.Client) -> None:
    asked(client, "wrong")
    asked(client)
    command = [INNKEEPER, "tour", "--attach", house.url, "--outcome", "refused", "--count", "1"]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert said.returncode == 0, said.stderr
    assert "/tour/watch" in said.stdout
    assert "IK201 The secret is the client’s" in said.stdout
    assert not re.search(r"\b200\b", said.stdout)


def test_nothing_is_attached_to_elsewhere() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        for url, why in (("https://issuer.example", "this computer alone"), (nobody, "innkeeper up")):
            said = subprocess.run([INNKEEPER, "tour", "--attach", url], capture_output=True, text=True, check=False)
            assert said.returncode != 0
            assert why in " ".join(said.stderr.split())


def test_an_open_house_is_not_watched_and_a_house_for_others_cannot_be(tmp_path: Path) -> None:
    settings = tmp_path / "innkeeper.toml"
    settings.write_text('[server]\nhost = "0.0.0.0"\npublic_url = "http://hotel.example"\n', "utf-8")
    said = subprocess.run(
        [INNKEEPER, "up", "--watch", "--config", str(settings)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert said.returncode != 0
    assert "0.0.0.0" in said.stderr
