"""Sending a message again: as it was, changed, with fresh values, and never what was not kept."""

from __future__ import annotations

import asyncio

import pytest
from starlette.exceptions import HTTPException

from innkeeper.protocol.refusals import UsageError
from innkeeper.tour.watch.keeping import Message
from tests.tour.watch.world import Watched
from tests.tour.world import NOW, token

FORM = {"grant_type": "refresh_token", "client_id": "app", "refresh_token": "voucher-old"}


def sent(watched: Watched, message: Message, **given: str) -> Message:
    number = asyncio.run(
        watched.again.send(message, {key.replace("_", "."): value for key, value in given.items()}, NOW)
    )
    again = watched.ring.message(number)
    assert again is not None
    assert again.again == message.n
    return again


def test_a_message_is_sent_as_it_was_without_its_cookies() -> None:
    watched = Watched()
    asked = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "hush"}
    message = watched.seen("POST", "/token?x=1", {"cookie": "s=1", "x-mine": "kept"}, data=asked)
    again = sent(watched, message)
    assert (again.method, again.path, again.query, dict(again.content.pairs)) == (
        "POST",
        "/token",
        (("x", "1"),),
        asked,
    )
    assert dict(again.headers)["x-mine"] == "kept"
    assert "cookie" not in dict(again.headers)


def test_a_value_can_be_changed() -> None:
    watched = Watched()
    message = watched.seen("POST", "/token", data={"client_id": "app", "client_secret": "wrong"})
    again = sent(watched, message, body_1="right")
    assert (message.status, again.status, dict(again.content.pairs)["client_secret"]) == (401, 200, "right")


def test_json_is_sent_with_its_other_members_untouched() -> None:
    watched = Watched()
    asked = {
        "AuthFlow": "X",
        "AuthParameters": {"USERNAME": "g", "PASSWORD": "Correct-Horse-7"},
        "Limit": 3,
        "All": True,
    }
    message = watched.seen("POST", "/", {"x-amz-target": "a.InitiateAuth"}, json=asked)
    given = {"json/AuthParameters/PASSWORD": "Correct-Horse-7", "json/AuthParameters/USERNAME": "h"}
    number = asyncio.run(watched.again.send(message, given, NOW))
    again = watched.ring.message(number)
    assert again is not None
    assert again.content.document["Limit"] == 3
    assert again.content.document["AuthParameters"]["USERNAME"] == "h"
    assert "Correct-Horse" not in repr(again)


def test_what_was_not_kept_has_to_be_given() -> None:
    watched = Watched()
    message = watched.seen("POST", "/sign-in", data={"username": "g", "password": "Correct-Horse-7"})
    assert [field.missing for field in watched.again.fields(message)] == [False, True]
    with pytest.raises(HTTPException, match="IK752"):
        asyncio.run(watched.again.send(message, {}, NOW))


def test_a_body_that_was_not_kept_cannot_be_sent() -> None:
    watched = Watched()
    message = watched.seen("POST", "/token", {"content-type": "text/plain"}, content=b"a long story")
    with pytest.raises(HTTPException, match="IK752"):
        asyncio.run(watched.again.send(message, {}, NOW))


def test_the_newest_voucher_takes_a_spent_ones_place() -> None:
    watched = Watched()
    message = watched.seen("POST", "/token", data=FORM)
    assert dict(sent(watched, message).content.pairs)["refresh_token"] == "voucher-old"
    assert "message 2" in watched.again.fields(message)[2].note
    assert dict(sent(watched, message).content.pairs)["refresh_token"] == "voucher-new"


def test_a_note_to_the_desk_gets_a_state_of_its_own() -> None:
    watched = Watched()
    message = watched.seen("GET", "/authorize?client_id=app&state=mine")
    again = dict(sent(watched, message).query)
    assert again["client_id"] == "app"
    assert again["state"] not in {"", "mine"}


def test_a_card_that_is_over_is_replaced_by_a_newer_one_for_the_same_door() -> None:
    watched = Watched()
    old = f"Bearer {token(exp=NOW - 5)}"
    message = watched.seen("GET", "/userinfo", {"authorization": old, "x-case": "wrong"})
    assert (
        dict(watched.again._headers(message, NOW - 10))["authorization"] == old
    )  # it is good still: nothing to replace
    newer = dict(sent(watched, message).headers)["authorization"]
    assert newer != old
    assert newer.startswith("Bearer eyJ")


def test_what_is_good_once_is_said_before_it_is_sent() -> None:
    watched = Watched()
    message = watched.seen("POST", "/token", {"dpop": "x"}, data={"client_id": "app", "code": "once"})
    assert len(watched.again.warnings(message)) == 2


def test_nothing_is_sent_while_nobody_watches() -> None:
    watched = Watched()
    message = watched.seen("GET", "/jwks")
    watched.ring.turn(on=False)
    with pytest.raises(UsageError, match="watching"):
        asyncio.run(watched.again.send(message, {}, NOW))
