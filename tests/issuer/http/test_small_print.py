"""The small print of the specifications: single sentences that say MUST, each tried over HTTP as it stands."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace

from innkeeper.guard.unverified import read_unverified
from innkeeper.issuer.core.token import DEVICE_CODE
from innkeeper.keys import jwk
from tests.issuer.house import ASKED, NOW, ORIGIN, SETTINGS, VERIFIER, Answer, Asked, House, posted
from tests.issuer.signing import bank, by_key, dpop, read, thumbprint
from tests.issuer.visitor import ROBOT, SHOP, Visitor, redeem, refresh
from tests.keys.keyring import private_key

BASIC_WRONG = "Basic " + base64.b64encode(b"shop:wrong").decode()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The test inn, with device grants, refresh tokens for the app, and registration open to all."""
    shop, app, robot = SETTINGS.client
    clients = [
        replace(shop, grants=("authorization_code", "refresh_token", "device_code")),
        replace(app, grants=("authorization_code", "refresh_token")),
        robot,
    ]
    registration = replace(SETTINGS.registration, mode="open")
    made = House(tmp_path_factory.mktemp("print"), replace(SETTINGS, client=clients, registration=registration))
    yield made
    made.close()


def is_uncached_json(answer: Answer) -> bool:
    assert answer.header("content-type") == "application/json"
    assert (answer.header("cache-control"), answer.header("pragma")) == ("no-store", "no-cache")
    return True


def test_a_header_that_proves_nobody_is_answered_401_in_its_own_scheme(house: House) -> None:
    for path in ("/token", "/introspect", "/revoke", "/par", "/device_authorization", "/bc-authorize"):
        answer = house.post(path, {"grant_type": "client_credentials", "token": "x"}, authorization=BASIC_WRONG)
        assert (answer.status, answer.json["error"]) == (401, "invalid_client"), path
        assert (answer.header("www-authenticate") or "").startswith("Basic ")


def test_token_answers_are_json_that_nobody_keeps(house: House) -> None:
    assert is_uncached_json(house.token({"grant_type": "client_credentials", **ROBOT}))
    assert is_uncached_json(house.token({"grant_type": "nonsense", **ROBOT}))
    assert is_uncached_json(house.token({"grant_type": "client_credentials", "client_id": "nobody"}))


def test_what_opens_something_cannot_be_guessed(house: House) -> None:
    """256 random bits each, and no two alike (RFC 6749 §10.10: a chance of 2^-128 at most)."""
    visitor = Visitor(house)
    codes = [visitor.code(scope="openid offline_access") for _ in range(8)]
    tokens = [str(redeem(house, one).json["refresh_token"]) for one in codes]
    devices = [house.post("/device_authorization", SHOP).json["device_code"] for _ in range(8)]
    references = [house.post("/par", {**ASKED, **SHOP}).json["request_uri"].rpartition(":")[2] for _ in range(8)]
    found = [*codes, *tokens, *devices, *references]
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(r"[\w-]{43,}", one) for one in found)


def test_no_redirect_repeats_a_form_that_held_a_password(house: House) -> None:
    """RFC 9700 §4.12: never 307, which would send the password on to the client."""
    visitor = Visitor(house)
    statuses = []
    ask, seen = house.ask, []

    def watched(asked: Asked) -> Answer:
        answer = ask(asked)
        seen.append((asked.method, answer.status))
        return answer

    house.ask = watched  # type: ignore[method-assign]
    try:
        visitor.code(prompt="login consent")
    finally:
        del house.ask  # type: ignore[method-assign]
    statuses = [status for method, status in seen if method == "POST"]
    assert len(statuses) >= 2
    assert set(statuses) <= {302, 303}


def registered(house: House, **metadata: Any) -> Answer:
    wish = {"redirect_uris": ["https://client.example/callback"], **metadata}
    asking = posted("/register", {}, content_type="application/json")
    return house.ask(asking._replace(chunks=(json.dumps(wish).encode(),)))


@pytest.mark.parametrize("chosen", ["ada-1", "shop", "admin"])
def test_nobody_chooses_the_id_of_a_client(house: House, chosen: str) -> None:
    """RFC 9700 §4.15: a client whose id is a person's sub could pass for that person."""
    answer = registered(house, client_id=chosen, client_secret="mine", sub=chosen)
    assert answer.status == 201
    assert answer.json["client_id"] != chosen
    assert answer.json["client_secret"] != "mine"


