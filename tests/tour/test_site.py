"""The tour's pages and answers, on a running house."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.inn import Inn

WEIGHT = 300_000
"""Bytes that the whole tour page may weigh, files included."""


@pytest.fixture
def client(house: Inn) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=house.url, timeout=60) as client:
        yield client


def agent(client: httpx2.Client) -> str:
    """The page of a fresh agent's visit."""
    reply = client.post("/tour/visits", data={"flow": "agent"})
    assert reply.status_code == 303
    return str(reply.headers["location"])


def record(client: httpx2.Client, page: str) -> dict[str, Any]:
    document: dict[str, Any] = client.get(f"{page}/replay.json").json()
    return document


def test_the_agents_visit_is_two_messages_and_a_card(client: httpx2.Client) -> None:
    document = record(client, agent(client))
    assert [(hop["kind"], hop["response"]["status"]) for hop in document["hops"]] == [
        ("discovery", 200),
        ("token-agent", 200),
    ]
    claims = {claim["name"]: claim["value"] for claim in document["tokens"][0]["claims"]}
    assert claims["sub"] == claims["client_id"] == "concierge"
    assert claims["aud"].endswith("/hotel")
    assert all(step["passed"] for step in document["hops"][1]["trails"][0]["steps"])


def test_no_secret_is_kept(client: httpx2.Client) -> None:
    page = agent(client)
    basic = b64encode(b"concierge:concierge-secret").decode()
    for shown in (client.get(page).text, client.get(f"{page}/replay.json").text):
        assert "concierge-secret" not in shown
        assert basic not in shown


BAD_CARDS = {
    "none": "token came in the header",
    "unsigned": "algorithm is allowed",
    "confused": "algorithm is allowed",
    "homemade": "signature is valid",
    "tampered": "signature is valid",
    "other": "audience is this api",
    "expired": "token has not expired",
}


@pytest.mark.parametrize("card", BAD_CARDS)
def test_each_bad_card_is_refused_by_the_check_it_is_made_for(client: httpx2.Client, card: str) -> None:
    page = agent(client)
    reply = client.post(f"{page}/doors", data={"card": card, "door": "gym"})
    assert (reply.status_code, reply.headers["location"]) == (303, f"{page}#answer")
    (answer,) = record(client, page)["doors"]
    assert answer["status"] == 401
    assert answer["failed"]["name"] == BAD_CARDS[card]
    assert answer["failed"]["reason"]
    assert answer["hop"], "the message is on record"


def test_the_real_card_opens_what_it_may_and_its_own_scope_keeps_it_out_of_the_lounge(client: httpx2.Client) -> None:
    page = agent(client)
    client.post(f"{page}/doors", data={"door": "vip"})
    (answer,) = record(client, page)["doors"]
    assert (answer["status"], answer["card"]["key"]) == (403, "real")
    assert "insufficient_scope" in answer["challenge"]


def test_an_agent_has_no_id_token_to_try(client: httpx2.Client) -> None:
    page = agent(client)
    reply = client.post(f"{page}/doors", data={"card": "identity", "door": "gym"})
    assert reply.status_code == 409
    assert "no person signed in" in reply.text


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"flow": "burglar"}, 400),
        ({}, 400),
        ({"flow": ["agent", "guest"]}, 400),
        ({"flow": "x" * 5000}, 413),
    ],
)
def test_a_form_that_makes_no_sense_is_refused(client: httpx2.Client, form: dict[str, Any], status: int) -> None:
    assert client.post("/tour/visits", data=form).status_code == status


def test_no_such_card_door_or_visit(client: httpx2.Client) -> None:
    page = agent(client)
    assert client.post(f"{page}/doors", data={"card": "gold", "door": "gym"}).status_code == 400
    assert client.post(f"{page}/doors", data={"door": "cellar"}).status_code == 400
    assert client.get("/tour/visits/nobody").status_code == 404
    missing = client.get("/tour/visits/nobody/replay.json")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/json")


