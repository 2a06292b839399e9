"""A pool's domain and issuer: discovery, keys, authorize, token, userInfo, revoke, logout."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from innkeeper.protocol import base64url
from tests.issuer.house import NOW, ORIGIN, VERIFIER, Answer
from tests.twins.cognito.pool import (
    BASE,
    CALLBACK,
    CHALLENGE,
    CONCIERGE,
    GUEST,
    GUEST_APP,
    HOTEL,
    ISSUER,
    SECRET,
    Pool,
    basic,
)
from tests.twins.parity import parity

CREDENTIALS = {"grant_type": "client_credentials"}


def body_of(answer: Answer) -> dict[str, object]:
    document: dict[str, object] = json.loads(answer.body)
    return document


def refused(answer: Answer) -> tuple[int, object]:
    return answer.status, body_of(answer)["error"]


def header(token: str) -> dict[str, str]:
    decoded: dict[str, str] = json.loads(base64url.decode(token.split(".", maxsplit=1)[0]))
    return decoded


@parity("Discovery and keys", "observed")
def test_discovery_has_its_members_and_no_other(pool: Pool) -> None:
    """The discovery document has exactly twelve members, and the issuer it was fetched from."""
    document = body_of(pool.get("/.well-known/openid-configuration"))
    assert list(document) == [
        "authorization_endpoint",
        "end_session_endpoint",
        "id_token_signing_alg_values_supported",
        "issuer",
        "jwks_uri",
        "response_types_supported",
        "revocation_endpoint",
        "scopes_supported",
        "subject_types_supported",
        "token_endpoint",
        "token_endpoint_auth_methods_supported",
        "userinfo_endpoint",
    ]
    assert document["issuer"] == ISSUER
    assert document["response_types_supported"] == ["code", "token"]
    assert document["scopes_supported"] == ["openid", "email", "phone", "profile"]


@parity("Discovery and keys", "documented")
def test_access_and_id_tokens_are_signed_by_different_keys(pool: Pool) -> None:
    """Two RSA keys of 2048 bits are published; access and ID tokens are signed by different ones."""
    keys = body_of(pool.get("/.well-known/jwks.json"))["keys"]
    assert isinstance(keys, list)
    assert [sorted(key) for key in keys] == [["alg", "e", "kid", "kty", "n", "use"]] * 2
    assert [len(base64url.decode(key["n"])) for key in keys] == [256, 256]
    tokens = pool.sign_in()
    used = [header(tokens[name])["kid"] for name in ("AccessToken", "IdToken")]
    assert sorted(used) == sorted(key["kid"] for key in keys)
    assert all(len(kid) == 44 and kid.endswith("=") for kid in used)


@parity("Discovery and keys", "observed")
def test_there_is_no_oauth_metadata(pool: Pool) -> None:
    """There is no OAuth authorization server metadata below the issuer."""
    assert pool.get("/.well-known/oauth-authorization-server").status == 404


@parity("Discovery and keys", "inferred")
def test_an_unknown_pool_is_not_found(pool: Pool) -> None:
    """The issuer path of a pool that does not exist is 404."""
    assert pool.house.get("/us-east-1_nobody123/.well-known/jwks.json").status == 404


@parity("Tokens", "documented")
def test_the_header_names_key_and_algorithm_alone(pool: Pool) -> None:
    """A token's header is kid and alg alone, in this order."""
    token = pool.sign_in()["AccessToken"]
    assert list(header(token)) == ["kid", "alg"]
    assert token.startswith("eyJraWQi")


@parity("Tokens", "observed")
def test_a_clients_own_token_has_its_ten_claims(pool: Pool) -> None:
    """A client's own token has ten claims in their order, no aud, and sub is the client."""
    answer = pool.token({**CREDENTIALS, "scope": f"{HOTEL}/gym:enter"}, authorization=basic())
    assert list(body_of(answer)) == ["access_token", "expires_in", "token_type"]
    claims = pool.claims(str(body_of(answer)["access_token"]))
    assert list(claims) == [
        "sub",
        "token_use",
        "scope",
        "auth_time",
        "iss",
        "exp",
        "iat",
        "version",
        "jti",
        "client_id",
    ]
    assert (claims["sub"], claims["client_id"], claims["version"]) == (CONCIERGE, CONCIERGE, 2)
    assert (claims["scope"], claims["iss"]) == (f"{HOTEL}/gym:enter", ISSUER)
    assert (claims["exp"] - claims["iat"], claims["auth_time"]) == (3600, NOW)


