"""The whole path of a person and of a program, through the forms and endpoints as they are served."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from innkeeper.protocol import base64url, pkce
from tests.issuer.house import ASKED, HOTEL, ORIGIN, SPA, VERIFIER, House
from tests.issuer.visitor import ROBOT, SHOP, Form, Visitor, redeem, refresh


def claims_of(house: House, token: str, alg: str) -> dict[str, Any]:
    """The claims, believed by another library with the published keys."""
    keys = KeySet.import_key_set(house.get("/jwks").json)  # type: ignore[arg-type]
    return dict(jwt.decode(token, keys, [alg]).claims)


def test_a_guest_signs_in_allows_and_the_shop_gets_tokens(house: House) -> None:
    visitor = Visitor(house)
    page = visitor.authorize(prompt="login consent")
    assert Form(page).ids >= {"username", "password", "sign-in"}
    page = visitor.sign_in(page)
    assert Form(page).ids >= {"allow", "deny"}
    for words in ("The shop", "Open your room", "The hotel", "shop.example", "room:enter"):
        assert words in page.text
    back = visitor.allow(page)
    assert back.status == 303
    assert back.location.startswith("https://shop.example/callback?")
    assert set(back.sent_back) == {"code", "state", "iss"}
    assert (back.sent_back["state"], back.sent_back["iss"]) == ("s-1", ORIGIN)

    answer = redeem(house, back.sent_back["code"])
    tokens = answer.json
    assert set(tokens) == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 600, "openid room:enter")
    assert (answer.header("cache-control"), answer.header("pragma")) == ("no-store", "no-cache")


def test_the_access_token_says_who_may_do_what_where(house: House, visitor: Visitor) -> None:
    claims = claims_of(house, redeem(house, visitor.code()).json["access_token"], "ES256")
    now = house.clock()
    gid, jti = claims.pop("gid"), claims.pop("jti")
    assert claims == {
        "iss": ORIGIN,
        "sub": "ada-1",
        "aud": [HOTEL, ORIGIN],
        "client_id": "shop",
        "exp": now + 600,
        "iat": now,
        "scope": "openid room:enter",
        "auth_time": now,
        "acr": "urn:innkeeper:acr:password",
        "amr": ["pwd"],
    }
    assert min(len(gid), len(jti)) >= 20


def test_the_id_token_says_who_signed_in_when_and_how(house: House, visitor: Visitor) -> None:
    tokens = redeem(house, visitor.code()).json
    claims = claims_of(house, tokens["id_token"], "RS256")
    now = house.clock()
    half = base64url.encode_text(sha256(tokens["access_token"].encode()).digest()[:16])
    assert {name: claims[name] for name in ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash")} == {
        "iss": ORIGIN,
        "sub": "ada-1",
        "aud": "shop",
        "exp": now + 600,
        "iat": now,
        "auth_time": now,
        "nonce": "n-1",
        "at_hash": half,
    }
    assert (claims["acr"], claims["amr"]) == ("urn:innkeeper:acr:password", ["pwd"])
    assert "email" not in claims


def test_every_token_has_a_name_of_its_own(house: House) -> None:
    names = {
        claims_of(house, house.token({"grant_type": "client_credentials", **ROBOT}).json["access_token"], "ES256")[
            "jti"
        ]
        for _ in range(20)
    }
    assert len(names) == 20


def test_whoever_allowed_once_is_not_asked_again_for_the_same(visitor: Visitor) -> None:
    visitor.allow(visitor.sign_in(visitor.authorize(scope="openid gym:enter"), "bob@example.org"))
    assert "code" in visitor.authorize(scope="openid gym:enter").sent_back
    page = visitor.authorize(scope="openid gym:enter sauna:heat")
    assert 'id="allow"' in page.text
    assert page.text.count(">new<") == 1, "what is new is marked"


def test_a_new_sign_in_does_not_make_the_old_one_younger(house: House, visitor: Visitor) -> None:
    visitor.code()
    signed_in = house.clock()
    house.clock.move(50)
    claims = claims_of(house, redeem(house, visitor.code()).json["id_token"], "RS256")
    assert (claims["auth_time"], claims["iat"]) == (signed_in, signed_in + 50)


def test_userinfo_tells_who_signed_in(house: House, visitor: Visitor) -> None:
    token = redeem(house, visitor.code(scope="openid profile email")).json["access_token"]
    expected = {"sub": "ada-1", "name": "Ada <b>", "email": "ada@example.org"}
    said = {"authorization": f"Bearer {token}"}
    answers = [
        house.get("/userinfo", **said),
        house.get("/userinfo", authorization=f"bearer {token}"),
        house.post("/userinfo", {}, **said),
        house.post("/userinfo", {"access_token": token}),
    ]
    assert [answer.json for answer in answers] == [expected] * 4
    assert {answer.header("cache-control") for answer in answers} == {"no-store"}


def test_a_token_for_an_api_does_not_open_userinfo(house: House, visitor: Visitor) -> None:
    token = redeem(house, visitor.code(resource=HOTEL)).json["access_token"]
    assert claims_of(house, token, "ES256")["aud"] in (HOTEL, [HOTEL])
    answer = house.get("/userinfo", authorization=f"Bearer {token}")
    assert (answer.status, answer.body) == (401, b"")
    assert 'error="invalid_token"' in (answer.header("www-authenticate") or "")


def test_a_refresh_gives_the_same_grant_and_a_new_refresh_token(house: House, visitor: Visitor) -> None:
    first = redeem(house, visitor.code()).json
    house.clock.move(100)
    second = refresh(house, first["refresh_token"]).json
    assert second["refresh_token"] != first["refresh_token"]
    one, two = (claims_of(house, each["access_token"], "ES256") for each in (first, second))
    same = ("iss", "sub", "aud", "client_id", "scope", "auth_time", "acr", "amr", "gid")
    assert {name: one[name] for name in same} == {name: two[name] for name in same}
    assert one["jti"] != two["jti"]
    assert two["exp"] == one["exp"] + 100
    hints = claims_of(house, second["id_token"], "RS256")
    assert (hints["auth_time"], "nonce" in hints) == (one["auth_time"], False)


def test_a_refresh_can_name_less_and_the_next_one_all_again(house: House, visitor: Visitor) -> None:
    first = redeem(house, visitor.code(scope="openid room:enter gym:enter sauna:heat")).json
    less = refresh(house, first["refresh_token"], scope="room:enter", resource=HOTEL).json
    assert (less["scope"], "id_token" in less) == ("room:enter", False)
    assert claims_of(house, less["access_token"], "ES256")["aud"] in (HOTEL, [HOTEL])
    again = refresh(house, less["refresh_token"]).json
    assert again["scope"] == "gym:enter openid room:enter sauna:heat"
    assert claims_of(house, again["access_token"], "ES256")["aud"] == [HOTEL, SPA, ORIGIN]
    more = refresh(house, again["refresh_token"], scope="openid email")
    assert (more.status, more.json["error"]) == (400, "invalid_scope")
    assert refresh(house, again["refresh_token"]).status == 200, "a refused refresh spends nothing"


def test_a_public_app_signs_a_guest_in_on_any_port(house: House) -> None:
    visitor = Visitor(house)
    sent: dict[str, str | None] = {
        "client_id": "app",
        "redirect_uri": "http://127.0.0.1:49152/callback",
        "scope": "openid room:enter",
    }
    page = visitor.sign_in(visitor.authorize(**sent))
    assert "a program on this computer" in page.text
    back = visitor.allow(page)
    assert back.location.startswith("http://127.0.0.1:49152/callback?")
    form = {"grant_type": "authorization_code", "code": back.sent_back["code"], "client_id": "app"}
    tokens = house.token({**form, "redirect_uri": str(sent["redirect_uri"]), "code_verifier": VERIFIER}).json
    again = house.token({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": "app"})
    assert again.status == 200


def test_a_robot_gets_a_token_for_itself(house: House) -> None:
    answer = house.token({"grant_type": "client_credentials", "scope": "room:enter", **ROBOT})
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "scope"}
    claims = claims_of(house, answer.json["access_token"], "ES256")
    assert (claims["sub"], claims["client_id"], claims["scope"]) == ("robot", "robot", "room:enter")
    assert claims["aud"] in (HOTEL, [HOTEL])
    assert not {"auth_time", "amr", "gid"} & set(claims)


MODES = {
    "query": lambda url: parse_qs(urlsplit(url).query),
    "fragment": lambda url: parse_qs(urlsplit(url).fragment),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wrong", [False, True], ids=["with a code", "with an error"])
def test_an_answer_travels_as_asked(visitor: Visitor, mode: str, wrong: bool) -> None:
    visitor.code()
    answer = visitor.authorize(response_mode=mode, scope="nonsense" if wrong else "openid")
    sent = MODES[mode](answer.location)
    assert set(sent) == ({"error", "error_description", "state", "iss"} if wrong else {"code", "state", "iss"})
    parts = urlsplit(answer.location)
    assert bool(parts.query) == (mode == "query")
    assert bool(parts.fragment) == (mode == "fragment")


def test_an_answer_by_form_post_is_a_form_to_the_client_alone(visitor: Visitor) -> None:
    visitor.code()
    page = visitor.authorize(response_mode="form_post")
    assert page.status == 200
    assert 'action="https://shop.example/callback"' in page.text
    assert set(Form(page).hidden) == {"code", "state", "iss"}
    assert Form(page).hidden["state"] == "s-1"
    assert page.header("cache-control") == "no-store"


def test_a_redirect_with_a_query_keeps_it(visitor: Visitor) -> None:
    visitor.code()
    answer = visitor.authorize(redirect_uri="https://shop.example/back?from=inn")
    assert answer.location.startswith("https://shop.example/back?from=inn&code=")
    assert set(answer.sent_back) == {"from", "code", "state", "iss"}


@pytest.mark.parametrize("state", ["", None])
def test_no_state_comes_back_where_none_was_sent(visitor: Visitor, state: str | None) -> None:
    visitor.code()
    assert set(visitor.authorize(state=state).sent_back) == {"code", "iss"}


@pytest.mark.parametrize("state", ["a b&c=d#e", "é🗝", "\r\nSet-Cookie: x=y", "<script>", "%00", "a" * 4000])
def test_a_state_comes_back_to_the_letter(visitor: Visitor, state: str) -> None:
    visitor.code()
    answer = visitor.authorize(state=state)
    assert answer.sent_back["state"] == state
    assert "\n" not in answer.location


def test_an_authorization_request_may_come_by_post(house: House) -> None:
    to_sign_in = house.post("/authorize", ASKED)
    assert to_sign_in.status == 303
    assert to_sign_in.location.startswith("/sign-in?ticket=")


def test_signing_out_ends_the_session_its_tokens_and_leads_back(house: House) -> None:
    visitor = Visitor(house)
    tokens = redeem(house, visitor.code()).json
    way = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": "https://shop.example/bye", "state": "x y"}
    out = visitor.get(f"/logout?{urlencode(way)}")
    assert (out.status, out.location) == (303, "https://shop.example/bye?state=x+y")
    assert "innkeeper-native" not in visitor.cookies
    assert refresh(house, tokens["refresh_token"]).json["error"] == "invalid_grant"
    answer = house.post("/introspect", {"token": tokens["access_token"], **ROBOT})
    assert answer.json == {"active": False}
    assert house.get("/userinfo", authorization=f"Bearer {tokens['access_token']}").status == 401


def test_signing_out_without_a_hint_asks_first(house: House) -> None:
    visitor = Visitor(house)
    visitor.code()
    way = {"client_id": "shop", "post_logout_redirect_uri": "https://shop.example/bye"}
    page = visitor.get(f"/logout?{urlencode(way)}")
    assert 'id="logout-confirm"' in page.text
    assert "Still signed in" in visitor.submit(page, decision="cancel").text
    assert "code" in visitor.authorize(prompt="none").sent_back
    assert visitor.submit(page, decision="logout").location == "https://shop.example/bye"
    assert visitor.authorize(prompt="none").sent_back["error"] == "login_required"


def test_an_expired_hint_still_signs_out(house: House) -> None:
    visitor = Visitor(house)
    hint = redeem(house, visitor.code()).json["id_token"]
    house.clock.move(3600)
    assert 'id="logged-out"' in visitor.get(f"/logout?{urlencode({'id_token_hint': hint})}").text


@pytest.mark.parametrize(
    "way",
    [
        {"client_id": "shop", "post_logout_redirect_uri": "https://evil.example/"},
        {"post_logout_redirect_uri": "https://shop.example/bye"},
        {"client_id": "nobody", "post_logout_redirect_uri": "https://shop.example/bye"},
        {"id_token_hint": "e30.e30.e30"},
        {"id_token_hint": "HINT", "client_id": "app"},
        {"id_token_hint": "ACCESS"},
    ],
    ids=["a foreign way back", "no client", "an unknown client", "a forged hint", "two clients", "an access token"],
)
def test_signing_out_leads_nowhere_that_is_not_registered(house: House, way: dict[str, str]) -> None:
    visitor = Visitor(house)
    tokens = redeem(house, visitor.code()).json
    real = {"HINT": tokens["id_token"], "ACCESS": tokens["access_token"]}
    answer = visitor.get(f"/logout?{urlencode({name: real.get(value, value) for name, value in way.items()})}")
    assert answer.status == 400
    assert 'id="error-page"' in answer.text
    assert "code" in visitor.authorize(prompt="none").sent_back, "and signs nobody out"


def test_a_hint_of_one_person_signs_nobody_else_out(house: House) -> None:
    ada, bob = Visitor(house), Visitor(house)
    hint = redeem(house, ada.code()).json["id_token"]
    bob.sign_in(bob.authorize(), "bob@example.org")
    assert 'id="logout-confirm"' in bob.get(f"/logout?{urlencode({'id_token_hint': hint})}").text


CLIENT_PROOFS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "basic, form-encoded": (
        {},
        {"authorization": "Basic c2hvcDppdCUyN3MrMjArJTI1K29mZiUzQSthJTJCYiUyRmMlM0QlQzMlQkM="},
    ),
    "basic with %20 for spaces": (
        {},
        {"authorization": "Basic c2hvcDppdCUyN3MlMjAyMCUyMCUyNSUyMG9mZiUzQSUyMGElMkJiJTJGYyUzRCVDMyVCQw=="},
    ),
    "basic in small letters": (
        {},
        {"authorization": "basic c2hvcDppdCUyN3MrMjArJTI1K29mZiUzQSthJTJCYiUyRmMlM0QlQzMlQkM="},
    ),
    "basic and the same client_id": (
        {"client_id": "shop"},
        {"authorization": "Basic c2hvcDppdCUyN3MrMjArJTI1K29mZiUzQSthJTJCYiUyRmMlM0QlQzMlQkM="},
    ),
    "in the body": (SHOP, {}),
}


@pytest.mark.parametrize(("fields", "headers"), CLIENT_PROOFS.values(), ids=CLIENT_PROOFS.keys())
def test_a_client_proves_itself(
    house: House, visitor: Visitor, fields: dict[str, str], headers: dict[str, str]
) -> None:
    form = {"grant_type": "authorization_code", "code": visitor.code(), "code_verifier": VERIFIER, **fields}
    assert house.token(form, **headers).status == 200


BASIC = "Basic c2hvcDppdCUyN3MrMjArJTI1K29mZiUzQSthJTJCYiUyRmMlM0QlQzMlQkM="

UNPROVED: dict[str, tuple[dict[str, str], dict[str, str], int, str]] = {
    "no proof": ({"client_id": "shop"}, {}, 401, "invalid_client"),
    "no name": ({}, {}, 401, "invalid_client"),
    "a wrong secret": ({"client_id": "shop", "client_secret": "guess"}, {}, 401, "invalid_client"),
    "another's secret": ({"client_id": "shop", "client_secret": "robot-secret"}, {}, 401, "invalid_client"),
    "an unknown client": ({"client_id": "nobody", "client_secret": "x"}, {}, 401, "invalid_client"),
    "basic not form-encoded": (
        {},
        {"authorization": "Basic c2hvcDppdCdzIDIwICUgb2ZmOiBhK2IvYz3DvA=="},
        401,
        "invalid_client",
    ),
    "basic and body": (SHOP, {"authorization": BASIC}, 400, "invalid_request"),
    "a bearer token": (ROBOT | {"client_secret": "x"}, {"authorization": "Bearer x"}, 401, "invalid_client"),
    "a public client with a secret": ({"client_id": "app", "client_secret": "x"}, {}, 401, "invalid_client"),
    "an assertion without its type": ({"client_id": "shop", "client_assertion": "x"}, {}, 400, "invalid_request"),
}


@pytest.mark.parametrize(("fields", "headers", "status", "error"), UNPROVED.values(), ids=UNPROVED.keys())
@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke", "/par"])
def test_a_client_that_does_not_is_told_no_more_than_that(
    house: House, path: str, fields: dict[str, str], headers: dict[str, str], status: int, error: str
) -> None:
    answer = house.post(path, {"grant_type": "client_credentials", "token": "x", **fields}, **headers)
    assert (answer.status, answer.json["error"]) == (status, error)
    assert set(answer.json) == {"error", "error_description"}
    assert answer.header("cache-control") == "no-store"
    challenge = answer.header("www-authenticate")
    assert (challenge is not None and challenge.startswith("Basic ")) == (status == 401)


def test_a_verifier_is_bound_to_its_challenge(house: House, visitor: Visitor) -> None:
    mine, theirs = visitor.code(), visitor.code(code_challenge=pkce.challenge("b" * 43))
    assert redeem(house, theirs).json["error"] == "invalid_grant"
    assert redeem(house, theirs, code_verifier="b" * 43).status == 200
    assert redeem(house, mine, code_verifier="b" * 43).json["error"] == "invalid_grant"
    assert redeem(house, mine).status == 200
