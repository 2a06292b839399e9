"""FAPI 2.0, from push to refresh: what the profile demands, and every way around it that was tried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from msgspec.structs import replace

from innkeeper.guard.unverified import read_unverified
from innkeeper.issuer.settings import SeedClient
from innkeeper.keys.jws import compact, encode_header
from tests.issuer.house import ASKED, ORIGIN, VERIFIER, Answer, House
from tests.issuer.signing import (
    CALLBACK,
    SCOPES,
    bank,
    by_key,
    dpop,
    proves,
    read,
    request_claims,
    request_object,
    said,
    settings_for,
    thumbprint,
    unsigned,
)
from tests.issuer.visitor import SHOP, Visitor
from tests.keys.keyring import private_key

PLAIN = bank("plain", redirect_uris=[CALLBACK, "http://127.0.0.1/callback", "bank.example:/back"])
NATIVE = bank("native", redirect_uris=["http://127.0.0.1/callback", "bank.example:/back"], native=True)
OLD = SeedClient(
    id="old", name="The old one", secret="old-secret-of-the-old-one", redirect_uris=[CALLBACK], profile="oauth21",
    scopes=SCOPES,
)  # fmt: skip
SIGNING = bank("signing", profile="fapi2-message-signing")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[House]:
    settings = settings_for("fapi2-security", bank(), PLAIN, NATIVE, OLD, SIGNING)
    made = House(tmp_path_factory.mktemp("fapi"), settings)
    yield made
    made.close()


def asked(client_id: str = "bank", **changes: str | None) -> dict[str, str]:
    sent = {**ASKED, "client_id": client_id, "redirect_uri": CALLBACK, **changes}
    return {name: value for name, value in sent.items() if value is not None}


def push(house: House, client_id: str = "bank", **changes: str | None) -> Answer:
    return house.post("/par", {**asked(client_id, **changes), **by_key(house, client_id)})


def code_of(house: House, pushed: Answer, client_id: str = "bank", visitor: Visitor | None = None) -> str:
    assert pushed.status == 201, pushed.body
    query = urlencode({"client_id": client_id, "request_uri": pushed.json["request_uri"]})
    someone = visitor or Visitor(house)
    answer = someone.through(someone.get(f"/authorize?{query}"))
    assert answer.sent_back["iss"] == ORIGIN
    return answer.sent_back["code"]


def redeem(house: House, code: str, client_id: str = "bank", **headers: str) -> Answer:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    sent = headers or {"dpop": dpop(house, "/token")}
    return house.post("/token", {**form, **by_key(house, client_id)}, **sent)


def is_refused(answer: Answer, error: str, number: str, house: House, status: int = 400) -> bool:
    assert (answer.status, answer.json["error"]) == (status, error), answer.body
    assert answer.header("cache-control") == "no-store"
    refusal = house.last.refusal
    assert refusal is not None
    assert refusal.page.number == number, refusal
    return True


def test_a_pushed_request_leads_to_tokens_that_are_bound(house: House) -> None:
    tokens = redeem(house, code_of(house, push(house))).json
    assert tokens["token_type"] == "DPoP"
    assert read(tokens["access_token"])["cnf"] == {"jkt": thumbprint()}


def test_the_id_token_is_signed_as_the_profile_asks_whatever_was_registered(house: House) -> None:
    tokens = redeem(house, code_of(house, push(house))).json
    assert read_unverified(tokens["id_token"]).header["alg"] == "ES256"


def test_a_refresh_token_stays_as_it_is(house: House) -> None:
    tokens = redeem(house, code_of(house, push(house, scope="openid offline_access room:enter"))).json
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    for _ in range(3):
        answer = house.post("/token", {**form, **by_key(house, "bank")}, dpop=dpop(house, "/token"))
        assert answer.status == 200
        assert "refresh_token" not in answer.json
        assert read(answer.json["access_token"])["cnf"] == {"jkt": thumbprint()}
        house.clock.move(120)


def test_a_code_lives_for_a_minute_at_most(house: House) -> None:
    code = code_of(house, push(house))
    house.clock.move(60)
    assert is_refused(redeem(house, code), "invalid_grant", "IK230", house)


def test_a_request_that_was_not_pushed_is_refused_whatever_it_looks_like(house: House) -> None:
    visitor = Visitor(house)
    for sent in (asked(), {"client_id": "bank", "redirect_uri": CALLBACK, "request": request_object(house)}):
        answer = visitor.get(f"/authorize?{urlencode(sent)}")
        assert answer.sent_back["error"] == "invalid_request"
        assert house.last.refusal is not None
        assert house.last.refusal.page.number == "IK117"


def test_parameters_beside_a_reference_change_nothing(house: House) -> None:
    pushed = push(house, scope="openid")
    beside = {"scope": "openid room:enter", "state": "evil", "redirect_uri": "https://evil.example/", "nonce": "evil"}
    query = urlencode({"client_id": "bank", "request_uri": pushed.json["request_uri"], **beside})
    visitor = Visitor(house)
    answer = visitor.through(visitor.get(f"/authorize?{query}"))
    assert answer.location.startswith(CALLBACK)
    assert answer.sent_back["state"] == ASKED["state"]
    assert redeem(house, answer.sent_back["code"]).json["scope"] == "openid"


def test_a_reference_of_another_client_leads_nowhere(house: House) -> None:
    pushed = push(house)
    query = urlencode({"client_id": "plain", "request_uri": pushed.json["request_uri"]})
    assert Visitor(house).get(f"/authorize?{query}").status == 400


def test_a_request_without_pkce_is_refused_even_with_a_nonce(house: House) -> None:
    answer = push(house, code_challenge=None, code_challenge_method=None)
    assert is_refused(answer, "invalid_request", "IK113", house)


@pytest.mark.parametrize("kind", ["token", "id_token", "code id_token", "code token"])
def test_no_token_travels_through_a_browser(house: House, kind: str) -> None:
    assert is_refused(push(house, response_type=kind), "unsupported_response_type", "IK111", house)


@pytest.mark.parametrize("uri", ["http://127.0.0.1/callback", "bank.example:/back"])
def test_an_answer_does_not_travel_over_plain_http(house: House, uri: str) -> None:
    assert is_refused(push(house, "plain", redirect_uri=uri), "invalid_request", "IK104", house)


def test_a_native_client_may_be_answered_on_its_own_computer_and_nowhere_else(house: House) -> None:
    assert push(house, "native", redirect_uri="http://127.0.0.1:55555/callback").status == 201
    refused = push(house, "native", redirect_uri="bank.example:/back")
    assert is_refused(refused, "invalid_request", "IK104", house)


@pytest.mark.parametrize("path", ["/par", "/token", "/introspect", "/revoke"])
def test_a_secret_proves_nobody_any_more(house: House, path: str) -> None:
    form = {"grant_type": "client_credentials", "token": "x", **asked("shop"), **SHOP}
    assert is_refused(house.post(path, form), "invalid_client", "IK204", house, 401)


def test_a_public_client_is_nobody_either(house: House) -> None:
    form = {**asked("app", redirect_uri="http://127.0.0.1/callback")}
    assert is_refused(house.post("/par", form), "invalid_client", "IK204", house, 401)


@pytest.mark.parametrize("alg", ["RS256", "ES384"])
def test_assertions_in_other_algorithms_are_refused(house: House, alg: str) -> None:
    form = {"grant_type": "client_credentials", "scope": "room:enter", **by_key(house, "bank", alg)}
    answer = house.post("/token", form, dpop=dpop(house, "/token"))
    assert is_refused(answer, "invalid_client", "IK201", house, 401)


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
def test_assertions_in_the_profiles_algorithms_are_believed(house: House, alg: str) -> None:
    form = {"grant_type": "client_credentials", "scope": "room:enter", **by_key(house, "bank", alg)}
    assert house.post("/token", form, dpop=dpop(house, "/token")).status == 200


@pytest.mark.parametrize(
    "audience", [f"{ORIGIN}/token", f"{ORIGIN}/par", [ORIGIN], [ORIGIN, f"{ORIGIN}/par"], f"{ORIGIN}/", None]
)
def test_an_assertion_is_addressed_to_the_issuer_in_one_string(house: House, audience: object) -> None:
    form = {**asked(), **by_key(house, "bank", aud=audience)}
    assert is_refused(house.post("/par", form), "invalid_client", "IK201", house, 401)


def test_no_token_is_given_out_that_a_thief_could_use(house: House) -> None:
    code = code_of(house, push(house))
    refused = redeem(house, code, x_nothing="")
    assert is_refused(refused, "invalid_request", "IK253", house)
    alone = house.post("/token", {"grant_type": "client_credentials", **by_key(house, "bank")})
    assert is_refused(alone, "invalid_request", "IK253", house)


def test_a_proof_of_possession_in_another_algorithm_is_none(house: House) -> None:
    form = {"grant_type": "client_credentials", "scope": "room:enter", **by_key(house, "bank")}
    answer = house.post("/token", form, dpop=dpop(house, "/token", alg="RS256"))
    assert is_refused(answer, "invalid_dpop_proof", "IK540", house)


def test_a_code_pushed_with_a_proof_is_redeemed_by_that_key_alone(house: House) -> None:
    form = {**asked(), **by_key(house, "bank")}
    pushed = house.post("/par", form, dpop=dpop(house, "/par"))
    stolen = redeem(house, code_of(house, pushed), dpop=dpop(house, "/token", alg="PS256"))
    assert is_refused(stolen, "invalid_grant", "IK251", house)


def test_a_request_object_is_signed_as_the_profile_asks(house: House) -> None:
    for packed in (request_object(house, "RS256"), unsigned(request_claims(house))):
        answer = house.post("/par", {"client_id": "bank", "request": packed, **by_key(house, "bank")})
        assert is_refused(answer, "invalid_request_object", "IK114", house)
    good = {"client_id": "bank", "request": request_object(house), **by_key(house, "bank")}
    assert house.post("/par", good).status == 201


def test_a_client_with_a_profile_of_its_own_lives_by_that(house: House) -> None:
    visitor = Visitor(house)
    answer = visitor.through(visitor.get(f"/authorize?{urlencode(asked('old'))}"))
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    secret = {"client_id": "old", "client_secret": OLD.secret}
    tokens = house.token({**form, "code": answer.sent_back["code"], **secret})
    assert tokens.json["token_type"] == "Bearer"


def test_nobody_gets_out_of_a_profile_by_asking(house: House) -> None:
    """Neither a parameter nor a registered member names a profile."""
    answer = Visitor(house).get(f"/authorize?{urlencode({**asked(), 'profile': 'oauth21'})}")
    assert answer.sent_back["error"] == "invalid_request"
    form = {"grant_type": "client_credentials", "profile": "oauth21", **SHOP}
    assert is_refused(house.post("/token", form), "invalid_client", "IK204", house, 401)


def test_a_request_pushed_before_the_client_came_under_a_profile_is_judged_by_it(house: House) -> None:
    store = house.issuer.realm.store
    old = house.run(store.client("old"))
    assert old is not None
    visitor = Visitor(house)
    page = visitor.get(f"/authorize?{urlencode(asked('old', prompt='login'))}")
    house.run(store.put_client(replace(old, profile="fapi2-security")))
    house.run(house.issuer.realm.reload())
    try:
        assert visitor.sign_in(page).sent_back["error"] == "invalid_request"
    finally:
        house.run(store.put_client(old))
        house.run(house.issuer.realm.reload())


def test_the_metadata_say_what_the_profile_does(house: House) -> None:
    document = house.get("/.well-known/openid-configuration").json
    assert document["require_pushed_authorization_requests"] is True
    assert document["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    for name in ("token_endpoint_auth", "request_object", "dpop"):
        assert set(document[f"{name}_signing_alg_values_supported"]) == {"ES256", "PS256", "EdDSA"}
    assert document["response_types_supported"] == ["code"]


def test_message_signing_takes_no_request_without_a_signature(house: House) -> None:
    assert is_refused(push(house, "signing"), "invalid_request", "IK118", house)


@pytest.mark.parametrize(
    "changes",
    [{"exp": None}, {"nbf": None}, {"aud": None}, {"exp": 3601}, {"nbf": -3601}, {"aud": "https://other.example"}],
    ids=str,
)
def test_message_signing_asks_objects_to_be_short_lived(house: House, changes: dict[str, Any]) -> None:
    moved = {name: house.clock() + value if isinstance(value, int) else value for name, value in changes.items()}
    packed = request_object(house, client_id="signing", **moved)
    answer = house.post("/par", {"client_id": "signing", "request": packed, **by_key(house, "signing")})
    assert is_refused(answer, "invalid_request_object", "IK114", house)


@pytest.mark.parametrize("name", ["exp", "nbf", "aud"])
def test_message_signing_takes_nothing_for_no_time_and_no_reader(house: House, name: str) -> None:
    """A claim that is there and says null: found by fuzzing."""
    claims = {**request_claims(house, client_id="signing"), name: None}
    header = encode_header({"alg": "ES256", "kid": "ES256", "typ": "oauth-authz-req+jwt"})
    packed = compact(header.encode(), msgspec.json.encode(claims), private_key("ES256"), "ES256")
    answer = house.post("/par", {"client_id": "signing", "request": packed, **by_key(house, "signing")})
    assert is_refused(answer, "invalid_request_object", "IK114", house)


def test_an_assertion_is_no_request_object_and_the_other_way_round(house: House) -> None:
    claims = request_claims(house, client_id="signing", sub="signing", jti="1")
    as_request = house.post("/par", {"client_id": "signing", "request": said(claims), **by_key(house, "signing")})
    assert is_refused(as_request, "invalid_request_object", "IK114", house)
    packed = request_object(house, client_id="signing")
    as_proof = house.post("/par", {"client_id": "signing", "request": packed, **proves(packed)})
    assert is_refused(as_proof, "invalid_client", "IK201", house, 401)


@pytest.mark.parametrize("mode", [None, "jwt", "query.jwt"])
def test_message_signing_answers_in_a_signed_jwt_whether_asked_or_not(house: House, mode: str | None) -> None:
    packed = request_object(house, client_id="signing", response_mode=mode)
    pushed = house.post("/par", {"client_id": "signing", "request": packed, **by_key(house, "signing")})
    query = urlencode({"client_id": "signing", "request_uri": pushed.json["request_uri"]})
    visitor = Visitor(house)
    (response,) = visitor.through(visitor.get(f"/authorize?{query}")).sent_back.values()
    assert read_unverified(response).header["alg"] in ("ES256", "PS256", "EdDSA")
    said = read(response)
    assert (said["iss"], said["aud"], said["state"]) == (ORIGIN, "signing", ASKED["state"])
    assert redeem(house, said["code"], "signing").json["token_type"] == "DPoP"


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_message_signing_answers_in_no_other_way(house: House, mode: str) -> None:
    packed = request_object(house, client_id="signing", response_mode=mode)
    answer = house.post("/par", {"client_id": "signing", "request": packed, **by_key(house, "signing")})
    assert is_refused(answer, "invalid_request", "IK107", house)


@pytest.mark.parametrize(("ahead", "status"), [(0, 201), (10, 201), (61, 401)])
def test_a_clients_clock_may_be_ahead_by_ten_seconds_and_not_by_a_minute(house: House, ahead: int, status: int) -> None:
    then = house.clock() + ahead
    form = {**asked(), **by_key(house, "bank", iat=then, nbf=then, exp=then + 60)}
    assert house.post("/par", form).status == status