@parity("Tokens", "documented")
def test_the_code_grant_cuts_both_tokens_as_cognito_does(pool: Pool) -> None:
    """A user's tokens of the code grant have their claims in Cognito's order."""
    tokens = pool.by_code(nonce="n-1")
    assert list(tokens) == ["id_token", "access_token", "refresh_token", "expires_in", "token_type"]
    access, identity = pool.claims(tokens["access_token"]), pool.claims(tokens["id_token"])
    assert list(access) == (
        [
            "sub",
            "iss",
            "version",
            "client_id",
            "origin_jti",
            "event_id",
            "token_use",
            "scope",
            "auth_time",
            "exp",
            "iat",
            "jti",
            "username",
        ]
    )
    assert list(identity) == [
        "at_hash",
        "sub",
        "email_verified",
        "iss",
        "cognito:username",
        "nonce",
        "origin_jti",
        "aud",
        "event_id",
        "token_use",
        "auth_time",
        "exp",
        "iat",
        "jti",
        "email",
    ]
    assert (identity["aud"], identity["nonce"], identity["email_verified"]) == (CONCIERGE, "n-1", True)
    assert (access["username"], identity["cognito:username"]) == (GUEST, GUEST)
    assert access["origin_jti"] == identity["origin_jti"]
    assert set(access["scope"].split()) == {"openid", "email"}


@parity("Tokens", "documented")
def test_no_nonce_where_none_was_sent(pool: Pool) -> None:
    """A nonce that was not sent is not in the ID token."""
    assert "nonce" not in pool.claims(pool.by_code()["id_token"])


@parity("Tokens", "inferred")
def test_a_refresh_token_is_opaque(pool: Pool) -> None:
    """A refresh token has five parts of base64url and is no JWS."""
    token = pool.sign_in()["RefreshToken"]
    assert len(token.split(".")) == 5
    assert token.startswith("eyJj")
    assert len(token) > 1000


@parity("Token endpoint", "documented")
def test_both_ways_of_the_secret_work_and_none_does_not(pool: Pool) -> None:
    """A client proves itself with Basic or in the body; a missing or wrong secret is invalid_client, 400."""
    assert pool.token(CREDENTIALS, authorization=basic()).status == 200
    assert pool.token({**CREDENTIALS, "client_id": CONCIERGE, "client_secret": SECRET}).status == 200
    assert refused(pool.token({**CREDENTIALS, "client_id": CONCIERGE})) == (400, "invalid_client")
    assert refused(pool.token(CREDENTIALS, authorization=basic(secret="wrong"))) == (400, "invalid_client")
    assert refused(pool.token(CREDENTIALS, authorization=basic("nobody"))) == (400, "invalid_client")


@parity("Token endpoint", "documented")
def test_no_scope_gives_all_custom_scopes(pool: Pool) -> None:
    """Without a scope, client credentials give all custom scopes of the client."""
    claims = pool.claims(str(body_of(pool.token(CREDENTIALS, authorization=basic()))["access_token"]))
    doors = {f"{HOTEL}/{one}" for one in ("gym:enter", "pool:enter", "room:enter", "vip:enter")}
    assert set(claims["scope"].split()) == doors


@pytest.mark.parametrize("scope", ["openid", f"{HOTEL}/roof:enter", f"{HOTEL}/gym:enter openid"])
@parity("Token endpoint", "inferred")
def test_a_client_gets_no_scope_that_is_not_its_own(pool: Pool, scope: str) -> None:
    """Client credentials refuse scopes about people and scopes that are not the client's with invalid_scope."""
    assert refused(pool.token({**CREDENTIALS, "scope": scope}, authorization=basic())) == (400, "invalid_scope")


