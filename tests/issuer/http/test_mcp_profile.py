"""The profile for agents: PKCE for everybody, and fewer scopes instead of a refusal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.issuer.house import House
from tests.issuer.signing import CALLBACK, bank, by_key, settings_for
from tests.issuer.visitor import ROBOT, SHOP, Visitor, redeem

DEVICE = bank("tv", grants=("device_code",), redirect_uris=[])
FAPI_DEVICE = bank("fapi-tv", grants=("device_code",), redirect_uris=[], profile="fapi2-security")
OLD = bank("old", profile="oauth21")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("mcp"), settings_for("mcp-2026-07-28", DEVICE, FAPI_DEVICE, OLD))
    yield made
    made.close()


def test_unknown_scopes_are_left_out_and_the_answer_says_what_is_left(house: House) -> None:
    answer = redeem(house, Visitor(house).code(scope="openid room:enter files:read phone"))
    assert answer.json["scope"] == "openid room:enter"


def test_the_person_is_not_asked_about_what_is_left_out(house: House) -> None:
    visitor = Visitor(house)
    page = visitor.sign_in(visitor.authorize(scope="openid room:enter phone"))
    assert "telephone" not in page.text


def test_asking_for_nothing_that_exists_is_not_asking_for_everything(house: House) -> None:
    assert Visitor(house).authorize(scope="files:read").sent_back["error"] == "invalid_scope"
    form = {"grant_type": "client_credentials", **ROBOT, "scope": "files:read"}
    assert house.token(form).json["error"] == "invalid_scope"


def test_a_client_by_itself_and_a_device_get_what_they_may_have(house: House) -> None:
    form = {"grant_type": "client_credentials", **ROBOT, "scope": "room:enter files:read"}
    assert house.token(form).json["scope"] == "room:enter"
    asked = house.post("/device_authorization", {"scope": "room:enter files:read", **by_key(house, "tv")})
    assert asked.status == 200


def test_a_refresh_is_narrowed_to_what_was_granted_and_never_widened(house: House) -> None:
    got = redeem(house, Visitor(house).code(scope="openid room:enter files:read")).json
    form = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"], **SHOP}
    assert house.token({**form, "scope": "gym:enter"}).json["error"] == "invalid_scope"


def test_everybody_uses_pkce_with_or_without_a_nonce(house: House) -> None:
    answer = Visitor(house).authorize(code_challenge=None, code_challenge_method=None)
    assert answer.sent_back["error"] == "invalid_request"
    assert house.last.refusal is not None
    assert house.last.refusal.page.number == "IK113"


def test_a_client_of_the_default_profile_is_still_refused(house: House) -> None:
    answer = Visitor(house).authorize(client_id="old", redirect_uri=CALLBACK, scope="openid files:read")
    assert answer.sent_back["error"] == "invalid_scope"


def test_a_bank_has_no_device_grant(house: House) -> None:
    answer = house.post("/device_authorization", {"scope": "room:enter", **by_key(house, "fapi-tv")})
    assert (answer.status, answer.json["error"]) == (400, "unauthorized_client")
