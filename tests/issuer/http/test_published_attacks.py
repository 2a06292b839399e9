"""Attacks that were published against authorization servers, by the names they have, each tried on ours.

Those against whoever reads tokens are in ``tests/guard/test_attacks.py``.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec.structs import replace

from innkeeper.issuer.core.token import DEVICE_CODE, TOKEN_EXCHANGE
from innkeeper.keys import jwk
from innkeeper.keys.jws import compact, encode_header
from innkeeper.protocol import base64url
from tests.issuer.house import ASKED, ORIGIN, SETTINGS, VERIFIER, Answer, House, posted
from tests.issuer.signing import (
    CALLBACK,
    LONG_SECRET,
    assertion_claims,
    bank,
    by_key,
    dpop,
    proves,
    read,
    request_claims,
    said,
    with_mac,
)
from tests.issuer.visitor import ROBOT, SHOP, Form, Visitor, redeem
from tests.keys.keyring import private_key

ACCESS = "urn:ietf:params:oauth:token-type:access_token"
GRANTS = ("authorization_code", "refresh_token", "client_credentials", "device_code", "token_exchange")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    shop, *others = SETTINGS.client
    clients = [replace(shop, grants=GRANTS), *others, bank(grants=GRANTS), bank("other", grants=GRANTS)]
    registration = replace(SETTINGS.registration, mode="open")
    settings = replace(SETTINGS, client=clients, registration=registration)
    made = House(tmp_path_factory.mktemp("attacked"), settings)
    yield made
    made.close()


def proved_by(house: House, assertion: str) -> Answer:
    return house.token({"grant_type": "client_credentials", **proves(assertion)})


def is_nobody(answer: Answer) -> bool:
    assert (answer.status, answer.json["error"]) == (401, "invalid_client"), answer.body
    return True


def under(header: dict[str, Any], claims: dict[str, Any], key: Any = None) -> str:
    body = json.dumps(claims).encode()
    return compact(encode_header({"alg": "ES256", **header}).encode(), body, key or private_key("ES256"), "ES256")


def introspected(house: House, token: str) -> dict[str, Any]:
    return house.post("/introspect", {"token": token, **SHOP}).json


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
def test_algorithm_confusion_none(house: House, alg: str) -> None:
    """CVE-2015-9235 and its spellings: a token that says it needs no signature."""
    head = base64url.encode_text(json.dumps({"alg": alg, "typ": "JWT"}).encode())
    body = base64url.encode_text(json.dumps(assertion_claims(house, "bank")).encode())
    assert is_nobody(proved_by(house, f"{head}.{body}."))
    access = redeem(house, Visitor(house).code()).json["access_token"].split(".")[1]
    assert introspected(house, f"{head}.{access}.") == {"active": False}


@pytest.mark.parametrize("form", ["pem", "der", "jwk", "n"])
def test_algorithm_confusion_public_key_as_hmac_secret(house: House, form: str) -> None:
    """CVE-2016-5431, CVE-2016-10555: HS256 with the public key that everybody can read."""
    public = private_key("RS256").public_key()
    document = jwk.public_document(public, "RS256", "RS256")
    secrets = {
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(document).encode(),
        "n": document["n"].encode(),
    }
    assert is_nobody(proved_by(house, with_mac(assertion_claims(house, "bank"), secrets[form])))


def test_psychic_signatures(house: House) -> None:
    """CVE-2022-21449: an ECDSA signature of zeros verifies everything."""
    start, _, _ = said(assertion_claims(house, "bank")).rpartition(".")
    assert is_nobody(proved_by(house, f"{start}.{base64url.encode_text(bytes(64))}"))


def test_header_injection_jwk(house: House) -> None:
    """CVE-2018-0114: the key that verifies the token comes along in it."""
    mine = ec.generate_private_key(ec.SECP256R1())
    shown = jwk.public_document(mine.public_key(), "ES256", "ES256")
    assert is_nobody(proved_by(house, under({"jwk": shown, "kid": "ES256"}, assertion_claims(house, "bank"), mine)))


@pytest.mark.parametrize("name", ["jku", "x5u"])
def test_header_injection_jku_and_x5u(house: House, name: str) -> None:
    """The address of the key that verifies the token comes along in it."""
    mine = ec.generate_private_key(ec.SECP256R1())
    header = {name: "https://evil.example/jwks.json", "kid": "ES256"}
    assert is_nobody(proved_by(house, under(header, assertion_claims(house, "bank"), mine)))


def test_header_injection_x5c(house: House) -> None:
    mine = ec.generate_private_key(ec.SECP256R1())
    assert is_nobody(proved_by(house, under({"x5c": ["AAAA"], "kid": "ES256"}, assertion_claims(house, "bank"), mine)))


@pytest.mark.parametrize(
    "kid",
    [
        "../../../../dev/null",
        "' UNION SELECT 'key' --",
        "ES256\0",
        "https://evil.example/key",
        "|cat /etc/passwd",
        7,
        [],
        {},
    ],
)
def test_kid_injection(house: House, kid: object) -> None:
    """A kid that is a path, a query, an address or no text finds no key but those that were registered."""
    mine = ec.generate_private_key(ec.SECP256R1())
    assert is_nobody(proved_by(house, under({"kid": kid}, assertion_claims(house, "bank"), mine)))


def test_oversized_tokens(house: House) -> None:
    claims = {**assertion_claims(house, "bank"), "padding": "x" * 40_000}
    assert is_nobody(proved_by(house, under({"kid": "ES256"}, claims)))
    assert introspected(house, "a." + "b" * 50_000 + ".c") == {"active": False}


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deeply_nested_tokens(house: House, opening: str) -> None:
    body = base64url.encode_text((opening * 5_000).encode())
    assert is_nobody(proved_by(house, f"{encode_header({'alg': 'ES256'})}.{body}.AAAA"))
    head = base64url.encode_text((opening * 2_000).encode())
    assert introspected(house, f"{head}.e30.AAAA") == {"active": False}


def test_compressed_jwe_bomb(house: House) -> None:
    """CVE-2024-21664 and others: a small encrypted token that unpacks to gigabytes is not unpacked."""
    bomb = zlib.compress(b"0" * 10_000_000)[2:-4]
    head = base64url.encode_text(json.dumps({"alg": "ECDH-ES", "enc": "A128GCM", "zip": "DEF"}).encode())
    packed = ".".join((head, "", "AAAA", base64url.encode_text(bomb), "AAAA"))
    answer = house.post("/par", {"client_id": "bank", "request": packed, **by_key(house, "bank")})
    assert (answer.status, answer.json["error"]) == (400, "invalid_request_object")


def test_mix_up(house: House) -> None:
    """A client that talks to several issuers can tell who answered, in success and in error (RFC 9207)."""
    assert Visitor(house).authorize(prompt="none").sent_back["iss"] == ORIGIN
    visitor = Visitor(house)
    assert visitor.through(visitor.authorize()).sent_back["iss"] == ORIGIN


def test_pkce_downgrade(house: House) -> None:
    """A challenge that was taken out on the way: the verifier that comes later gives it away (RFC 9700 §4.8)."""
    code = Visitor(house).code(code_challenge=None, code_challenge_method=None)
    assert redeem(house, code).json["error"] == "invalid_grant"
    plain = Visitor(house).authorize(code_challenge=VERIFIER, code_challenge_method="plain")
    assert plain.sent_back["error"] == "invalid_request"


def test_code_injection(house: House) -> None:
    """A stolen code, slipped into the attacker's own flow with the same client (RFC 9700 §4.5)."""
    stolen = Visitor(house).code()
    answer = redeem(house, stolen, code_verifier="the-attackers-own-verifier-of-this-very-flow-1")
    assert (answer.status, answer.json["error"]) == (400, "invalid_grant")


