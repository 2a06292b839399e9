"""Authorization details: this room until that day, from the request to the token, and every way to get more (RFC 9396)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from innkeeper.issuer.core import details
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client, DetailField, DetailType, Resource
from innkeeper.issuer.settings import SeedResource
from tests.issuer.house import HOTEL, NOW, ORIGIN, SPA, Answer, House
from tests.issuer.signing import bank, by_key, read, settings_for
from tests.issuer.visitor import ROBOT, SHOP, Visitor, redeem, refresh

ROOM_TYPE = DetailType(
    "Open one room",
    {
        "room": DetailField("number", "room {}", required=True),
        "actions": DetailField("words", "to {}", words=("enter", "clean"), required=True),
        "until": DetailField("until", "until {}"),
        "note": DetailField("text", "because {}"),
    },
)
SPEND_TYPE = DetailType("Spend money", {"most": DetailField("limit", "up to {} pounds", required=True)})

POLICY = Policy(
    issuer=ORIGIN,
    resources={
        HOTEL: Resource(HOTEL, "The hotel", {"room:enter": "Enter"}, details={"room": ROOM_TYPE}),
        SPA: Resource(SPA, "The spa", {"sauna:heat": "Heat"}, details={"spend": SPEND_TYPE}),
    },
)

TOMORROW = NOW + 86_400
ROOM = {"type": "room", "room": 204, "actions": ["enter", "clean"], "until": TOMORROW}
SPEND = {"type": "spend", "most": 50}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    cleaner = bank("cleaner", metadata={"authorization_details_types": ["room"]})
    settings = settings_for("oauth21", cleaner)
    hotel, spa = settings.resource
    resources = [replace(hotel, details={"room": ROOM_TYPE}), replace(spa, details={"spend": SPEND_TYPE})]
    other = SeedResource("{origin}/annexe", "The annexe", {"annexe:enter": "Enter"}, {"attic": ROOM_TYPE})
    made = House(tmp_path_factory.mktemp("details"), replace(settings, resource=[*resources, other]))
    yield made
    made.close()


def worded(*asked: dict[str, Any]) -> str:
    return json.dumps(list(asked))


def tokens(house: House, *asked: dict[str, Any], **changes: str | None) -> dict[str, Any]:
    code = Visitor(house).code(authorization_details=worded(*asked), **{"scope": "openid", **changes})
    answer = redeem(house, code)
    assert answer.status == 200, answer.body
    return answer.json


def is_refused(house: House, answer: Answer) -> bool:
    assert (answer.status, answer.json["error"]) == (400, "invalid_authorization_details"), answer.body
    refusal = house.last.refusal
    return refusal is not None and refusal.page.number == "IK296"


def test_what_was_allowed_stands_in_the_answer_and_in_the_token(house: House) -> None:
    got = tokens(house, ROOM, SPEND)
    assert got["authorization_details"] == [ROOM, SPEND]
    claims = read(got["access_token"])
    assert claims["authorization_details"] == [ROOM, SPEND]
    assert set(claims["aud"]) == {HOTEL, SPA, ORIGIN}


def test_introspection_tells_it_of_either_token(house: House) -> None:
    got = tokens(house, ROOM)
    for token in (got["access_token"], got["refresh_token"]):
        assert house.post("/introspect", {"token": token, **SHOP}).json["authorization_details"] == [ROOM]


def test_who_asks_for_details_alone_gets_no_scope_besides(house: House) -> None:
    got = tokens(house, ROOM, scope=None)
    claims = read(got["access_token"])
    assert "scope" not in claims
    assert claims["aud"] == HOTEL


def test_the_person_reads_it_in_plain_words(house: House) -> None:
    visitor = Visitor(house)
    page = visitor.sign_in(visitor.authorize(authorization_details=worded(ROOM, SPEND)))
    assert "Open one room" in page.text
    assert "Room 204, to enter and clean, until 16 January 2027, 08:00 UTC" in page.text
    assert "Up to 50 pounds" in page.text


def test_a_yes_is_for_these_details_and_no_others(house: House) -> None:
    visitor = Visitor(house)
    visitor.code(authorization_details=worded(ROOM))
    again = visitor.authorize(authorization_details=worded(ROOM))
    assert 'id="allow"' in again.text
    quiet = visitor.authorize(authorization_details=worded({**ROOM, "room": 305}), prompt="none")
    assert quiet.sent_back["error"] == "consent_required"
    assert "code" in visitor.authorize().sent_back


def test_markup_in_a_text_stays_text(house: House) -> None:
    visitor = Visitor(house)
    note = "<b id='allow-all'>{}</b>"
    page = visitor.sign_in(visitor.authorize(authorization_details=worded({**ROOM, "note": note})))
    assert "<b id=" not in page.text
    assert "&lt;b id=" in page.text


WRONG: dict[str, Any] = {
    "not JSON": "room",
    "an object": json.dumps(ROOM),
    "nothing in it": "[]",
    "no objects": "[1]",
    "a list closed early": '[],"x":[]',
    "a name twice": '[{"type":"room","room":204,"room":305,"actions":["enter"]}]',
    "no type": worded({"room": 204}),
    "a type that is no text": worded({**ROOM, "type": 1}),
    "an unknown type": worded({**ROOM, "type": "suite"}),
    "a type of no resource of the client": worded({**ROOM, "type": "attic"}),
    "an unknown field": worded({**ROOM, "master_key": True}),
    "a field missing": worded({"type": "room", "actions": ["enter"]}),
    "a number as text": worded({**ROOM, "room": "204"}),
    "a number as truth": worded({**ROOM, "room": True}),
    "a number below nothing": worded({**SPEND, "most": -1}),
    "a broken number": worded({**SPEND, "most": 0.5}),
    "an unknown word": worded({**ROOM, "actions": ["enter", "burn"]}),
    "no words": worded({**ROOM, "actions": []}),
    "words twice": worded({**ROOM, "actions": ["enter", "enter"]}),
    "words that are none": worded({**ROOM, "actions": [["enter"]]}),
    "a time beyond calendars": worded({**ROOM, "until": 10**15}),
    "an empty text": worded({**ROOM, "note": ""}),
    "a text that hides": worded({**ROOM, "note": "a\u202eb"}),
    "a text too long": worded({**ROOM, "note": "a" * 201}),
    "somewhere else": worded({**ROOM, "locations": [SPA]}),
    "somewhere unknown": worded({**ROOM, "locations": [HOTEL, "https://evil.example"]}),
    "nowhere": worded({**ROOM, "locations": []}),
    "a place that is no text": worded({**ROOM, "locations": [7]}),
    "a place that is no list": worded({**ROOM, "locations": HOTEL}),
    "too many": worded(*[ROOM] * 17),
    "too deep": "[" * 20 + "]" * 20,
}


@pytest.mark.parametrize("sent", WRONG.values(), ids=WRONG)
def test_details_that_cannot_be_are_refused_wherever_they_are_sent(house: House, sent: str) -> None:
    answer = Visitor(house).authorize(authorization_details=sent)
    assert answer.sent_back["error"] == "invalid_authorization_details"
    pushed = house.post("/par", {"response_type": "code", **SHOP, "authorization_details": sent, **REQUEST})
    assert is_refused(house, pushed)


REQUEST = {"redirect_uri": "https://shop.example/callback", "scope": "openid", "nonce": "n"}


def test_a_named_resource_leaves_out_the_details_of_others(house: House) -> None:
    answer = Visitor(house).authorize(authorization_details=worded(SPEND), resource=HOTEL)
    assert answer.sent_back["error"] == "invalid_authorization_details"
    got = tokens(house, ROOM, SPEND)
    narrower = refresh(house, got["refresh_token"], resource=HOTEL).json
    assert narrower["authorization_details"] == [ROOM]
    assert read(narrower["access_token"])["aud"] == HOTEL


LESS = [
    [{**ROOM, "actions": ["enter"]}],
    [{**ROOM, "until": TOMORROW - 3600}],
    [{**ROOM, "actions": ["clean", "enter"], "note": "fewer words"}],
    [{**SPEND, "most": 49}],
    [ROOM, {**SPEND, "most": 0}],
]
MORE = [
    [{**ROOM, "room": 305}],
    [{**ROOM, "until": TOMORROW + 1}],
    [{name: value for name, value in ROOM.items() if name != "until"}],
    [{**SPEND, "most": 51}],
    [{**ROOM, "master_key": True}],
    [{**ROOM, "locations": [HOTEL]}],
    [{"type": "attic", "room": 204, "actions": ["enter"]}],
    [{"type": "room"}],
    [ROOM, {**ROOM, "room": 305}],
    [{**ROOM, "until": "9"}],
    [{**ROOM, "actions": "enter"}],
]


@pytest.mark.parametrize("asked", LESS, ids=str)
def test_a_token_request_may_ask_for_less(house: House, asked: list[dict[str, Any]]) -> None:
    code = Visitor(house).code(authorization_details=worded(ROOM, SPEND))
    got = redeem(house, code, authorization_details=worded(*asked)).json
    assert got["authorization_details"] == asked
    whole = refresh(house, got["refresh_token"]).json
    assert whole["authorization_details"] == [ROOM, SPEND]
    again = refresh(house, whole["refresh_token"], authorization_details=worded(*asked)).json
    assert read(again["access_token"])["authorization_details"] == asked


@pytest.mark.parametrize("asked", MORE, ids=str)
def test_a_token_request_never_gets_more(house: House, asked: list[dict[str, Any]]) -> None:
    got = tokens(house, ROOM, SPEND)
    assert is_refused(house, refresh(house, got["refresh_token"], authorization_details=worded(*asked)))
    code = Visitor(house).code(authorization_details=worded(ROOM, SPEND))
    assert is_refused(house, redeem(house, code, authorization_details=worded(*asked)))
    assert redeem(house, code).status == 200, "a refused request spends nothing"


def test_a_grant_without_details_gives_none(house: House) -> None:
    got = redeem(house, Visitor(house).code()).json
    assert "authorization_details" not in got
    assert is_refused(house, refresh(house, got["refresh_token"], authorization_details=worded(ROOM)))


def machine(house: House, sent: str, **changes: str) -> Answer:
    form = {"grant_type": "client_credentials", "authorization_details": sent, **changes}
    return house.token({**form, **by_key(house, "cleaner")})


def test_a_client_by_itself_gets_the_types_it_is_registered_for(house: House) -> None:
    got = machine(house, worded(ROOM)).json
    assert got["authorization_details"] == [ROOM]
    assert "scope" not in got
    both = machine(house, worded(ROOM), scope="gym:enter").json
    assert (both["scope"], both["authorization_details"]) == ("gym:enter", [ROOM])
    assert is_refused(house, machine(house, worded(SPEND)))


def test_a_client_by_itself_that_is_registered_for_none_gets_none(house: House) -> None:
    form = {"grant_type": "client_credentials", "authorization_details": worded(ROOM), **ROBOT}
    assert is_refused(house, house.token(form))


def test_they_travel_through_a_pushed_request(house: House) -> None:
    form = {"response_type": "code", **SHOP, "authorization_details": worded(ROOM), **REQUEST}
    pushed = house.post("/par", form)
    query = urlencode({"client_id": "shop", "request_uri": pushed.json["request_uri"]})
    visitor = Visitor(house)
    code = visitor.through(visitor.get(f"/authorize?{query}")).sent_back["code"]
    assert redeem(house, code, code_verifier="").json["authorization_details"] == [ROOM]


def test_the_metadata_name_every_type(house: House) -> None:
    document = house.get("/.well-known/oauth-authorization-server").json
    assert document["authorization_details_types_supported"] == ["attic", "room", "spend"]


@given(
    st.fixed_dictionaries(
        {"type": st.just("room"), "room": st.integers(0, 3), "actions": st.sets(st.sampled_from(["enter", "clean"]), min_size=1)},
        optional={"until": st.integers(1, 4)},
    ),
    st.fixed_dictionaries(
        {"type": st.just("room"), "room": st.integers(0, 3), "actions": st.sets(st.sampled_from(["enter", "clean"]), min_size=1)},
        optional={"until": st.integers(1, 4)},
    ),
)  # fmt: skip
def test_what_is_within_opens_nothing_that_the_whole_does_not(part: dict[str, Any], whole: dict[str, Any]) -> None:
    """Read both as the set of (room, action, moment) that they open."""

    def opens(one: dict[str, Any]) -> set[tuple[int, str, int]]:
        return {(one["room"], action, at) for action in one["actions"] for at in range(one.get("until", 9))}

    listed = [{**one, "actions": sorted(one["actions"])} for one in (part, whole)]
    verdict = details.judged_within(json.dumps(listed[:1]), listed[1:], POLICY)
    assert isinstance(verdict, details.Refusal) == (not opens(part) <= opens(whole))


def test_a_client_without_scopes_may_ask_for_details_at_the_resources_it_is_bound_to() -> None:
    bound = Client(id="c", name="C", auth_methods=frozenset({"none"}), resources=(HOTEL,))
    assert details.asked(worded(ROOM), bound, POLICY) == (ROOM,)
    elsewhere = replace(bound, resources=(SPA,))
    assert isinstance(details.asked(worded(ROOM), elsewhere, POLICY), details.Refusal)