@parity("Token endpoint", "documented")
def test_a_client_without_the_flow_is_refused(pool: Pool) -> None:
    """A client without the flow client_credentials is refused with unauthorized_client."""
    assert refused(pool.token({**CREDENTIALS, "client_id": GUEST_APP})) == (400, "unauthorized_client")


@parity("Token endpoint", "documented")
def test_a_code_works_once_and_not_for_long(pool: Pool) -> None:
    """A code works once, and for five minutes."""
    code = pool.code()
    assert pool.redeem(code).status == 200
    assert refused(pool.redeem(code)) == (400, "invalid_grant")
    pool.cookies.clear()
    late = pool.code()
    pool.clock.move(301)
    assert refused(pool.redeem(late)) == (400, "invalid_grant")


@parity("Token endpoint", "documented")
def test_another_redirect_uri_is_named_as_cognito_names_it(pool: Pool) -> None:
    """Another redirect_uri at the exchange is unauthorized_client with invalid_redirect."""
    answer = pool.redeem(pool.code(), redirect_uri="http://127.0.0.1:8765/other")
    assert (answer.status, body_of(answer)) == (
        400,
        {"error": "unauthorized_client", "error_description": "invalid_redirect"},
    )


@parity("Token endpoint", "documented")
def test_the_verifier_has_to_fit(pool: Pool) -> None:
    """A code that began with a challenge needs its verifier."""
    code = pool.code(**CHALLENGE)
    assert refused(pool.redeem(code)) == (400, "invalid_grant")
    assert refused(pool.redeem(code, code_verifier="x" * 43)) == (400, "invalid_grant")
    assert pool.redeem(code, code_verifier=VERIFIER).status == 200


@parity("Token endpoint", "documented")
def test_malformed_requests_have_their_errors(pool: Pool) -> None:
    """Unknown grants, missing parameters and JSON bodies have their own errors."""
    assert refused(pool.token({"grant_type": "password"}, authorization=basic())) == (400, "unsupported_grant_type")
    assert refused(pool.token({"scope": "openid"}, authorization=basic())) == (400, "invalid_request")
    assert refused(pool.token({}, content_type="application/json")) == (400, "invalid_request")
    assert refused(pool.token({"grant_type": "authorization_code"}, authorization=basic())) == (400, "invalid_request")


@parity("Token endpoint", "observed")
def test_the_token_endpoint_is_not_for_get(pool: Pool) -> None:
    """GET is 405 with an empty body."""
    answer = pool.get("/oauth2/token")
    assert (answer.status, answer.body) == (405, b"")


@parity("Token endpoint", "documented")
def test_any_origin_may_read_tokens(pool: Pool) -> None:
    """Browsers of any origin may read the answer."""
    assert pool.token(CREDENTIALS, authorization=basic()).header("access-control-allow-origin") == "*"


@parity("Refresh", "documented")
def test_refreshing_keeps_the_sign_in(pool: Pool) -> None:
    """Refreshing gives new tokens of the same sign-in and, with rotation off, no refresh token."""
    first = pool.by_code()
    pool.clock.move(100)
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    for _ in range(2):
        again = body_of(pool.token(form, authorization=basic()))
        assert list(again) == ["id_token", "access_token", "expires_in", "token_type"]
        before, after = pool.claims(first["access_token"]), pool.claims(str(again["access_token"]))
        assert (after["auth_time"], after["origin_jti"]) == (before["auth_time"], before["origin_jti"])
        assert (after["iat"], after["jti"] != before["jti"]) == (NOW + 100, True)


