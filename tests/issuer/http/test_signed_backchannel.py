"""Backchannel requests that their client signed, and what FAPI asks of them: the certification modules by their names."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from innkeeper.issuer.core.token import CIBA
from innkeeper.keys.jws import PrivateKey
from tests.issuer.house import ORIGIN, Answer, House, posted
from tests.issuer.signing import bank, by_key, dpop, said, settings_for, unsigned
from tests.issuer.visitor import Visitor

ADA = "ada@example.org"
GRANTS = ("ciba", "refresh_token")
_numbers = itertools.count()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    wish = {"backchannel_authentication_request_signing_alg": "ES256"}
    clients = (
        bank(grants=GRANTS),
        bank("signs", grants=GRANTS, metadata=wish),
        bank("strict", grants=GRANTS, profile="fapi2-message-signing"),
        bank("money", grants=GRANTS, profile="fapi2-security"),
    )
    made = House(tmp_path_factory.mktemp("ciba"), settings_for("oauth21", *clients))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def everybody_has_forgotten(house: House) -> None:
    """What earlier tests left waiting has expired."""
    house.clock.move(1_000)


def claims(house: House, client_id: str = "signs", **changes: Any) -> dict[str, Any]:
    now = house.clock()
    frame = {"iss": client_id, "aud": ORIGIN, "iat": now, "nbf": now, "exp": now + 300, "jti": f"c{next(_numbers)}"}
    return {**frame, "scope": "openid", "login_hint": ADA, "binding_message": "K7-42", **changes}


def asked(
    house: House, client_id: str = "signs", alg: str = "ES256", key: PrivateKey | None = None, **changes: Any
) -> Answer:
    packed = said(claims(house, client_id, **changes), alg, key)
    return house.post("/bc-authorize", {"request": packed, **by_key(house, client_id)})


def is_refused(answer: Answer, error: str = "invalid_request") -> None:
    assert (answer.status, answer.json["error"]) == (400, error), answer.body


def allowed(house: House) -> None:
    visitor = Visitor(house)
    page = visitor.sign_in(visitor.get("/approvals"))
    address = page.text.partition("/approvals?request=")[2].partition('"')[0]
    visitor.submit(visitor.get(f"/approvals?request={address}"), decision="allow")


def test_fapi_ciba_happy_flow(house: House) -> None:
    answer = asked(house, "strict", requested_expiry=120)
    assert answer.status == 200, answer.body
    assert answer.json["expires_in"] == 120
    allowed(house)
    form = {"grant_type": CIBA, "auth_req_id": answer.json["auth_req_id"], **by_key(house, "strict")}
    tokens = house.post("/token", form, dpop=dpop(house, "/token"))
    assert tokens.status == 200, tokens.body
    assert (tokens.json["token_type"], "id_token" in tokens.json) == ("DPoP", True)


def test_fapi_ciba_ensure_token_needs_a_key(house: House) -> None:
    answer = asked(house, "strict")
    allowed(house)
    is_refused(house.token({"grant_type": CIBA, "auth_req_id": answer.json["auth_req_id"], **by_key(house, "strict")}))


@pytest.mark.parametrize("name", ["aud", "iss", "exp", "iat", "nbf", "jti"])
def test_fapi_ciba_ensure_request_object_missing_a_claim_fails(house: House, name: str) -> None:
    is_refused(asked(house, **{name: None}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "https://other.example"},
        {"aud": []},
        {"iss": "bank"},
        {"exp": "soon"},
        {"exp": True},
        {"iat": []},
        {"jti": ""},
        {"jti": 7},
    ],
    ids=str,
)
def test_fapi_ciba_ensure_request_object_with_bad_claims_fails(house: House, wrong: dict[str, Any]) -> None:
    is_refused(asked(house, **wrong))


@pytest.mark.parametrize("move", [{"exp": -300}, {"nbf": 300}, {"iat": 300}, {"exp": 4000}, {"nbf": -4000}], ids=str)
def test_fapi_ciba_ensure_request_object_out_of_its_time_fails(house: House, move: dict[str, int]) -> None:
    is_refused(asked(house, **{name: house.clock() + seconds for name, seconds in move.items()}))


def test_fapi_ciba_ensure_request_object_signature_is_checked(house: House) -> None:
    packed = said(claims(house))
    wrong = (unsigned(claims(house)), f"{packed[:-6]}AAAAAA", said(claims(house), "RS256"), "a.b.c", "x")
    wrong = (*wrong, said({**claims(house), "client_id": "bank"}))
    for one in wrong:
        is_refused(house.post("/bc-authorize", {"request": one, **by_key(house, "signs")}))


def test_fapi_ciba_ensure_request_object_is_used_once(house: House) -> None:
    packed = said(claims(house))
    form = {"request": packed}
    assert house.post("/bc-authorize", {**form, **by_key(house, "signs")}).status == 200
    is_refused(house.post("/bc-authorize", {**form, **by_key(house, "signs")}))


def test_of_many_at_once_one_is_taken(house: House) -> None:
    packed = said(claims(house))
    answers = house.ask_all([posted("/bc-authorize", {"request": packed, **by_key(house, "signs")}) for _ in range(4)])
    assert sorted(one.status for one in answers) == [200, 400, 400, 400]


def test_nothing_stands_beside_a_signed_request(house: House) -> None:
    form = {"request": said(claims(house)), "scope": "openid", **by_key(house, "signs")}
    is_refused(house.post("/bc-authorize", form))


@pytest.mark.parametrize("client_id", ["signs", "strict"])
def test_fapi_ciba_ensure_unsigned_request_fails_where_signing_is_asked_for(house: House, client_id: str) -> None:
    form = {"scope": "openid", "login_hint": ADA, "binding_message": "K7", **by_key(house, client_id)}
    is_refused(house.post("/bc-authorize", form))


def test_a_client_that_registered_nothing_may_sign_or_not(house: House) -> None:
    assert asked(house, "bank", "PS256").status == 200
    assert house.post("/bc-authorize", {"scope": "openid", "login_hint": ADA, **by_key(house, "bank")}).status == 200


@pytest.mark.parametrize("client_id", ["strict", "money"])
def test_fapi_ciba_a_request_shows_words_to_compare(house: House, client_id: str) -> None:
    is_refused(asked(house, client_id, binding_message=None))
    is_refused(asked(house, client_id, binding_message="x" * 200), "invalid_binding_message")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"login_hint": None}, "invalid_request"),
        ({"id_token_hint": "x"}, "invalid_request"),
        ({"login_hint": "nobody@example.org"}, "unknown_user_id"),
        ({"scope": "room:enter"}, "invalid_scope"),
        ({"requested_expiry": 0}, "invalid_request"),
        ({"requested_expiry": {"a": 1}}, "invalid_request"),
        ({"request": "x"}, "invalid_request"),
        ({"authorization_details": [{"type": "x"}]}, "invalid_authorization_details"),
    ],
    ids=str,
)
def test_what_is_inside_is_judged_as_plain_parameters_are(house: House, changes: dict[str, Any], error: str) -> None:
    answer = asked(house, **changes)
    if changes == {"request": "x"}:
        assert answer.status == 200, "a parameter that means nothing here is ignored"
    else:
        is_refused(answer, error)


def test_fapi_ciba_ensure_auth_req_id_is_the_clients_own_and_expires(house: House) -> None:
    answer = asked(house, requested_expiry=30)
    other = {"grant_type": CIBA, "auth_req_id": answer.json["auth_req_id"], **by_key(house, "bank")}
    is_refused(house.token(other), "invalid_grant")
    house.clock.move(31)
    own = {"grant_type": CIBA, "auth_req_id": answer.json["auth_req_id"], **by_key(house, "signs")}
    is_refused(house.token(own), "expired_token")
    is_refused(house.token({"grant_type": CIBA, "auth_req_id": "wrong", **by_key(house, "signs")}), "invalid_grant")


def test_the_metadata_name_the_algorithms(house: House) -> None:
    document = house.get("/.well-known/openid-configuration").json
    listed = document["backchannel_authentication_request_signing_alg_values_supported"]
    assert {"ES256", "PS256"} <= set(listed)
    assert "none" not in listed
    assert document["backchannel_token_delivery_modes_supported"] == ["poll", "ping"]