def test_authorization_code_of_another_client(house: House) -> None:
    form = {"grant_type": "authorization_code", "code": Visitor(house).code(), "code_verifier": VERIFIER}
    answer = house.token({**form, "redirect_uri": CALLBACK, **by_key(house, "bank")})
    assert answer.json["error"] == "invalid_grant"


REDIRECT_TRICKS = {
    "userinfo": "https://shop.example@evil.example/callback",
    "userinfo with port": "https://shop.example:443@evil.example/callback",
    "backslash": "https://evil.example\\@shop.example/callback",
    "backslash slash": "https://shop.example\\/callback",
    "encoded dots": "https://shop.example/%2e%2e/callback",
    "dots": "https://shop.example/x/../callback",
    "double encoded dots": "https://shop.example/%252e%252e/callback",
    "fragment": "https://shop.example/callback#evil",
    "encoded fragment": "https://shop.example/callback%23",
    "unicode dot": "https://shop\u3002example/callback",
    "unicode slash": "https://shop.example\uff0fcallback",
    "homograph": "https://sh\u043ep.example/callback",
    "punycode": "https://xn--shp-rmc.example/callback",
    "upper case": "https://SHOP.example/callback",
    "trailing dot": "https://shop.example./callback",
    "trailing slash": "https://shop.example/callback/",
    "semicolon": "https://shop.example/callback;evil",
    "query": "https://shop.example/callback?next=https://evil.example",
    "port": "https://shop.example:444/callback",
    "usual port": "https://shop.example:443/callback",
    "subdomain": "https://shop.example.evil.example/callback",
    "prefix": "https://evilshop.example/callback",
    "scheme": "http://shop.example/callback",
    "no scheme": "//shop.example/callback",
    "script": "javascript:alert(1)//https://shop.example/callback",
    "data": "data:text/html,https://shop.example/callback",
    "tab": "https://shop.example/call\tback",
    "line break": "https://shop.example/callback\r\nLocation: https://evil.example",
    "nul": "https://shop.example/callback\0.evil.example",
    "space": " https://shop.example/callback",
}


