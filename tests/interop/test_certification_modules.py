"""The modules of the OpenID certification suite by their names: what each does to a provider, and what it expects.

The house lives by the profile ``oidc-certification``. The relying party has a server of its own on loopback, which the
house may visit: keys, request objects and sectors lie there, and news of sign-outs arrive there.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from innkeeper.issuer.settings import files
from tests.inn import Inn, open_inn
from tests.interop.relying_party import CALLBACK, Party, Person

pytestmark = pytest.mark.interop

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
BYE = "https://rp.example/bye"
ACR = "urn:innkeeper:acr:password"


class Plain(Party):
    """A relying party that uses no PKCE, as that of the suite."""

    def url(self, **params: str | None) -> str:
        return super().url(**{"code_challenge": None, "code_challenge_method": None, **params})

    def redeem(self, code: str, **more: str | None) -> httpx2.Response:
        return super().redeem(code, **{"code_verifier": None, **more})


class Place:
    """The relying party's own server: documents by path, and the forms that were posted to it."""

    def __init__(self) -> None:
        self.documents: dict[str, tuple[str, bytes]] = {}
        self.posted: list[tuple[str, dict[str, str]]] = []
        self.news = threading.Event()
        place = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, body = place.documents.get(self.path, ("", b""))
                self.send_response(200 if kind else 404)
                self.send_header("content-type", kind)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                self.send_response(200)
                self.end_headers()
                place.posted.append((self.path, dict(parse_qsl(body))))
                place.news.set()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.authority = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def puts(self, path: str, body: object, kind: str = "application/json") -> str:
        """Put a document at a path; its address."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.documents[path] = kind, text.encode()
        return f"http://{self.authority}{path}"


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    made = Place()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory, place: Place) -> Iterator[Inn]:
    """A house that may be certified."""
    folder = tmp_path_factory.mktemp("certified")
    laptop = files("innkeeper.issuer").joinpath("laptop.toml").read_text("utf-8")
    ours = f'profile = "oidc-certification"\n[fetching]\nallow_loopback_hosts = ["{place.authority}"]\n'
    (folder / "innkeeper.toml").write_text(ours + laptop, "utf-8")
    with open_inn(folder) as inn:
        yield inn


@pytest.fixture(scope="module")
def party(suite: Inn) -> Plain:
    grants = ["authorization_code", "refresh_token"]
    return Plain(suite.url, grant_types=grants, post_logout_redirect_uris=[BYE], client_name="The suite")


@pytest.fixture
def person() -> Person:
    return Person()


def key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "alg": "RS256", "use": "sig"})


def public(*keys: RSAKey) -> dict[str, Any]:
    return {"keys": [one.as_dict(private=False) for one in keys]}


def signed(one: RSAKey, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": one.kid}, claims, one, algorithms=["RS256"])


def proof(party: Plain, one: RSAKey) -> dict[str, str | None]:
    now = int(time.time())
    said = {"iss": party.id, "sub": party.id, "aud": party.found["token_endpoint"], "iat": now, "exp": now + 60}
    assertion = signed(one, {**said, "jti": f"{now}-{time.monotonic_ns()}"})
    return {"client_assertion_type": ASSERTION, "client_assertion": assertion, "client_secret": None}


def inside(party: Plain, **changes: str | None) -> dict[str, str]:
    """The parameters of a request, to be put into an object."""
    return {**dict(httpx2.URL(party.url(**changes)).params), "aud": party.found["issuer"], "iss": party.id}


def none(claims: dict[str, Any]) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(claims)}."


def refreshed(party: Plain, token: str, **more: str | None) -> httpx2.Response:
    form = {
        "grant_type": "refresh_token",
        "refresh_token": token,
        "client_id": party.id,
        "client_secret": party.registered.get("client_secret"),
        **more,
    }
    sent = {name: value for name, value in form.items() if value is not None}
    return party.http.post(party.found["token_endpoint"], data=sent)


# The plan oidcc-basic.


def test_oidcc_server(party: Plain, person: Person) -> None:
    answer = person.answer(party.url())
    tokens = party.redeem(answer.params["code"]).json()
    claims = party.claims(tokens)
    assert set(answer.params) == {"code", "state", "iss"}
    assert (claims["nonce"], claims["iss"], claims["aud"]) == ("nonce-1", party.found["issuer"], party.id)
    assert claims["exp"] > claims["iat"] >= int(time.time()) - 60
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).decode().rstrip("=")
    assert party.userinfo(tokens["access_token"])["sub"] == claims["sub"]


def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(party: Plain, person: Person) -> None:
    assert "nonce" not in party.claims(party.tokens(person, nonce=None))


def test_oidcc_ensure_other_scope_order_succeeds(party: Plain, person: Person) -> None:
    tokens = party.tokens(person, scope="email openid")
    assert "email" in party.userinfo(tokens["access_token"])


def test_oidcc_prompt_none_logged_in(party: Plain, person: Person) -> None:
    first = party.claims(party.tokens(person))
    answer = person.answer(party.url(prompt="none"))
    again = party.claims(party.redeem(answer.params["code"]).json())
    assert answer.pressed == ()
    assert [first[one] for one in ("sub", "auth_time")] == [again[one] for one in ("sub", "auth_time")]


def test_oidcc_prompt_none_not_logged_in(party: Plain, person: Person) -> None:
    answer = person.answer(party.url(prompt="none"))
    assert set(answer.params) == {"error", "error_description", "error_uri", "state", "iss"}
    assert answer.params["error"] == "login_required"


def test_oidcc_max_age_1(party: Plain, person: Person) -> None:
    first = party.claims(party.tokens(person))
    deadline = time.monotonic() + 10
    while int(time.time()) < first["auth_time"] + 2 and time.monotonic() < deadline:
        threading.Event().wait(0.1)
    answer = person.answer(party.url(max_age="1"))
    again = party.claims(party.redeem(answer.params["code"]).json())
    assert "sign-in" in answer.pressed
    assert again["auth_time"] > first["auth_time"]


def test_oidcc_max_age_10000(party: Plain, person: Person) -> None:
    first = party.claims(party.tokens(person, max_age="10000"))
    answer = person.answer(party.url(max_age="10000", prompt="none"))
    again = party.claims(party.redeem(answer.params["code"]).json())
    assert first["auth_time"] == again["auth_time"]


def test_oidcc_id_token_hint(party: Plain, person: Person) -> None:
    tokens = party.tokens(person)
    answer = person.answer(party.url(prompt="none", id_token_hint=tokens["id_token"]))
    again = party.claims(party.redeem(answer.params["code"]).json())
    assert again["sub"] == party.claims(tokens)["sub"]


@pytest.mark.parametrize(
    "wish",
    [
        {"login_hint": "guest@hotel.example"},
        {"login_hint": "nobody knows him"},
        {"ui_locales": "se"},
        {"claims_locales": "se"},
        {"display": "page"},
        {"display": "popup"},
        {"extra": "foobar"},
        {"acr_values": "1 2"},
    ],
)
def test_oidcc_wishes_that_do_no_harm(party: Plain, person: Person, wish: dict[str, str]) -> None:
    assert party.claims(party.tokens(person, **wish))["nonce"] == "nonce-1"


def test_oidcc_ensure_request_with_acr_values_succeeds(party: Plain, person: Person) -> None:
    assert ACR in party.found["acr_values_supported"]
    assert party.claims(party.tokens(person, acr_values=f"{ACR} 1 2"))["acr"] == ACR


def test_oidcc_claims_essential(party: Plain, person: Person) -> None:
    wish = json.dumps({"userinfo": {"name": {"essential": True}}})
    tokens = party.tokens(person, claims=wish)
    assert party.userinfo(tokens["access_token"])["name"]
    assert "name" not in party.claims(tokens)


def test_oidcc_codereuse(party: Plain, person: Person) -> None:
    code = person.answer(party.url()).params["code"]
    token = party.redeem(code).json()["access_token"]
    again = party.redeem(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    head = {"Authorization": f"Bearer {token}"}
    assert party.http.get(party.found["userinfo_endpoint"], headers=head).status_code == 401


def test_oidcc_refresh_token(suite: Inn, party: Plain, person: Person) -> None:
    tokens = party.tokens(person, scope="openid offline_access", prompt="consent")
    first = party.claims(tokens)
    stranger = Plain(suite.url, grant_types=["authorization_code", "refresh_token"])
    stolen = refreshed(stranger, tokens["refresh_token"])
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    fresh = party.tokens(person, scope="openid offline_access", prompt="consent")
    answer = refreshed(party, fresh["refresh_token"])
    assert answer.headers["cache-control"] == "no-store"
    renewed = answer.json()
    second = party.claims(renewed)
    assert [first[one] for one in ("iss", "sub", "aud")] == [second[one] for one in ("iss", "sub", "aud")]
    assert party.claims(fresh)["auth_time"] == second["auth_time"]
    assert second.get("nonce", "nonce-1") == "nonce-1"
    assert renewed["access_token"] != fresh["access_token"]
    assert party.userinfo(renewed["access_token"])["sub"] == first["sub"]


def test_oidcc_ensure_request_with_valid_pkce_succeeds(suite: Inn, person: Person) -> None:
    one = Party(suite.url)
    assert one.tokens(person)["access_token"]
    wrong = one.redeem(person.answer(one.url()).params["code"], code_verifier="x" * 43)
    assert wrong.json()["error"] == "invalid_grant"


def test_oidcc_response_type_missing(party: Plain, person: Person) -> None:
    assert person.answer(party.url(response_type=None)).params["error"] == "invalid_request"


def test_oidcc_ensure_request_object_with_redirect_uri(party: Plain, person: Person) -> None:
    """The address inside the object counts, and the wrong one beside it does not."""
    packed = none(inside(party, state="inside"))
    answer = person.answer(party.url(request=packed, redirect_uri="https://rp.example/wrong", state="beside"))
    assert answer.redirect.startswith(CALLBACK)
    assert answer.params["state"] == "inside"


def test_oidcc_unsigned_request_object_supported_correctly(party: Plain, person: Person) -> None:
    """The object says some of the request, the rest stands beside it."""
    said = {"nonce": "in-the-object", "max_age": 10000, "aud": party.found["issuer"]}
    answer = person.answer(party.url(request=none(said), nonce=None, state="beside"))
    assert answer.params["state"] == "beside"
    tokens = party.redeem(answer.params["code"]).json()
    assert party.claims(tokens)["nonce"] == "in-the-object"


@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
def test_oidcc_server_client_authentication(way: str, suite: Inn, person: Person) -> None:
    one = Plain(suite.url, token_endpoint_auth_method=way)
    code = person.answer(one.url()).params["code"]
    secret = one.registered["client_secret"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    if way == "client_secret_basic":
        answer = one.http.post(one.found["token_endpoint"], data=form, auth=(one.id, secret))
    elif way == "client_secret_post":
        answer = one.redeem(code)
    else:
        from joserfc.jwk import OctKey

        now = int(time.time())
        said = {"iss": one.id, "sub": one.id, "aud": one.found["token_endpoint"], "exp": now + 60, "jti": str(now)}
        assertion = jwt.encode({"alg": "HS256"}, said, OctKey.import_key(secret), algorithms=["HS256"])
        proved = {"client_assertion_type": ASSERTION, "client_assertion": assertion}
        answer = one.http.post(one.found["token_endpoint"], data=form | proved)
    assert answer.status_code == 200, answer.text


# The plans oidcc-config and oidcc-dynamic.


def test_oidcc_discovery_endpoint_verification(party: Plain) -> None:
    found = party.found
    assert {"code", "id_token", "id_token token"} <= set(found["response_types_supported"])
    assert {"authorization_code", "implicit"} <= set(found["grant_types_supported"])
    assert {"RS256", "none"} & set(found["request_object_signing_alg_values_supported"])
    assert found["request_uri_parameter_supported"] is found["request_parameter_supported"] is True
    assert found["claims_parameter_supported"] is True
    texts = [value for name, value in found.items() if name.endswith(("_endpoint", "_uri"))]
    assert all(value.startswith(found["issuer"]) for value in texts)
    lists = [value for name, value in found.items() if name.endswith("_supported") and isinstance(value, list)]
    assert all(value and all(isinstance(one, str) for one in value) for value in lists)


def test_oidcc_idtoken_unsigned_is_refused_at_registration(party: Plain) -> None:
    wish = {"redirect_uris": [CALLBACK], "id_token_signed_response_alg": "none"}
    answer = party.http.post(party.found["registration_endpoint"], json=wish)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


def test_oidcc_idtoken_hs256(suite: Inn, person: Person) -> None:
    from joserfc.jwk import OctKey

    one = Plain(suite.url, id_token_signed_response_alg="HS256")
    code = person.answer(one.url()).params["code"]
    token = one.redeem(code).json()["id_token"]
    secret = OctKey.import_key(one.registered["client_secret"])
    assert jwt.decode(token, secret, algorithms=["HS256"]).claims["aud"] == one.id


def test_oidcc_registration_jwks_uri_and_refresh_token_rp_key_rotation(
    suite: Inn, place: Place, person: Person
) -> None:
    """The client changes its keys a moment after it was asked for them, and signs with the new one at once."""
    old, new = key("old"), key("new")
    jwks_uri = place.puts("/jwks.json", public(old))
    grants = ["authorization_code", "refresh_token"]
    one = Plain(suite.url, token_endpoint_auth_method="private_key_jwt", jwks_uri=jwks_uri, grant_types=grants)
    code = person.answer(one.url(scope="openid offline_access", prompt="consent")).params["code"]
    answer = one.redeem(code, **proof(one, old))
    assert answer.status_code == 200, answer.text
    place.puts("/jwks.json", public(new))
    again = refreshed(one, answer.json()["refresh_token"], **proof(one, new))
    assert again.status_code == 200, again.text
    late = refreshed(one, again.json()["refresh_token"], **proof(one, old))
    assert late.json()["error"] == "invalid_client"


def test_oidcc_registration_sector_uri_and_sector_bad(suite: Inn, place: Place, party: Plain) -> None:
    sector = place.puts("/sector.json", [CALLBACK])
    one = Plain(suite.url, subject_type="pairwise", sector_identifier_uri=sector)
    assert one.registered["sector_identifier_uri"] == sector
    bad = place.puts("/bad.json", ["https://elsewhere.example/callback"])
    wish = {"redirect_uris": [CALLBACK], "subject_type": "pairwise", "sector_identifier_uri": bad}
    answer = party.http.post(party.found["registration_endpoint"], json=wish)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


def test_oidcc_request_uri_unsigned(suite: Inn, place: Place, person: Person) -> None:
    address = f"{place.puts('/unsigned.jwt', '')}#a-fragment-that-changes"
    one = Plain(suite.url, request_uris=[address], request_object_signing_alg="none")
    place.puts("/unsigned.jwt", none(inside(one, state="by reference")), "application/oauth-authz-req+jwt")
    answer = person.answer(one.url(request_uri=address, state="beside"))
    assert answer.params["state"] == "by reference"
    assert one.redeem(answer.params["code"]).status_code == 200


def test_oidcc_request_uri_signed_rs256(suite: Inn, place: Place, person: Person) -> None:
    mine, address = key("mine"), place.puts("/signed.jwt", "")
    jwks_uri = place.puts("/signed-jwks.json", public(mine))
    one = Plain(suite.url, request_uris=[address], request_object_signing_alg="RS256", jwks_uri=jwks_uri)
    place.puts("/signed.jwt", signed(mine, inside(one, state="signed")), "application/jwt")
    assert person.answer(one.url(request_uri=address)).params["state"] == "signed"
    place.puts("/signed.jwt", none(inside(one)), "application/jwt")
    assert person.answer(one.url(request_uri=address)).params["error"] == "invalid_request_object"


def test_oidcc_server_rotate_keys(suite: Inn, party: Plain, person: Person) -> None:
    """A key is added while the old one still stands; both sign-ins verify by what is published then."""
    before = {one["kid"] for one in party.http.get(party.found["jwks_uri"]).json()["keys"]}
    first = party.tokens(person)
    command = [str(Path(sys.executable).with_name("innkeeper")), "keys", "rotate", "--alg", "RS256"]
    state = {"INNKEEPER_STATE": str(suite.folder / ".innkeeper"), "INNKEEPER_PORT": str(suite.port)}
    import os

    subprocess.run(command, cwd=suite.folder, env={**os.environ, **state}, check=True, capture_output=True)
    deadline = time.monotonic() + 20
    after = before
    while after == before and time.monotonic() < deadline:
        threading.Event().wait(0.2)
        after = {one["kid"] for one in party.http.get(party.found["jwks_uri"]).json()["keys"]}
    assert before < after
    second = party.tokens(person)
    heads = [json.loads(base64.urlsafe_b64decode(one["id_token"].split(".")[0] + "==")) for one in (first, second)]
    assert heads[0]["kid"] in before
    assert heads[1]["kid"] in after, "the new key is published before it signs"
    assert party.claims(first)["sub"] == party.claims(second)["sub"]


def test_oidcc_ensure_redirect_uri_in_authorization_request(party: Plain, person: Person) -> None:
    assert person.answer(party.url(redirect_uri=None)).page.status_code == 400


# The plans oidcc-implicit, oidcc-hybrid and oidcc-formpost.


@pytest.mark.parametrize("kind", ["id_token", "id_token token", "code id_token", "code token", "code id_token token"])
@pytest.mark.parametrize("mode", [None, "form_post"])
def test_oidcc_response_types(kind: str, mode: str | None, suite: Inn, person: Person) -> None:
    one = Plain(suite.url, response_types=[kind], grant_types=["implicit", "authorization_code"])
    answer = person.answer(one.url(response_type=kind, response_mode=mode))
    got, words = answer.params, kind.split()
    assert got["state"] == "state-1"
    assert ("code" in got, "id_token" in got, "access_token" in got) == tuple(
        name in words for name in ("code", "id_token", "token")
    )
    if mode is None:
        assert not urlsplit(answer.redirect).query
    if "id_token" in got:
        assert one.claims(got)["nonce"] == "nonce-1"
    if "access_token" in got:
        assert (got["token_type"], got["expires_in"]) == ("Bearer", "600")
        assert one.userinfo(got["access_token"])["sub"]
    if "code" in got:
        tokens = one.redeem(got["code"]).json()
        assert one.claims(tokens)["nonce"] == "nonce-1"


@pytest.mark.parametrize("kind", ["id_token", "id_token token", "code id_token", "code id_token token"])
def test_oidcc_ensure_request_without_nonce_fails(kind: str, suite: Inn, person: Person) -> None:
    one = Plain(suite.url, response_types=[kind], grant_types=["implicit", "authorization_code"])
    assert person.answer(one.url(response_type=kind, nonce=None)).params["error"] == "invalid_request"


# The plans of signing out.


def logout(party: Plain, person: Person, **params: str) -> httpx2.Response:
    return person.http.get(httpx2.URL(party.found["end_session_endpoint"], params=params))


def is_signed_in(party: Plain, person: Person) -> bool:
    return "code" in person.answer(party.url(prompt="none")).params


def test_oidcc_rp_initiated_logout(party: Plain, person: Person) -> None:
    hint = party.tokens(person)["id_token"]
    left = logout(party, person, id_token_hint=hint, post_logout_redirect_uri=BYE, state="x y")
    assert left.headers["location"] == f"{BYE}?state=x%20y" or left.headers["location"] == f"{BYE}?state=x+y"
    assert not is_signed_in(party, person)


def test_oidcc_rp_initiated_logout_no_state(party: Plain, person: Person) -> None:
    hint = party.tokens(person)["id_token"]
    assert logout(party, person, id_token_hint=hint, post_logout_redirect_uri=BYE).headers["location"] == BYE


def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(party: Plain, person: Person) -> None:
    hint = party.tokens(person)["id_token"]
    left = logout(party, person, id_token_hint=hint)
    assert (left.status_code, 'id="logged-out"' in left.text) == (200, True)
    assert not is_signed_in(party, person)


@pytest.mark.parametrize("params", [{}, {"state": "only"}])
def test_oidcc_rp_initiated_logout_no_params_and_only_state(
    party: Plain, person: Person, params: dict[str, str]
) -> None:
    party.tokens(person)
    left = logout(party, person, **params)
    assert (left.status_code, 'id="logout-confirm"' in left.text) == (200, True)


def test_oidcc_rp_initiated_logout_modified_id_token_hint(party: Plain, person: Person) -> None:
    hint = party.tokens(person)["id_token"]
    left = logout(party, person, id_token_hint=f"{hint[:-8]}AAAAAAAA", post_logout_redirect_uri=BYE)
    assert (left.status_code, left.is_redirect) == (400, False)


def test_oidcc_rp_initiated_logout_no_id_token_hint(party: Plain, person: Person) -> None:
    party.tokens(person)
    left = logout(party, person, post_logout_redirect_uri=BYE, state="x")
    assert (left.status_code, left.is_redirect) == (400, False)
    asked = logout(party, person, post_logout_redirect_uri=BYE, client_id=party.id)
    assert 'id="logout-confirm"' in asked.text


@pytest.mark.parametrize("uri", [f"{BYE}?more=1", "https://rp.example/other", "https://evil.example/"])
def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(party: Plain, person: Person, uri: str) -> None:
    hint = party.tokens(person)["id_token"]
    left = logout(party, person, id_token_hint=hint, post_logout_redirect_uri=uri)
    assert (left.status_code, left.is_redirect) == (400, False)


def test_oidcc_backchannel_rp_initiated_logout(suite: Inn, place: Place, person: Person) -> None:
    place.posted.clear()
    place.news.clear()
    told = f"http://{place.authority}/backchannel"
    one = Plain(
        suite.url,
        backchannel_logout_uri=told,
        backchannel_logout_session_required=True,
        post_logout_redirect_uris=[BYE],
    )
    tokens = one.tokens(person)
    claims = one.claims(tokens)
    left = logout(one, person, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE)
    assert left.headers["location"] == BYE
    assert place.news.wait(10)
    path, form = place.posted[0]
    keys = KeySet.import_key_set(one.http.get(one.found["jwks_uri"]).json())
    token = jwt.decode(form["logout_token"], keys, algorithms=["RS256"])
    assert (path, set(form)) == ("/backchannel", {"logout_token"})
    assert (token.header["typ"], token.header["alg"]) == ("logout+jwt", "RS256")
    assert token.claims["events"] == {EVENT: {}}
    assert {"iss", "aud", "iat", "exp", "jti", "sid", "sub"} <= token.claims.keys()
    assert "nonce" not in token.claims
    assert [token.claims[one] for one in ("iss", "aud", "sub", "sid")] == [
        claims[one] for one in ("iss", "aud", "sub", "sid")
    ]


def test_oidcc_frontchannel_rp_initiated_logout(suite: Inn, person: Person) -> None:
    there = "https://rp.example/frontchannel"
    one = Plain(
        suite.url,
        frontchannel_logout_uri=there,
        frontchannel_logout_session_required=True,
        post_logout_redirect_uris=[BYE],
    )
    tokens = one.tokens(person)
    left = logout(one, person, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE, state="s")
    frame = left.text.partition("<iframe")[2].partition('src="')[2].partition('"')[0].replace("&amp;", "&")
    assert frame.startswith(f"{there}?")
    sid = one.claims(tokens)["sid"]
    assert parse_qs(urlsplit(frame).query) == {"iss": [one.found["issuer"]], "sid": [sid]}
    assert f'content="3; url={BYE}?state=s"' in left.text
