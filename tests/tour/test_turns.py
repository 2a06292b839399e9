"""What can befall a visit: clock, card and keys, each with what the doors then say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx2
import pytest

from innkeeper.tour.hands import CARD_LIFE, DAY, NOW, clock_document, hands_at
from innkeeper.tour.visit import TURNS
from innkeeper.tour.words import words
from tests.inn import Inn
from tests.tour.world import NOW as THEN


@pytest.fixture
def client(house: Inn) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=house.url, timeout=60) as client:
        yield client


@pytest.fixture
def page(client: httpx2.Client) -> str:
    return str(client.post("/tour/visits", data={"flow": "agent"}).headers["location"])


def record(client: httpx2.Client, page: str) -> dict[str, Any]:
    document: dict[str, Any] = client.get(f"{page}/replay.json").json()
    return document


def turned(client: httpx2.Client, page: str, turn: str) -> dict[str, Any]:
    assert client.post(f"{page}/turns", data={"turn": turn}).headers["location"] == f"{page}#hotel"
    return record(client, page)


def knocked(client: httpx2.Client, page: str, door: str = "gym", card: str = "real") -> tuple[int, str]:
    client.post(f"{page}/doors", data={"card": card, "door": door})
    answer = record(client, page)["doors"][-1]
    return answer["status"], answer["failed"]["name"] if answer["failed"] else ""


def test_every_turn_has_its_words() -> None:
    assert set(words().turns) == set(TURNS)


def test_opening_hours_are_the_hotels_own_and_the_card_stays_good(client: httpx2.Client, page: str) -> None:
    assert turned(client, page, "clock-night")["clock"]["text"].endswith("23:00")
    assert knocked(client, page) == (403, "door is open at this hour")
    turned(client, page, "clock-noon")
    assert knocked(client, page) == (200, "")


def test_after_eleven_minutes_the_card_has_expired_and_a_fresh_one_is_for_now(client: httpx2.Client, page: str) -> None:
    turned(client, page, "clock-later")
    assert knocked(client, page) == (401, "token has not expired")
    turned(client, page, "clock-noon")
    assert knocked(client, page) == (200, "")


def test_one_visits_clock_is_nobody_elses(client: httpx2.Client, page: str) -> None:
    other = str(client.post("/tour/visits", data={"flow": "agent"}).headers["location"])
    turned(client, page, "clock-later")
    turned(client, other, "clock-noon")
    assert knocked(client, other) == (200, "")


def test_a_copied_card_opens_for_the_thief_and_the_messages_say_who_came(client: httpx2.Client, page: str) -> None:
    turned(client, page, "clock-noon")
    assert "card-back" not in [turn["key"] for turn in record(client, page)["turns"]]
    turned(client, page, "card-copy")
    assert knocked(client, page) == (200, "")
    document = record(client, page)
    assert document["hops"][-1]["from"] == "thief"
    assert "thief" in [lane["key"] for lane in document["lanes"]]
    assert "card-back" in [turn["key"] for turn in document["turns"]]


def test_a_card_that_was_handed_in_opens_until_it_ends(client: httpx2.Client, page: str) -> None:
    turned(client, page, "clock-noon")
    assert turned(client, page, "card-revoke")["hops"][-1]["kind"] == "revoke"
    assert knocked(client, page) == (200, "")


def test_rotated_keys_seal_the_next_card_and_the_old_one_still_opens(client: httpx2.Client, page: str) -> None:
    turned(client, page, "clock-noon")
    before = kid(record(client, page))
    assert kid(turned(client, page, "keys-rotate")) == before
    assert knocked(client, page) == (200, "")
    assert kid(turned(client, page, "card-renew")) != before
    assert knocked(client, page) == (200, ""), "the new key is taken at once"


def test_an_agent_is_of_the_staff_and_has_no_stay_to_end(client: httpx2.Client, page: str) -> None:
    assert client.post(f"{page}/doors", data={"card": "real", "door": "staff"}).status_code == 303
    assert record(client, page)["doors"][-1]["status"] == 200
    assert "desk-checkout" not in [turn["key"] for turn in record(client, page)["turns"]]


def kid(document: dict[str, Any]) -> str:
    return next(str(one["value"]) for one in document["tokens"][0]["header"] if one["name"] == "kid")


def test_what_cannot_happen_is_refused(client: httpx2.Client, page: str) -> None:
    assert client.post(f"{page}/turns", data={"turn": "rain"}).status_code == 400
    guest = str(client.post("/tour/visits", data={"flow": "guest"}).headers["location"])
    assert client.post(f"{guest}/turns", data={"turn": "clock-noon"}).status_code == 409
    stranger = {"origin": "https://thief.example", "sec-fetch-site": "cross-site"}
    assert client.post(f"{page}/turns", data={"turn": "keys-rotate"}, headers=stranger).status_code == 403


@pytest.mark.parametrize(("moment", "hour"), [("dawn", 5), ("noon", 12), ("night", 23), ("checkout", 12)])
def test_the_hands_come_to_the_hour_that_was_named(moment: str, hour: int) -> None:
    hands = hands_at(moment, THEN)
    assert hands.locks == 0
    assert datetime.fromtimestamp(THEN + hands.hotel).astimezone().hour == hour
    assert clock_document(hands, THEN)["moved"]


def test_later_moves_the_locks_too_and_now_moves_nothing() -> None:
    assert hands_at("later", THEN).locks == CARD_LIFE
    assert hands_at("checkout", THEN).hotel > 3 * DAY
    assert hands_at("now", THEN) == NOW
    assert not clock_document(NOW, THEN)["moved"]