def test_a_secret_comes_with_the_time_it_expires(house: House) -> None:
    answer = registered(house)
    assert answer.json["client_secret_expires_at"] == 0
    assert is_uncached_json(answer)
    assert "client_secret" not in registered(house, token_endpoint_auth_method="none").json


def test_a_software_statement_is_not_believed(house: House) -> None:
    claims = base64.urlsafe_b64encode(b'{"client_name":"The bank"}').decode().rstrip("=")
    answer = registered(house, software_statement=f"eyJhbGciOiJub25lIn0.{claims}.")
    assert answer.status == 201
    assert answer.json["client_name"] != "The bank"
    assert "software_statement" not in answer.json


@pytest.mark.parametrize("hint", ["refresh_token", "access_token", "nonsense", ""])
@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_a_hint_that_is_wrong_hides_no_token(house: House, hint: str, kind: str) -> None:
    tokens = redeem(house, Visitor(house).code(scope="openid offline_access")).json
    looked_up = house.post("/introspect", {"token": tokens[kind], "token_type_hint": hint, **SHOP})
    assert looked_up.json["active"] is True
    assert is_uncached_json(looked_up)
    house.post("/revoke", {"token": tokens[kind], "token_type_hint": hint, **SHOP})
    assert house.post("/introspect", {"token": tokens[kind], **SHOP}).json == {"active": False}


def test_a_token_in_an_address_opens_nothing(house: House) -> None:
    token = redeem(house, Visitor(house).code()).json["access_token"]
    answer = house.get(f"/userinfo?access_token={token}")
    assert answer.status == 401
    assert "error" not in (answer.header("www-authenticate") or "")
    body = urlencode({"access_token": token}).encode()
    form = (("content-type", "application/x-www-form-urlencoded"),)
    assert house.ask(Asked("GET", "/userinfo", b"", form, (body,))).status == 401
    as_text = posted("/userinfo", {"access_token": token}, content_type="text/plain")
    assert house.ask(as_text).status == 401


def test_an_access_token_says_all_it_must(house: House) -> None:
    tokens = redeem(house, Visitor(house).code(scope="openid room:enter")).json
    header, claims = read_unverified(tokens["access_token"]).header, read(tokens["access_token"])
    assert header["typ"] == "at+jwt"
    assert header["alg"] not in ("none", "HS256")
    assert header["kid"] in {one["kid"] for one in house.get("/jwks").json["keys"]}
    assert {"iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope", "auth_time", "acr", "amr"} <= claims.keys()
    assert claims["exp"] > claims["iat"] == house.clock()
    assert claims["scope"] == tokens["scope"]


def test_a_refresh_changes_nothing_of_when_and_how_somebody_signed_in(house: House) -> None:
    first = redeem(house, Visitor(house).code(scope="openid offline_access room:enter")).json
    house.clock.move(90)
    second = refresh(house, first["refresh_token"]).json
    for kind in ("access_token", "id_token"):
        before, after = read(first[kind]), read(second[kind])
        assert {name: before[name] for name in ("iss", "sub", "aud", "auth_time", "acr", "amr")} == {
            name: after[name] for name in ("iss", "sub", "aud", "auth_time", "acr", "amr")
        }
        assert after["iat"] == before["iat"] + 90


def test_an_id_token_says_all_it_must_and_carries_no_key(house: House) -> None:
    token = redeem(house, Visitor(house).code(max_age="100")).json["id_token"]
    header, claims = read_unverified(token).header, read(token)
    assert set(header) == {"alg", "typ", "kid"}
    assert {"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce"} <= claims.keys()
    assert claims["sub"].isascii()
    assert len(claims["sub"]) <= 255
    assert all(isinstance(claims[one], int) for one in ("exp", "iat", "auth_time"))


def test_the_scope_that_was_granted_is_always_said(house: House) -> None:
    assert house.token({"grant_type": "client_credentials", **ROBOT}).json["scope"] == "gym:enter room:enter"
    asked = {"grant_type": "client_credentials", "scope": "gym:enter", **ROBOT}
    assert house.token(asked).json["scope"] == "gym:enter"