@pytest.mark.parametrize("uri", REDIRECT_TRICKS.values(), ids=REDIRECT_TRICKS)
def test_redirect_tricks(house: House, uri: str) -> None:
    answer = Visitor(house).authorize(redirect_uri=uri)
    assert (answer.status, answer.header("location")) == (400, None)
    pushed = house.post("/par", {**ASKED, "redirect_uri": uri, **SHOP})
    assert pushed.status == 400


def test_redirect_uri_sent_twice(house: House) -> None:
    pairs = [*ASKED.items(), ("redirect_uri", "https://evil.example/")]
    assert Visitor(house).get(f"/authorize?{urlencode(pairs)}").status == 400


@pytest.mark.parametrize(
    "wish",
    [
        {"id_token_signed_response_alg": "none"},
        {"userinfo_signed_response_alg": "none"},
        {"request_object_signing_alg": "none"},
        {"token_endpoint_auth_signing_alg": "none"},
        {"authorization_signed_response_alg": "none"},
        {"introspection_signed_response_alg": "none"},
        {"backchannel_authentication_request_signing_alg": "none"},
    ],
    ids=lambda wish: next(iter(wish)),
)
def test_registration_with_alg_none(house: House, wish: dict[str, str]) -> None:
    asking = posted("/register", {}, content_type="application/json")
    body = json.dumps({"redirect_uris": ["https://client.example/cb"], **wish}).encode()
    answer = house.ask(asking._replace(chunks=(body,)))
    assert (answer.status, answer.json["error"]) == (400, "invalid_client_metadata")


def test_revocation_of_another_clients_token(house: House) -> None:
    tokens = redeem(house, Visitor(house).code(scope="openid offline_access")).json
    for kind in ("access_token", "refresh_token"):
        house.post("/revoke", {"token": tokens[kind], **ROBOT})
        house.post("/revoke", {"token": tokens[kind], **by_key(house, "bank")})
        assert introspected(house, tokens[kind])["active"] is True


def test_approving_another_persons_device_code(house: House) -> None:
    """The attacker's device code, sent as a link: the victim is asked, and the attacker cannot answer for them."""
    codes = house.post("/device_authorization", SHOP).json
    victim, attacker = Visitor(house), Visitor(house)
    page = victim.sign_in(victim.get(codes["verification_uri_complete"]))
    assert 'id="allow"' in page.text
    form = Form(page)
    evil = attacker.post(form.action, {**form.hidden, "decision": "allow"})
    assert evil.status != 200 or "connected" not in evil.text.lower()
    foreign = victim.post(form.action, {**form.hidden, "decision": "allow"}, origin="https://evil.example")
    assert foreign.status == 403
    polled = house.token({"grant_type": DEVICE_CODE, "device_code": codes["device_code"], **SHOP})
    assert polled.json["error"] == "authorization_pending"