@parity("Refresh", "documented")
def test_a_refresh_token_ends_and_is_its_clients(pool: Pool) -> None:
    """A refresh token lives thirty days unless the client says otherwise, and is its client's alone."""
    token = pool.by_code()["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}
    assert refused(pool.token({**form, "client_id": GUEST_APP})) == (400, "invalid_grant")
    pool.clock.move(30 * 86400 + 1)
    assert refused(pool.token(form, authorization=basic())) == (400, "invalid_grant")


@parity("Authorize", "documented")
def test_authorize_sends_to_login_with_its_query(pool: Pool) -> None:
    """Without a session the request is sent on to /login with the same query."""
    answer = pool.authorize()
    to = urlsplit(answer.location)
    assert (answer.status, to.path) == (302, f"{BASE}/login")
    assert parse_qs(to.query)["client_id"] == [CONCIERGE]


@parity("Authorize", "documented")
def test_a_session_gives_a_code_at_once(pool: Pool) -> None:
    """A browser that signed in before gets a code at once, for an hour."""
    assert pool.browse().sent_back["state"] == "s-1"
    assert "code" in pool.authorize().sent_back
    pool.clock.move(3601)
    assert pool.authorize().location.startswith(f"{BASE}/login")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "id_token"}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unauthorized_client"),
        ({"code_challenge": "x" * 43, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "x" * 43}, "invalid_request"),
        ({"scope": "openid roof:enter"}, "invalid_scope"),
        ({"scope": "email"}, "invalid_scope"),
        ({"state": '{"a":1}'}, "invalid_request"),
        ({"resource": "ftp://x"}, "invalid_request"),
        ({"identity_provider": "Google"}, "invalid_request"),
        ({"idp_identifier": "example.com"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
@parity("Authorize", "documented")
def test_errors_go_to_the_callback(pool: Pool, changed: dict[str, str | None], error: str) -> None:
    """What is wrong with a request is told at the redirect URI, with its state."""
    answer = pool.authorize(**changed)
    assert answer.location.startswith(f"{CALLBACK}?")
    back = answer.sent_back
    assert (back["error"], back["state"]) == (error, changed.get("state", "s-1"))


@parity("Authorize", "inferred")
def test_nothing_is_sent_where_nobody_registered(pool: Pool) -> None:
    """An unknown client or redirect URI ends on an error page and never redirects."""
    for changed in (
        {"redirect_uri": f"{CALLBACK}/"},
        {"redirect_uri": "https://evil.example/"},
        {"client_id": "nobody"},
    ):
        answer = pool.authorize(**changed)
        assert (answer.status, answer.header("location")) == (400, None)
        assert 'id="error-page"' in answer.text


@parity("Authorize", "documented")
def test_a_resource_is_bound_to(pool: Pool) -> None:
    """A resource becomes aud of the access token and stays there through refreshing."""
    tokens = pool.by_code(resource="https://api.example.com")
    assert pool.claims(tokens["access_token"])["aud"] == "https://api.example.com"
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    again = body_of(pool.token(form, authorization=basic()))
    assert pool.claims(str(again["access_token"]))["aud"] == "https://api.example.com"
    own = body_of(pool.token({**CREDENTIALS, "resource": "https://api.example.com"}, authorization=basic()))
    assert "aud" not in pool.claims(str(own["access_token"]))


@parity("Logout", "documented")
def test_logout_has_two_forms(pool: Pool) -> None:
    """/logout leads to a registered logout_uri, else to /login; logout_uri wins, unregistered ones lead nowhere."""
    pool.browse()
    out, back = "http://127.0.0.1:8765/", {"redirect_uri": CALLBACK, "response_type": "code"}
    assert pool.get("/logout", client_id=CONCIERGE, logout_uri=out).location == out
    assert pool.authorize(prompt="none").sent_back["error"] == "login_required"
    assert pool.get("/logout", client_id=CONCIERGE, **back).location.startswith(f"{BASE}/login?")
    assert pool.get("/logout", client_id=CONCIERGE, logout_uri=out, **back).location == out
    assert pool.get("/logout", client_id=CONCIERGE, logout_uri="https://evil.example").status == 400
    assert pool.get("/logout", client_id=CONCIERGE, post_logout_redirect_uri=out).status == 400


@parity("userInfo", "documented")
def test_user_info_tells_what_the_scopes_cover(pool: Pool) -> None:
    """userInfo tells what the scopes cover, with what is verified as text."""
    tokens = pool.by_code()
    answer = pool.house.get(f"{BASE}/oauth2/userInfo", authorization=f"Bearer {tokens['access_token']}")
    sub = pool.claims(tokens["access_token"])["sub"]
    assert body_of(answer) == {"sub": sub, "email": GUEST, "email_verified": "true", "username": GUEST}


@parity("userInfo", "documented")
def test_user_info_refuses_other_tokens(pool: Pool) -> None:
    """Tokens of InitiateAuth, of clients and ID tokens are refused, with a challenge that has no scheme."""
    machine = str(body_of(pool.token(CREDENTIALS, authorization=basic()))["access_token"])
    signed_in = pool.sign_in()
    for token in (signed_in["AccessToken"], signed_in["IdToken"], machine, "garbage"):
        answer = pool.house.get(f"{BASE}/oauth2/userInfo", authorization=f"Bearer {token}")
        assert answer.status == 401
        challenge = answer.header("www-authenticate") or ""
        assert challenge.startswith('error="invalid_token", error_description="Access token is expired')
    assert pool.house.get(f"{BASE}/oauth2/userInfo").status == 400


@parity("Revoke", "documented")
def test_revoking_ends_the_sign_in(pool: Pool) -> None:
    """Revoking a refresh token ends its whole sign-in at Cognito's own endpoints, and garbage is no error."""
    tokens = pool.by_code(scope="openid aws.cognito.signin.user.admin")
    bearer = f"Bearer {tokens['access_token']}"
    assert pool.house.get(f"{BASE}/oauth2/userInfo", authorization=bearer).status == 200
    answer = pool.post("/oauth2/revoke", {"token": tokens["refresh_token"]}, authorization=basic())
    assert (answer.status, answer.body) == (200, b"")
    assert pool.house.get(f"{BASE}/oauth2/userInfo", authorization=bearer).status == 401
    told = pool.call("GetUser", {"AccessToken": tokens["access_token"]})
    assert (told.kind, told.message) == ("NotAuthorizedException", "Access Token has been revoked")
    assert pool.claims(tokens["access_token"]), "whoever verifies offline believes it until it expires"
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert refused(pool.token(form, authorization=basic())) == (400, "invalid_grant")
    for text in ("garbage", tokens["refresh_token"]):
        assert pool.post("/oauth2/revoke", {"token": text}, authorization=basic()).status == 200


@parity("Revoke", "documented")
def test_only_refresh_tokens_of_a_proven_client_are_revoked(pool: Pool) -> None:
    """An access token is unsupported_token_type; a wrong secret is 401."""
    tokens = pool.by_code()
    access = {"token": tokens["access_token"]}
    assert refused(pool.post("/oauth2/revoke", access, authorization=basic())) == (400, "unsupported_token_type")
    assert refused(pool.post("/oauth2/revoke", access, authorization=basic(secret="x"))) == (401, "invalid_client")
    assert refused(pool.post("/oauth2/revoke", {}, authorization=basic())) == (400, "invalid_request")


@parity("Explained", "inferred")
def test_a_refusal_explains_itself_at_home(pool: Pool) -> None:
    """Every refusal names its rule, what was expected and found, and the remedy in code, console and Terraform."""
    pool.token({**CREDENTIALS, "client_id": GUEST_APP})
    said = pool.house.last.as_document()["refusal"]
    assert said["number"] == "IK1006"
    assert (said["level"], said["error"]) == ("documented", "unauthorized_client")
    assert "allowed_oauth_flows" in said["terraform"]
    assert "OAuth grant types" in said["console"]


def test_a_form_that_is_not_ours_signs_nobody_in(pool: Pool) -> None:
    page = pool.house.get(pool.authorize().location)
    pool._keep(page)
    pool.cookies["XSRF-TOKEN"] = "another"
    assert pool.fill(page, username=GUEST, password="Correct-Horse-7").status == 403


def test_the_origin_of_a_form_is_checked(pool: Pool) -> None:
    page = pool.house.get(pool.authorize().location)
    pool._keep(page)
    assert pool.fill(page, origin=f"{ORIGIN}.evil.example", username=GUEST, password="Correct-Horse-7").status == 403
