"""The modules of the FAPI 2.0 certification suite by their names: what each does to a server, and what it expects."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from innkeeper.keys import jwk
from innkeeper.keys.jws import PrivateKey, compact, encode_header
from innkeeper.protocol import base64url
from tests.issuer.house import ASKED, ORIGIN, VERIFIER, Answer, House
from tests.issuer.signing import (
    CALLBACK,
    assertion_claims,
    bank,
    by_key,
    proves,
    read,
    request_claims,
    request_object,
    said,
    settings_for,
    unsigned,
)
from tests.issuer.visitor import Visitor
from tests.keys.keyring import private_key

_numbers = itertools.count()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    signing = bank("signing", profile="fapi2-message-signing")
    made = House(tmp_path_factory.mktemp("fapi"), settings_for("fapi2-security", bank(), bank("second"), signing))
    yield made
    made.close()


def asked(client_id: str = "bank", **changes: str | None) -> dict[str, str]:
    sent = {**ASKED, "client_id": client_id, "redirect_uri": CALLBACK, **changes}
    return {name: value for name, value in sent.items() if value is not None}


def pushed(house: House, client_id: str = "bank", **changes: str | None) -> Answer:
    return house.post("/par", {**asked(client_id, **changes), **by_key(house, client_id)})


def reference(answer: Answer) -> str:
    assert answer.status == 201, answer.body
    return str(answer.json["request_uri"])


def gone_to(house: House, uri: str, client_id: str = "bank", visitor: Visitor | None = None) -> Answer:
    someone = visitor or Visitor(house)
    return someone.through(someone.get(f"/authorize?{urlencode({'client_id': client_id, 'request_uri': uri})}"))


def code(house: House, client_id: str = "bank", **changes: str | None) -> str:
    return gone_to(house, reference(pushed(house, client_id, **changes)), client_id).sent_back["code"]


def proof(house: House, path: str, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
    """A DPoP proof with something in it changed; None leaves it out."""
    key = (header or {}).get("key") or private_key("ES256")
    document = jwk.public_document(key.public_key(), "", "ES256")
    shown = {name: document[name] for name in ("kty", "crv", "x", "y")}
    head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": shown, **(header or {})}
    body = {"jti": f"m{next(_numbers)}", "htm": "POST", "htu": f"{ORIGIN}{path}", "iat": house.clock(), **claims}
    kept = {name: value for name, value in head.items() if value is not None and name != "key"}
    sent = {name: value for name, value in body.items() if value is not None}
    return compact(encode_header(kept).encode(), msgspec.json.encode(sent), key, "ES256")


def redeemed(house: House, got: str, client_id: str = "bank", dpop: str | None = None, **changes: str) -> Answer:
    form = {"grant_type": "authorization_code", "code": got, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    shown = proof(house, "/token") if dpop is None else dpop
    headers = {"dpop": shown} if shown else {}
    return house.post("/token", {**form, **by_key(house, client_id), **changes}, **headers)


def is_refused(answer: Answer, error: str, status: int = 400) -> None:
    assert (answer.status, answer.json["error"]) == (status, error), answer.body
    assert answer.header("cache-control") == "no-store"


def test_fapi2_discovery_end_point_verification(house: House) -> None:
    found = house.get("/.well-known/openid-configuration").json
    assert found["pushed_authorization_request_endpoint"].startswith(ORIGIN)
    assert found["authorization_response_iss_parameter_supported"] is True
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert not {"none", "RS256"} & set(found["id_token_signing_alg_values_supported"])
    assert found["grant_types_supported"].count("implicit") == 0


def test_fapi2_happy_flow(house: House) -> None:
    back = gone_to(house, reference(pushed(house, scope="openid profile")))
    assert set(back.sent_back) == {"code", "state", "iss"}
    answer = redeemed(house, back.sent_back["code"])
    assert answer.header("cache-control") == "no-store"
    assert (answer.json["token_type"], answer.json["scope"]) == ("DPoP", "openid profile")
    assert read(answer.json["id_token"])["nonce"] == ASKED["nonce"]
    token = answer.json["access_token"]
    shown = proof(house, "/userinfo", htm="GET", ath=base64url.encode_text(sha256(token.encode()).digest()))
    assert house.get("/userinfo", authorization=f"DPoP {token}", dpop=shown).json["sub"] == "ada-1"


def test_fapi2_user_rejects_authentication(house: House) -> None:
    visitor = Visitor(house)
    uri = reference(pushed(house, prompt="login consent"))
    page = visitor.sign_in(visitor.get(f"/authorize?{urlencode({'client_id': 'bank', 'request_uri': uri})}"))
    back = visitor.submit(page, decision="deny").sent_back
    assert (back["error"], back["state"], back["iss"]) == ("access_denied", ASKED["state"], ORIGIN)


def test_fapi2_ensure_authorization_request_without_state_success(house: House) -> None:
    assert "state" not in gone_to(house, reference(pushed(house, state=None))).sent_back


def test_fapi2_ensure_authorization_request_without_nonce_success(house: House) -> None:
    assert "nonce" not in read(redeemed(house, code(house, nonce=None)).json["id_token"])


@pytest.mark.parametrize("length", [64, 384])
def test_fapi2_ensure_authorization_request_with_64_char_nonce_and_long_state_success(
    house: House, length: int
) -> None:
    back = gone_to(house, reference(pushed(house, nonce="n" * length, state="s" * length))).sent_back
    assert back["state"] == "s" * length
    assert read(redeemed(house, back["code"]).json["id_token"])["nonce"] == "n" * length


def test_fapi2_ensure_unsigned_authorization_request_without_using_par_fails(house: House) -> None:
    assert Visitor(house).get(f"/authorize?{urlencode(asked())}").sent_back["error"] == "invalid_request"


def test_fapi2_par_attempt_reuse_request_uri(house: House) -> None:
    uri, visitor = reference(pushed(house)), Visitor(house)
    assert "code" in gone_to(house, uri, visitor=visitor).sent_back
    again = gone_to(house, uri, visitor=visitor)
    assert again.status == 400
    assert 'id="error-page"' in again.text


def test_fapi2_par_attempt_to_use_expired_request_uri(house: House) -> None:
    answer = pushed(house)
    assert answer.json["expires_in"] == 60
    house.clock.move(61)
    assert gone_to(house, reference(answer)).status == 400


def test_fapi2_par_attempt_to_use_request_uri_for_different_client(house: House) -> None:
    assert gone_to(house, reference(pushed(house)), "second").status == 400


def test_fapi2_par_authorization_request_containing_request_uri_form_param(house: House) -> None:
    is_refused(pushed(house, request_uri="urn:ietf:params:oauth:request_uri:x"), "invalid_request")


def test_fapi2_par_attempt_invalid_http_method(house: House) -> None:
    for path in ("/par", "/token"):
        assert house.get(path).status == 405


def test_fapi2_par_attempt_invalid_redirect_uri(house: House) -> None:
    is_refused(pushed(house, redirect_uri=f"{CALLBACK}/other"), "invalid_request")


def test_fapi2_par_without_duplicate_parameters(house: House) -> None:
    twice = [*asked().items(), ("scope", "openid"), *by_key(house, "bank").items()]
    is_refused(house.post("/par", twice), "invalid_request")


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain", "code_challenge": VERIFIER},
        {"code_challenge_method": None},
        {"code_challenge": "short"},
    ],
    ids=str,
)
def test_fapi2_par_ensure_pkce_required_and_plain_pkce_rejected(house: House, changes: dict[str, str | None]) -> None:
    is_refused(pushed(house, **changes), "invalid_request")


@pytest.mark.parametrize("verifier", ["x" * 43, ""])
def test_fapi2_par_pkce_verifier_required_and_incorrect_rejected(house: House, verifier: str) -> None:
    is_refused(redeemed(house, code(house), code_verifier=verifier), "invalid_grant")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": f"{ORIGIN}/par"},
        {"aud": f"{ORIGIN}/token"},
        {"aud": [ORIGIN]},
        {"aud": [ORIGIN, f"{ORIGIN}/token"]},
        {"aud": f"{ORIGIN}/"},
        {"aud": "https://other.example"},
        {"aud": None},
        {"sub": None},
        {"sub": "second"},
        {"iss": None},
        {"jti": None},
        {"exp": None},
    ],
    ids=str,
)
def test_fapi2_ensure_client_assertion_with_wrong_claims_fails(house: House, changes: dict[str, Any]) -> None:
    assertion = proves(said(assertion_claims(house, "bank", **changes)))
    is_refused(house.post("/par", {**asked(), **assertion}), "invalid_client", 401)
    got = code(house)
    is_refused(redeemed(house, got, **proves(said(assertion_claims(house, "bank", **changes)))), "invalid_client", 401)


@pytest.mark.parametrize("move", [{"exp": -300}, {"nbf": 61}, {"iat": 61}], ids=str)
def test_fapi2_ensure_client_assertion_with_exp_5_minutes_in_past_or_nbf_ahead_fails(
    house: House, move: dict[str, int]
) -> None:
    moved = {name: house.clock() + seconds for name, seconds in move.items()}
    sent = {**asked(), **by_key(house, "bank", **moved)}
    is_refused(house.post("/par", sent), "invalid_client", 401)


def test_fapi2_ensure_client_assertion_with_nbf_8_seconds_in_the_future_is_accepted(house: House) -> None:
    sent = {**asked(), **by_key(house, "bank", nbf=house.clock() + 8, iat=house.clock() + 8)}
    assert house.post("/par", sent).status == 201


def test_fapi2_ensure_client_assertion_signed_with_rs256_or_by_another_client_fails(house: House) -> None:
    is_refused(house.post("/par", {**asked(), **by_key(house, "bank", "RS256")}), "invalid_client", 401)
    is_refused(house.post("/par", {**asked(), **by_key(house, "second")}), "invalid_client", 401)
    none = unsigned(assertion_claims(house, "bank"))
    is_refused(house.post("/par", {**asked(), **proves(none)}), "invalid_client", 401)


def test_fapi2_ensure_authorization_code_is_bound_to_client(house: House) -> None:
    is_refused(redeemed(house, code(house), "second"), "invalid_grant")


def test_fapi2_attempt_reuse_authorization_code_after_one_second(house: House) -> None:
    got = code(house)
    token = redeemed(house, got).json["access_token"]
    house.clock.move(1)
    is_refused(redeemed(house, got), "invalid_grant")
    ath = base64url.encode_text(sha256(token.encode()).digest())
    shown = proof(house, "/userinfo", htm="GET", ath=ath)
    assert house.get("/userinfo", authorization=f"DPoP {token}", dpop=shown).status == 401


def test_fapi2_attempt_reuse_authorization_code_after_30_seconds(house: House) -> None:
    got = code(house)
    assert redeemed(house, got).status == 200
    house.clock.move(30)
    is_refused(redeemed(house, got), "invalid_grant")


def test_fapi2_ensure_holder_of_key_required(house: House) -> None:
    is_refused(redeemed(house, code(house), dpop=""), "invalid_request")


def other_key() -> PrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def test_fapi2_ensure_mismatched_dpop_jkt_fails(house: House) -> None:
    """The key named when pushing is another than the one that proves itself, there or later."""
    named = jwk.thumbprint(jwk.public_document(other_key().public_key(), "", "ES256"))
    sent = {**asked(dpop_jkt=named), **by_key(house, "bank")}
    is_refused(house.post("/par", sent, dpop=proof(house, "/par")), "invalid_request")
    is_refused(redeemed(house, code(house, dpop_jkt=named)), "invalid_grant")


def test_fapi2_ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt(house: House) -> None:
    sent = {**asked(), **by_key(house, "bank")}
    got = gone_to(house, reference(house.post("/par", sent, dpop=proof(house, "/par")))).sent_back["code"]
    is_refused(redeemed(house, got, dpop=proof(house, "/token", {"key": other_key()})), "invalid_grant")


WRONG_PROOFS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no jti": ({}, {"jti": None}),
    "no htm": ({}, {"htm": None}),
    "another htm": ({}, {"htm": "GET"}),
    "htm in small letters": ({}, {"htm": "post"}),
    "no htu": ({}, {"htu": None}),
    "another htu": ({}, {"htu": f"{ORIGIN}/elsewhere"}),
    "another host": ({}, {"htu": "https://evil.example/token"}),
    "no iat": ({}, {"iat": None}),
    "long ago": ({}, {"iat": -3600}),
    "far ahead": ({}, {"iat": 3600}),
    "another typ": ({"typ": "JWT"}, {}),
    "no typ": ({"typ": None}, {}),
    "no jwk": ({"jwk": None}, {}),
    "a private jwk": ({"jwk": "private"}, {}),
    "a shared key": ({"jwk": {"kty": "oct", "k": "c2VjcmV0"}}, {}),
    "another alg": ({"alg": "RS256"}, {}),
    "alg none": ({"alg": "none"}, {}),
    "another's key": ({"jwk": "another"}, {}),
}


@pytest.mark.parametrize("wrong", WRONG_PROOFS.values(), ids=WRONG_PROOFS)
def test_fapi2_dpop_negative_tests(house: House, wrong: tuple[dict[str, Any], dict[str, Any]]) -> None:
    header, claims = dict(wrong[0]), dict(wrong[1])
    if isinstance(claims.get("iat"), int):
        claims["iat"] += house.clock()
    document = jwk.public_document(private_key("ES256").public_key(), "", "ES256")
    if header.get("jwk") == "private":
        header["jwk"] = {**{name: document[name] for name in ("kty", "crv", "x", "y")}, "d": "AAAA"}
    if header.get("jwk") == "another":
        header["jwk"] = {"kty": "EC", **jwk.public_document(other_key().public_key(), "", "ES256")}
    is_refused(redeemed(house, code(house), dpop=proof(house, "/token", header, **claims)), "invalid_dpop_proof")


def test_fapi2_dpop_proof_is_used_once(house: House) -> None:
    shown, got = proof(house, "/token"), code(house)
    assert redeemed(house, got, dpop=shown).status == 200
    is_refused(redeemed(house, code(house), dpop=shown), "invalid_dpop_proof")


@pytest.mark.parametrize("ath", [None, "AAAA", base64url.encode_text(sha256(b"another").digest())])
def test_fapi2_dpop_ath_is_needed_at_a_resource(house: House, ath: str | None) -> None:
    token = redeemed(house, code(house)).json["access_token"]
    shown = proof(house, "/userinfo", htm="GET", ath=ath)
    answer = house.get("/userinfo", authorization=f"DPoP {token}", dpop=shown)
    assert answer.status == 401
    assert 'error="invalid_dpop_proof"' in (answer.header("www-authenticate") or "")


def test_fapi2_a_bound_token_as_bearer_is_refused(house: House) -> None:
    token = redeemed(house, code(house)).json["access_token"]
    answer = house.get("/userinfo", authorization=f"Bearer {token}")
    assert answer.status == 401


def test_fapi2_refresh_token(house: House) -> None:
    tokens = redeemed(house, code(house, scope="openid offline_access")).json
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    stolen = house.post("/token", {**form, **by_key(house, "second")}, dpop=proof(house, "/token"))
    is_refused(stolen, "invalid_grant")
    fresh = house.post("/token", {**form, **by_key(house, "bank")}, dpop=proof(house, "/token"))
    assert fresh.status == 200, fresh.body
    assert fresh.json["access_token"] != tokens["access_token"]


def test_fapi2_access_token_in_query_does_not_work(house: House) -> None:
    token = redeemed(house, code(house)).json["access_token"]
    assert house.get(f"/userinfo?access_token={token}").status == 401


# Message signing.


def pushed_signed(house: House, **changes: Any) -> Answer:
    packed = request_object(house, client_id="signing", **changes)
    return house.post("/par", {"client_id": "signing", "request": packed, **by_key(house, "signing")})


def test_fapi2_ms_request_object_with_multiple_aud_succeeds(house: House) -> None:
    assert pushed_signed(house, aud=[ORIGIN, "https://other.example"]).status == 201


def test_fapi2_ms_state_only_outside_request_object_not_used(house: House) -> None:
    packed = request_object(house, client_id="signing", state=None)
    sent = {"client_id": "signing", "request": packed, "state": "outside", **by_key(house, "signing")}
    answer = gone_to(house, reference(house.post("/par", sent)), "signing")
    assert "state" not in read(answer.sent_back["response"])


def test_fapi2_ms_different_nonce_inside_and_outside_request_object(house: House) -> None:
    packed = request_object(house, client_id="signing", nonce="inside")
    sent = {"client_id": "signing", "request": packed, "nonce": "outside", **by_key(house, "signing")}
    answer = gone_to(house, reference(house.post("/par", sent)), "signing")
    got = read(answer.sent_back["response"])["code"]
    assert read(redeemed(house, got, "signing").json["id_token"])["nonce"] == "inside"


@pytest.mark.parametrize("move", [{"exp": -300}, {"nbf": 120}, {"exp": 7200}, {"nbf": -7200, "exp": 60}], ids=str)
def test_fapi2_ms_request_object_with_exp_or_nbf_out_of_range_fails(house: House, move: dict[str, int]) -> None:
    moved = {name: house.clock() + seconds for name, seconds in move.items()}
    is_refused(pushed_signed(house, **moved), "invalid_request_object")


def test_fapi2_ms_request_object_signature_is_checked(house: House) -> None:
    claims = request_claims(house, client_id="signing")
    good = said(claims, typ="oauth-authz-req+jwt")
    for packed in (unsigned(claims), f"{good[:-6]}AAAAAA", said(claims, "RS256"), said(claims, key=other_key())):
        sent = {"client_id": "signing", "request": packed, **by_key(house, "signing")}
        is_refused(house.post("/par", sent), "invalid_request_object")


def test_fapi2_ms_ensure_matching_key_in_authorization_request(house: House) -> None:
    """A request object of another client's, signed with that client's key."""
    packed = request_object(house, client_id="second")
    sent = {"client_id": "signing", "request": packed, **by_key(house, "signing")}
    is_refused(house.post("/par", sent), "invalid_request_object")


def test_fapi2_ms_without_request_object_or_par_fails(house: House) -> None:
    is_refused(pushed(house, "signing"), "invalid_request")
    packed = request_object(house, client_id="signing")
    query = urlencode({"client_id": "signing", "redirect_uri": CALLBACK, "request": packed, "response_type": "code"})
    got = read(Visitor(house).get(f"/authorize?{query}").sent_back["response"])
    assert got["error"] == "invalid_request"


def test_fapi2_ms_response_is_a_jwt_for_this_client_alone(house: House) -> None:
    answer = gone_to(house, reference(pushed_signed(house)), "signing")
    got = read(answer.sent_back["response"])
    assert (got["iss"], got["aud"]) == (ORIGIN, "signing")
    assert got["exp"] - house.clock() <= 600
    assert set(answer.sent_back) == {"response"}
