"""Authorization details in the grants without a redirect: shown, allowed, told in tokens, and never widened (RFC 9396)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from innkeeper.issuer.core.records import DetailField, DetailType
from innkeeper.issuer.core.token import CIBA, DEVICE_CODE, TOKEN_EXCHANGE
from tests.issuer.house import HOTEL, NOW, SETTINGS, Answer, House
from tests.issuer.signing import read
from tests.issuer.visitor import SHOP, Visitor

ROOM_TYPE = DetailType(
    "Open one room",
    {
        "room": DetailField("number", "room {}", required=True),
        "actions": DetailField("words", "to {}", words=("enter", "clean"), required=True),
        "until": DetailField("until", "until {}"),
    },
)
ROOM = {"type": "room", "room": 204, "actions": ["enter", "clean"]}
TOMORROW = NOW + 86_400
LESS = {"type": "room", "room": 204, "actions": ["enter"], "until": TOMORROW}
OTHER = {"type": "room", "room": 305, "actions": ["enter"]}
ACCESS = "urn:ietf:params:oauth:token-type:access_token"
GRANTS = ("authorization_code", "refresh_token", "device_code", "ciba", "token_exchange")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    shop, *others = SETTINGS.client
    hotel, spa = SETTINGS.resource
    settings = replace(
        SETTINGS,
        client=[replace(shop, grants=GRANTS), *others],
        resource=[replace(hotel, details={"room": ROOM_TYPE}), spa],
    )
    made = House(tmp_path_factory.mktemp("details"), settings)
    yield made
    made.close()


def worded(*details: dict[str, Any]) -> str:
    return json.dumps(list(details))


def told(tokens: dict[str, Any]) -> list[dict[str, Any]]:
    """What the answer and the token in it say, which is the same."""
    in_token = read(tokens["access_token"]).get("authorization_details", [])
    assert tokens.get("authorization_details", []) == in_token
    found: list[dict[str, Any]] = in_token
    return found


def by_device(house: House, *details: dict[str, Any], **polled: str) -> Answer:
    """A television asks, Ada allows what she is shown, the television asks for its tokens."""
    form = {"scope": "openid room:enter", "authorization_details": worded(*details), **SHOP}
    codes = house.post("/device_authorization", form)
    assert codes.status == 200, codes.body
    visitor = Visitor(house)
    page = visitor.sign_in(visitor.get("/device"))
    page = visitor.submit(page, user_code=codes.json["user_code"])
    assert "Open one room" in page.text
    assert "Room 204" in page.text
    visitor.submit(page, decision="allow")
    return house.token({"grant_type": DEVICE_CODE, "device_code": codes.json["device_code"], **SHOP, **polled})


def by_approval(house: House, *details: dict[str, Any]) -> Answer:
    form = {"scope": "openid", "login_hint": "ada@example.org", "authorization_details": worded(*details), **SHOP}
    begun = house.post("/bc-authorize", form)
    assert begun.status == 200, begun.body
    visitor = Visitor(house)
    page = visitor.sign_in(visitor.get("/approvals"))
    (url,) = re.findall(r'href="([^"]*/approvals\?request=[^"]+)"', page.text)
    page = visitor.get(url)
    assert "Room 204" in page.text
    visitor.submit(page, decision="allow")
    return house.token({"grant_type": CIBA, "auth_req_id": begun.json["auth_req_id"], **SHOP})


def exchanged(house: House, tokens: dict[str, Any], **more: str) -> Answer:
    form = {"grant_type": TOKEN_EXCHANGE, "subject_token": tokens["access_token"], "subject_token_type": ACCESS}
    return house.token({**form, **SHOP, **more})


@pytest.mark.parametrize("way", [by_device, by_approval])
def test_what_a_person_allowed_is_told_in_the_token(house: House, way: Any) -> None:
    tokens = way(house, ROOM).json
    assert told(tokens) == [ROOM]
    assert HOTEL in read(tokens["access_token"])["aud"]
    looked_up = house.post("/introspect", {"token": tokens["access_token"], **SHOP}).json
    assert looked_up["authorization_details"] == [ROOM]
    fresh = house.token({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **SHOP}).json
    assert told(fresh) == [ROOM]


def test_a_device_may_take_less_and_never_more(house: House) -> None:
    assert told(by_device(house, ROOM, authorization_details=worded(LESS)).json) == [LESS]
    refused = by_device(house, LESS, authorization_details=worded(ROOM))
    assert (refused.status, refused.json["error"]) == (400, "invalid_authorization_details")


@pytest.mark.parametrize("path", ["/device_authorization", "/bc-authorize"])
@pytest.mark.parametrize("text", ["", "[]", "{}", '[{"type":"spaceship"}]', '[{"type":"room"}]', "[1]", "nonsense"])
def test_details_that_cannot_be_are_refused(house: House, path: str, text: str) -> None:
    form = {"scope": "openid", "login_hint": "ada@example.org", "authorization_details": text, **SHOP}
    answer = house.post(path, form)
    if text:
        assert (answer.status, answer.json["error"]) == (400, "invalid_authorization_details")
    else:
        assert answer.status == 200


def test_an_exchange_keeps_the_details_or_narrows_them(house: House) -> None:
    tokens = by_device(house, ROOM).json
    assert told(exchanged(house, tokens).json) == [ROOM]
    assert told(exchanged(house, tokens, authorization_details=worded(LESS)).json) == [LESS]
    assert told(exchanged(house, exchanged(house, tokens, authorization_details=worded(LESS)).json).json) == [LESS]


def test_an_exchange_gives_no_detail_that_the_old_token_lacks(house: House) -> None:
    narrow = by_device(house, LESS).json
    for more in (worded(ROOM), worded(OTHER), worded(LESS, OTHER)):
        answer = exchanged(house, narrow, authorization_details=more)
        assert (answer.status, answer.json["error"]) == (400, "invalid_authorization_details")
    plain = house.token(
        {"grant_type": TOKEN_EXCHANGE, "subject_token_type": ACCESS, "subject_token": _without(house), **SHOP}
        | {"authorization_details": worded(LESS)}
    )
    assert plain.json["error"] == "invalid_authorization_details"


def _without(house: House) -> str:
    code = Visitor(house).code()
    from tests.issuer.visitor import redeem

    return str(redeem(house, code).json["access_token"])