def test_staying_for_good_has_to_be_allowed_by_itself(house: House) -> None:
    """OpenID Connect Core §11: offline access is consented to, also by somebody who allowed the rest before."""
    visitor = Visitor(house)
    visitor.allow(visitor.sign_in(visitor.authorize(scope="openid"), "bob@example.org"))
    assert "code" in visitor.authorize(scope="openid").sent_back
    page = visitor.authorize(scope="openid offline_access")
    assert 'id="allow"' in page.text
    assert "while you are away" in page.text


def test_a_public_clients_refresh_token_is_bound_to_its_key(house: House) -> None:
    visitor = Visitor(house)
    asked = {**ASKED, "client_id": "app", "redirect_uri": "http://127.0.0.1/callback"}
    code = visitor.through(visitor.get(f"/authorize?{urlencode(asked)}")).sent_back["code"]
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "client_id": "app"}
    form["redirect_uri"] = asked["redirect_uri"]
    tokens = house.post("/token", form, dpop=dpop(house, "/token")).json
    assert tokens["token_type"] == "DPoP"
    again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": "app"}
    assert house.token(again).status == 400
    other = house.post("/token", again, dpop=dpop(house, "/token", alg="PS256"))
    assert other.status == 400
    mine = house.post("/token", again, dpop=dpop(house, "/token"))
    assert read(mine.json["access_token"])["cnf"] == {"jkt": thumbprint()}


def test_a_nonce_that_is_demanded_is_told_and_then_taken(tmp_path: Path) -> None:
    other = House(tmp_path, replace(SETTINGS, dpop_nonces=True))
    try:
        form = {"grant_type": "client_credentials", **ROBOT}
        refused = other.post("/token", form, dpop=dpop(other, "/token"))
        assert (refused.status, refused.json["error"]) == (400, "use_dpop_nonce")
        (nonce,) = refused.every("dpop-nonce")
        taken = other.post("/token", form, dpop=dpop(other, "/token", nonce=nonce))
        assert taken.json["token_type"] == "DPoP"
        other.clock.move(300)
        assert other.post("/token", form, dpop=dpop(other, "/token", nonce=nonce)).json["error"] == "use_dpop_nonce"
    finally:
        other.close()


def test_two_proofs_in_one_request_are_none(house: House) -> None:
    form = {"grant_type": "client_credentials", **ROBOT}
    asked = posted("/token", form)
    twice = asked._replace(headers=(*asked.headers, ("dpop", dpop(house, "/token")), ("dpop", dpop(house, "/token"))))
    answer = house.ask(twice)
    assert (answer.status, answer.json["error"]) == (400, "invalid_dpop_proof")


def test_an_answer_by_form_is_a_page_that_nobody_keeps(house: House) -> None:
    visitor = Visitor(house)
    page = visitor.through(visitor.authorize(response_mode="form_post"))
    assert (page.status, page.header("cache-control")) == (200, "no-store")
    assert (page.header("content-type") or "").startswith("text/html")
    assert 'method="post" action="https://shop.example/callback"' in page.text


