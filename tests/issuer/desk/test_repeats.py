"""A machine that asks for the same token again is answered without being judged anew, but never differently."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from innkeeper.issuer.desk import repeats
from innkeeper.issuer.desk.registry import rotate_secret
from tests.issuer.house import Answer, House

FORM = {"grant_type": "client_credentials", "scope": "room:enter"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


def ask(house: House, secret: str = "robot-secret", **more: str) -> Answer:
    named = base64.b64encode(f"robot:{secret}".encode()).decode()
    return house.token({**FORM, **more}, authorization=f"Basic {named}")


def claims(answer: Answer) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(answer.json["access_token"].split(".")[1] + "=="))
    return said


def judged(house: House) -> int:
    """How many of the trails that were seen are of a judgement of their own."""
    return len({id(trail) for trail in house.trails})


def test_the_same_request_gets_a_token_of_its_own_every_time(house: House) -> None:
    first, second = ask(house), ask(house)
    assert claims(first)["jti"] != claims(second)["jti"]
    assert {**claims(first), "jti": ""} == {**claims(second), "jti": ""}
    assert {**first.json, "access_token": ""} == {**second.json, "access_token": ""}
    assert first.headers == second.headers


def test_its_trail_is_seen_every_time_but_made_once(house: House) -> None:
    for _ in range(3):
        ask(house)
    assert (len(house.trails), judged(house)) == (3, 1)


def test_a_later_token_says_the_later_time(house: House) -> None:
    before = claims(ask(house))
    house.clock.move(90)
    after = claims(ask(house))
    assert (judged(house), after["iat"] - before["iat"], after["exp"] - before["exp"]) == (1, 90, 90)


@pytest.mark.parametrize("more", [{"scope": "gym:enter"}, {"resource": "http://127.0.0.1:8400/hotel"}, {"x": "1"}])
def test_any_other_request_is_judged_by_itself(house: House, more: dict[str, str]) -> None:
    ask(house)
    assert ask(house, **more).status == 200
    assert judged(house) == 2


def test_another_secret_is_refused_after_the_right_one(house: House) -> None:
    assert ask(house).status == 200
    assert (ask(house, "robot-secreT").status, ask(house).status) == (401, 200)


def test_a_refusal_is_judged_every_time(house: House) -> None:
    for _ in range(2):
        assert ask(house, "wrong").status == 401
    assert judged(house) == 2


def test_the_same_form_as_something_else_is_not_the_same_request(house: House) -> None:
    ask(house)
    named = base64.b64encode(b"robot:robot-secret").decode()
    assert house.token(FORM, authorization=f"Basic {named}", content_type="text/plain").status == 400


def test_a_request_with_a_proof_is_never_taken_for_one_without(house: House) -> None:
    ask(house)
    named = base64.b64encode(b"robot:robot-secret").decode()
    assert house.token(FORM, authorization=f"Basic {named}", dpop="no proof").json["error"] == "invalid_dpop_proof"


def test_a_secret_that_was_replaced_is_refused_at_once(house: House) -> None:
    ask(house)
    house.run(rotate_secret(house.issuer.realm, "robot", 0))
    house.run(house.issuer.realm.reload())
    assert ask(house).json["error"] == "invalid_client"


def test_a_secret_that_expires_is_refused_from_that_second_on(house: House) -> None:
    fresh = house.run(rotate_secret(house.issuer.realm, "robot", 60))
    house.run(house.issuer.realm.reload())
    assert [ask(house).status, ask(house, fresh).status] == [200, 200]
    house.clock.move(59)
    assert [ask(house).status, ask(house, fresh).status] == [200, 200]
    house.clock.move(1)
    assert [ask(house).status, ask(house, fresh).status] == [401, 200]


def test_a_client_that_lost_a_scope_is_refused_at_once(house: House) -> None:
    ask(house)
    realm = house.issuer.realm
    client = house.run(realm.client("robot"))
    assert client is not None
    house.run(realm.store.put_client(structs.replace(client, scopes=frozenset({"gym:enter"}))))
    realm.forget_client("robot")
    assert ask(house).json["error"] == "invalid_scope"


def test_a_resource_that_is_gone_is_gone_from_the_next_token(house: House) -> None:
    before = claims(ask(house))
    house.run(house.issuer.realm.store.remove_resource(before["aud"]))
    house.run(house.issuer.realm.reload())
    assert claims(ask(house))["aud"] != before["aud"]


def test_no_more_is_remembered_than_there_is_room_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "KEPT", 2)
    for number in ("1", "2", "3"):
        ask(house, x=number)
    ask(house, x="1")
    assert judged(house) == 4