def test_an_address_that_leads_nowhere_leads_back_to_the_entrance(client: httpx2.Client) -> None:
    reply = client.get("/cellar")
    assert reply.status_code == 404
    assert "There is nothing here" in reply.text
    assert 'href="/"' in reply.text


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
def test_a_form_from_another_site_starts_nothing(client: httpx2.Client, headers: dict[str, str]) -> None:
    assert client.post("/tour/visits", data={"flow": "agent"}, headers=headers).status_code == 403


def test_who_comes_by_another_name_is_sent_to_the_houses_own(client: httpx2.Client, house: Inn) -> None:
    reply = client.get("/", headers={"host": f"localhost:{house.port}"})
    assert (reply.status_code, reply.headers["location"]) == (307, f"{house.url}/")


def test_a_callback_that_nobody_awaits_says_so(client: httpx2.Client) -> None:
    reply = client.get("/callback?code=stolen&state=x")
    assert reply.status_code == 400
    assert "Nobody is awaited here" in reply.text


def test_an_answer_to_another_question_is_not_believed_and_the_visit_ends(client: httpx2.Client) -> None:
    page = client.post("/tour/visits", data={"flow": "guest"}).headers["location"]
    client.get(page)
    reply = client.get("/callback?code=stolen&state=x")
    assert reply.headers["location"] == page
    document = record(client, page)
    assert document["stage"] == "failed"
    assert "another state" in document["trouble"]
    assert [hop["kind"] for hop in document["hops"]] == ["discovery", "callback"], "no code went to the desk"
    assert (
        document["hops"][1]["trails"][0]["verdict"] == "not yet"
        or document["hops"][1]["trails"][0]["outcome"] == "refused"
    )


def test_a_card_cannot_be_held_before_there_is_one(client: httpx2.Client) -> None:
    page = client.post("/tour/visits", data={"flow": "guest"}).headers["location"]
    assert client.post(f"{page}/doors", data={"door": "gym"}).status_code == 409


def test_a_walk_is_recorded_for_whoever_asks_as_a_program(client: httpx2.Client) -> None:
    reply = client.post("/tour/visits", data={"flow": "walk"}, headers={"accept": "application/json"})
    assert reply.status_code == 201
    visit = reply.json()
    client.get("/jwks", headers={"innkeeper-tour": visit["id"]})
    assert [hop["kind"] for hop in record(client, f"/tour/visits/{visit['id']}")["hops"]] == ["jwks"]


def test_news_arrive_as_server_sent_events(client: httpx2.Client) -> None:
    page = agent(client)
    with client.stream("GET", f"{page}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        heard = [next(lines) for _ in range(3)]
    assert heard[0].startswith("retry: ")
    assert re.fullmatch(r"data: \d+", heard[2])


@pytest.mark.parametrize("path", ["/", "/tour"])
def test_pages_may_load_nothing_from_elsewhere_and_run_no_inline_script(client: httpx2.Client, path: str) -> None:
    reply = client.get(path)
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert reply.headers["cache-control"] == "no-store"
    assert not re.search(r'(?:src|href)="https?://(?!www\.rfc-editor\.org|openid\.net)', reply.text)
    assert not re.search(r"<script(?![^>]*src=)|\son[a-z]+=|\sstyle=", reply.text)


def test_a_visit_with_every_card_tried_weighs_less_than_allowed(client: httpx2.Client) -> None:
    page = agent(client)
    client.post(f"{page}/doors", data={"card": "real", "door": "vip"})
    html = client.get(page)
    files = set(re.findall(r'(?:href|src)="(/(?:static|tour/static)/[^"]+)"', html.text))
    scripts = {f"/tour/static/{name}.js" for name in ("scene", "wire", "page", "news", "small")}
    weight = len(html.content) + sum(len(client.get(file).content) for file in files | scripts)
    assert weight < WEIGHT


def test_the_entrance_says_at_once_what_is_what_in_oauths_words(client: httpx2.Client) -> None:
    first = client.get("/").text.partition('id="chapters"')[0]
    assert [one for one in ("authorization server", "access token", "resource servers") if one not in first] == []


def test_files_are_asked_for_again_so_that_an_upgrade_shows(client: httpx2.Client) -> None:
    first = client.get("/tour/static/tour.css")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/tour/static/tour.css", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert client.get("/tour/static/../app.py").status_code == 404