def test_a_pushed_request_is_answered_201_and_kept_by_nobody(house: House) -> None:
    answer = house.post("/par", {**ASKED, **SHOP})
    assert answer.status == 201
    assert is_uncached_json(answer)
    assert answer.json["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
    assert answer.json["expires_in"] == 60
    assert house.get("/par").status == 405
    giant = posted("/par", {**ASKED, **SHOP, "state": "x" * 70_000})
    assert house.ask(giant).status == 413


def test_a_pushed_request_of_nobody_is_refused(house: House) -> None:
    answer = house.post("/par", {**ASKED, **SHOP, "client_secret": "wrong"})
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")


def test_signing_out_may_be_asked_for_by_get_and_by_post(house: House) -> None:
    for method in ("GET", "POST"):
        visitor = Visitor(house)
        hint = redeem(house, visitor.code()).json["id_token"]
        sent = {"id_token_hint": hint, "post_logout_redirect_uri": "https://shop.example/bye"}
        left = visitor.get(f"/logout?{urlencode(sent)}") if method == "GET" else visitor.post("/logout", sent)
        assert left.location == "https://shop.example/bye"


def test_what_a_device_is_given_is_all_that_it_needs(house: House) -> None:
    answer = house.post("/device_authorization", SHOP)
    assert is_uncached_json(answer)
    assert answer.json["verification_uri"] == f"{ORIGIN}/device"
    assert answer.json["verification_uri_complete"].endswith(answer.json["user_code"])
    assert (answer.json["expires_in"], answer.json["interval"]) == (600, 5)
    polled = house.token({"grant_type": DEVICE_CODE, "device_code": answer.json["device_code"], **SHOP})
    assert is_uncached_json(polled)


def test_discovery_is_json_at_its_place(house: House) -> None:
    for path in ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"):
        answer = house.get(path)
        assert (answer.status, answer.header("content-type")) == (200, "application/json")
        assert answer.json["issuer"] == ORIGIN
        for name in ("token", "revocation", "introspection"):
            algorithms = answer.json[f"{name}_endpoint_auth_signing_alg_values_supported"]
            assert "none" not in algorithms
            assert "RS256" in algorithms


def test_who_may_read_what_from_other_origins(house: House) -> None:
    """The whole table: nothing is added to it by accident."""
    table = {path: endpoint.cors for path, endpoint in house.issuer.site._endpoints.items()}
    shared = {path for path, cors in table.items() if cors}
    assert shared == {
        "/token",
        "/userinfo",
        "/revoke",
        "/jwks",
        "/register",
        "/register/*",
        "/device_authorization",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    }
    assert not table["/authorize"]
    for path in shared:
        answer = house.get(path.replace("*", "x"), origin="https://spa.example")
        assert answer.every("access-control-allow-origin") == ["*"], path
        assert answer.every("access-control-allow-credentials") == []


def test_the_sub_that_a_claim_names_is_the_person_who_signs_in(house: House) -> None:
    """OpenID Connect Core §5.5.1: a sub asked for with a value is that person's or nobody's."""
    wish = {name: json.dumps({"id_token": {"sub": {"value": name}}}) for name in ("ada-1", "bob-2")}
    visitor = Visitor(house)
    visitor.code()
    assert "code" in visitor.authorize(prompt="none", claims=wish["ada-1"]).sent_back
    assert visitor.authorize(prompt="none", claims=wish["bob-2"]).sent_back["error"] == "login_required"
    as_bob = visitor.sign_in(visitor.authorize(claims=wish["bob-2"]), "ada@example.org")
    assert as_bob.sent_back["error"] == "login_required"
    hint = redeem(house, Visitor(house).code()).json["id_token"]
    both = visitor.authorize(prompt="none", claims=wish["bob-2"], id_token_hint=hint)
    assert both.sent_back["error"] == "login_required"


def test_times_are_whole_seconds_of_our_clock(house: House) -> None:
    claims = read(redeem(house, Visitor(house).code()).json["id_token"])
    assert NOW <= claims["iat"] == house.clock()
    assert claims["exp"] - claims["iat"] == 600


def test_introspection_tells_the_key_that_a_token_is_bound_to(house: House) -> None:
    form = {"grant_type": "client_credentials", **ROBOT}
    token = house.post("/token", form, dpop=dpop(house, "/token")).json["access_token"]
    looked_up = house.post("/introspect", {"token": token, **ROBOT}).json
    assert (looked_up["cnf"], looked_up["token_type"]) == ({"jkt": thumbprint()}, "DPoP")


@pytest.mark.parametrize("alg", ["ES256", "PS256"])
def test_of_keys_with_one_name_the_one_that_fits_is_taken(tmp_path: Path, alg: str) -> None:
    """FAPI 2.0 §5.6.3: keys of several kinds may share a kid."""
    kinds = ("RS256", "ES256", "PS256")
    keys = [{**jwk.public_document(private_key(one).public_key(), one, one), "kid": alg} for one in kinds]
    twins = bank("twins", metadata={"jwks": {"keys": keys}})
    other = House(tmp_path, replace(SETTINGS, client=[*SETTINGS.client, twins]))
    try:
        form = {"grant_type": "client_credentials", "scope": "room:enter", **by_key(other, "twins", alg)}
        assert other.token(form).status == 200
    finally:
        other.close()