def test_exchange_that_drops_a_binding(house: House) -> None:
    """A stolen bound token, exchanged for one that is bound to nothing or to the thief's key."""
    form = {"grant_type": "client_credentials", "scope": "room:enter", **by_key(house, "bank")}
    bound = house.post("/token", form, dpop=dpop(house, "/token")).json["access_token"]
    assert "jkt" in read(bound)["cnf"]
    swap = {"grant_type": TOKEN_EXCHANGE, "subject_token": bound, "subject_token_type": ACCESS}
    bare = house.token({**swap, **by_key(house, "bank")})
    other = house.post("/token", {**swap, **by_key(house, "bank")}, dpop=dpop(house, "/token", alg="PS256"))
    assert {bare.status, other.status} == {400}
    kept = house.post("/token", {**swap, **by_key(house, "bank")}, dpop=dpop(house, "/token"))
    assert read(kept.json["access_token"])["cnf"] == read(bound)["cnf"]


def test_cross_jwt_confusion(house: House) -> None:
    """One kind of token taken for another (RFC 8725 §2.8): ID token, assertion, request object, logout token."""
    tokens = redeem(house, Visitor(house).code()).json
    head = {"authorization": f"Bearer {tokens['id_token']}"}
    assert house.get("/userinfo", **head).status == 401
    assert is_nobody(proved_by(house, tokens["id_token"]))
    assert is_nobody(proved_by(house, tokens["access_token"]))
    assert Visitor(house).authorize(prompt="none", id_token_hint=tokens["access_token"]).sent_back["error"] == (
        "login_required"
    )
    as_request = said({**request_claims(house), "sub": "bank"})
    answer = house.post("/par", {"client_id": "bank", "request": as_request, **by_key(house, "bank")})
    assert answer.json["error"] == "invalid_request_object"


def test_ssrf_by_request_uri(house: House) -> None:
    """CVE-2020-10770 of Keycloak: a request_uri that makes the server call addresses of somebody's choice."""
    for uri in ("http://127.0.0.1:22/", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd"):
        assert Visitor(house).authorize(request_uri=uri).sent_back["error"] == "invalid_request_uri"


@pytest.mark.parametrize(
    "uri", ["http://169.254.169.254/", "https://localhost/", "https://[::1]/", "file:///etc/passwd"]
)
def test_ssrf_by_sector_identifier_uri_and_logo(house: House, uri: str) -> None:
    asking = posted("/register", {}, content_type="application/json")
    body = {"redirect_uris": ["https://client.example/cb"], "subject_type": "pairwise", "sector_identifier_uri": uri}
    answer = house.ask(asking._replace(chunks=(json.dumps(body).encode(),)))
    assert (answer.status, answer.json["error"]) == (400, "invalid_client_metadata")


def test_client_secret_in_the_query_is_not_taken(house: House) -> None:
    answer = house.ask(posted("/token", {"grant_type": "client_credentials"})._replace(query=urlencode(ROBOT).encode()))
    assert is_nobody(answer)


def test_basic_header_smuggling(house: House) -> None:
    """One client in the header and another in the body."""
    head = base64.b64encode(b"robot:robot-secret").decode()
    form = {"grant_type": "client_credentials", "client_id": "shop", "client_secret": LONG_SECRET}
    answer = house.token(form, authorization=f"Basic {head}")
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


def test_clickjacking(house: House) -> None:
    page = Visitor(house).authorize(prompt="login")
    assert "frame-ancestors 'none'" in (page.header("content-security-policy") or "")


def test_307_redirect_leaks_no_password(house: House) -> None:
    """RFC 9700 §4.12: the sign-in form is answered 303."""
    visitor = Visitor(house)
    form = Form(visitor.authorize())
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    sent = {**form.hidden, "username": "ada@example.org", "password": "Correct-Horse-7"}
    assert house.post(form.action, sent, cookie=cookie, sec_fetch_site="same-origin").status == 303


def test_cookie_tossing_and_session_fixation(house: House) -> None:
    """A session cookie that was there before the sign-in is not the one after it."""
    visitor = Visitor(house)
    visitor.cookies["innkeeper-native"] = "planted-by-the-attacker"
    visitor.code()
    assert visitor.cookies["innkeeper-native"] != "planted-by-the-attacker"
