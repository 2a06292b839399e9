"""Token requests: how the client proves itself, what it sends, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from innkeeper.client import (
    Access,
    Client,
    Refused,
    Secret,
    SigningKey,
    Token,
    Unreachable,
    UsageError,
    arun,
    client_credentials,
    discover,
    refresh,
    revoke,
    run,
)
from innkeeper.client.credentials import method
from innkeeper.client.discovery import Metadata
from innkeeper.client.refused import quoted
from innkeeper.protocol.exchange import Reply
from tests.client.issuer import ISSUER, StubIssuer, basic_pair, form, refusal

MACHINE = Client("concierge", Secret("s:e c/ret"))
ROOM = Access("room:enter", "https://hotel.example")


def metadata(stub: StubIssuer) -> Metadata:
    with stub.client() as http:
        return run(discover(stub.issuer), http)


def fetch(stub: StubIssuer, client: Client = MACHINE, access: Access = ROOM) -> Token:
    with stub.client() as http:
        return run(client_credentials(metadata(stub), client, access), http)


def test_a_machine_gets_a_token_for_the_scope_and_resource_it_names() -> None:
    stub = StubIssuer()
    token = fetch(stub)
    assert token.access_token == "token-1"
    assert (token.issuer, token.client_id, token.scope) == (ISSUER, "concierge", "room:enter")
    assert stub.asked("/token") == [
        {"grant_type": "client_credentials", "scope": "room:enter", "resource": "https://hotel.example"}
    ]


def test_the_same_flow_serves_coroutines() -> None:
    stub = StubIssuer()

    async def whole() -> Token:
        async with stub.aclient() as http:
            return await arun(client_credentials(await arun(discover(ISSUER), http), MACHINE, ROOM), http)

    assert asyncio.run(whole()).access_token == "token-1"


def test_a_secret_goes_into_the_basic_header_with_both_halves_encoded() -> None:
    stub = StubIssuer()
    fetch(stub)
    assert basic_pair(stub.requests[-1].headers["authorization"]) == ("concierge", "s:e c/ret")
    assert b"secret" not in stub.requests[-1].content


def test_a_secret_goes_into_the_form_where_the_issuer_takes_only_that() -> None:
    stub = StubIssuer()
    stub.document["token_endpoint_auth_methods_supported"] = ["private_key_jwt", "client_secret_post"]
    fetch(stub)
    assert form(stub.requests[-1])["client_secret"] == "s:e c/ret"
    assert "authorization" not in stub.requests[-1].headers


def test_a_secret_can_be_told_how_to_go() -> None:
    asked = Metadata(ISSUER, token_endpoint_auth_methods_supported=("client_secret_basic",))
    assert method(Secret("x", "client_secret_post"), asked) == "client_secret_post"
    assert method(Secret("x"), Metadata(ISSUER)) == "client_secret_basic"


@pytest.mark.parametrize(
    ("make", "alg"),
    [
        (lambda: ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (lambda: ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (lambda: rsa.generate_private_key(65537, 2048), "RS256"),
        (ed25519.Ed25519PrivateKey.generate, "EdDSA"),
    ],
)
def test_a_signing_key_makes_an_assertion_that_another_library_accepts(
    make: Callable[[], ec.EllipticCurvePrivateKey], alg: str
) -> None:
    stub, key = StubIssuer(), make()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    fetch(stub, Client("robot", SigningKey.from_pem(pem, kid="k1")))
    sent = stub.asked("/token")[0]
    assert sent["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    claims = jwt.decode(
        sent["client_assertion"],
        key.public_key(),
        [alg],
        audience=ISSUER,
        issuer="robot",
        options={"require": ["jti", "exp", "iat", "sub"]},
    )
    assert claims["sub"] == "robot"
    assert claims["exp"] - claims["iat"] == 60
    assert jwt.get_unverified_header(sent["client_assertion"])["kid"] == "k1"


def test_two_assertions_never_share_an_id() -> None:
    stub = StubIssuer()
    key = ec.generate_private_key(ec.SECP256R1())
    for _ in range(2):
        fetch(stub, Client("robot", SigningKey(key, "ES256", audience="https://issuer.example/token")))
    decoded = [
        jwt.decode(sent["client_assertion"], key.public_key(), ["ES256"], audience="https://issuer.example/token")
        for sent in stub.asked("/token")
    ]
    assert decoded[0]["jti"] != decoded[1]["jti"]


@pytest.mark.parametrize("pem", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_broken_signing_key_is_a_usage_error_that_quotes_none_of_it(pem: bytes) -> None:
    with pytest.raises(UsageError) as caught:
        SigningKey.from_pem(pem)
    assert "AAAA" not in str(caught.value)


def test_a_key_too_weak_or_of_an_odd_curve_is_a_usage_error() -> None:
    odd = ec.generate_private_key(ec.SECP521R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(UsageError, match="must be EC P-256"):
        SigningKey.from_pem(odd)


def test_an_algorithm_of_another_kind_of_key_is_a_usage_error() -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(UsageError, match="ES256 does"):
        SigningKey.from_pem(pem, alg="RS256")


@pytest.mark.parametrize(
    ("error", "status", "number"),
    [
        ("invalid_client", 401, "IK621"),
        ("invalid_grant", 400, "IK622"),
        ("invalid_scope", 400, "IK623"),
        ("unauthorized_client", 400, "IK624"),
        ("unsupported_grant_type", 400, "IK624"),
        ("invalid_target", 400, "IK625"),
        ("something_new", 400, "IK620"),
    ],
)
def test_each_error_keeps_the_issuers_code_and_gets_a_page_with_a_remedy(error: str, status: int, number: str) -> None:
    stub = StubIssuer()
    stub.at["/token"] = lambda _: refusal(error, status, "because I say so")
    with pytest.raises(Refused) as caught:
        fetch(stub)
    assert (caught.value.error, caught.value.number) == (error, number)
    assert "because I say so" in caught.value.refusal.reason
    assert caught.value.refusal.remedy


@pytest.mark.parametrize(
    "answer",
    [httpx2.Response(500), httpx2.Response(429), refusal("temporarily_unavailable"), refusal("server_error", 503)],
)
def test_an_issuer_that_cannot_answer_now_is_unreachable(answer: httpx2.Response) -> None:
    stub = StubIssuer()
    stub.at["/token"] = lambda _: answer
    with pytest.raises(Unreachable):
        fetch(stub)


def test_the_wish_to_wait_is_passed_on() -> None:
    stub = StubIssuer()
    stub.at["/token"] = lambda _: httpx2.Response(429, headers={"retry-after": "17"})
    with pytest.raises(Unreachable, match="wait 17 s"):
        fetch(stub)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_the_token_endpoint_never_sees_the_secret(status: int) -> None:
    stub = StubIssuer()
    stub.at["/token"] = lambda _: httpx2.Response(status, headers={"location": "https://evil.example/token"})
    eager = httpx2.Client(transport=httpx2.MockTransport(stub), follow_redirects=True)
    known = metadata(stub)
    with eager, pytest.raises(Refused) as caught:
        run(client_credentials(known, MACHINE, ROOM), eager)
    assert caught.value.number == "IK626"
    assert {request.url.host for request in stub.requests} == {"issuer.example"}


def test_a_clients_own_authentication_is_not_sent_to_the_issuer() -> None:
    stub = StubIssuer()
    known = metadata(stub)
    with httpx2.Client(transport=httpx2.MockTransport(stub), auth=("someone", "else")) as http:
        run(client_credentials(known, Client("guest-app"), ROOM), http)
    assert "authorization" not in stub.requests[-1].headers


@pytest.mark.parametrize(
    "answer",
    [
        {"token_type": "Bearer"},
        {"access_token": "", "token_type": "Bearer"},
        {"access_token": 7, "token_type": "Bearer"},
        {"access_token": "a b", "token_type": "Bearer"},
        {"access_token": "a\r\nx-evil: 1", "token_type": "Bearer"},
        {"access_token": "a"},
        {"access_token": "a", "token_type": "mac"},
        {"access_token": "a", "token_type": "DPoP"},
    ],
)
def test_an_answer_without_a_bearer_token_that_a_header_can_carry_is_refused(answer: dict[str, object]) -> None:
    stub = StubIssuer()
    stub.at["/token"] = lambda _: httpx2.Response(200, json=answer)
    with pytest.raises(Refused) as caught:
        fetch(stub)
    assert caught.value.number == "IK627"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"access_token=a", b'{"access_token":"a","access_token":"b"}'])
def test_an_answer_that_is_no_clear_json_object_is_refused(body: bytes) -> None:
    stub = StubIssuer()
    stub.at["/token"] = lambda _: httpx2.Response(200, content=body)
    with pytest.raises(Refused) as caught:
        fetch(stub)
    assert caught.value.number == "IK627"


@pytest.mark.parametrize(
    ("expires_in", "life"),
    [(300, 300), ("400", 400), (299.9, 299), (0, 0), (-5, 0), (10**30, 10 * 365 * 86400), (None, None), ("soon", None)],
)
def test_the_end_of_a_token_is_read_in_every_spelling(expires_in: object, life: int | None) -> None:
    flow = client_credentials(metadata(StubIssuer()), Client("guest-app"), ROOM)
    next(flow)
    answer = {"access_token": "a", "token_type": "bearer", "expires_in": expires_in}
    flow.send(Reply(200, (), json.dumps(answer).encode()))
    with pytest.raises(StopIteration) as ended:
        flow.send(1000.0)
    assert ended.value.value.expires_at == (None if life is None else 1000 + life)


def test_a_narrower_scope_than_asked_is_what_the_token_says() -> None:
    stub = StubIssuer()
    answer = {"access_token": "a", "token_type": "Bearer", "scope": "room:enter"}
    stub.at["/token"] = lambda _: httpx2.Response(200, json=answer)
    assert fetch(stub, access=Access("room:enter vip:enter")).scope == "room:enter"


def test_refreshing_sends_the_refresh_token_and_the_resource_again() -> None:
    stub = StubIssuer()
    stub.refresh_tokens.add("r")
    old = Token("old", ISSUER, "guest-app", "room:enter", "https://hotel.example", refresh_token="r")
    with stub.client() as http:
        new = run(refresh(metadata(stub), Client("guest-app"), old), http)
    assert new.refresh_token == "refresh-1"
    assert stub.asked("/token")[0] == {
        "grant_type": "refresh_token",
        "refresh_token": "r",
        "client_id": "guest-app",
        "resource": "https://hotel.example",
    }


def test_a_refresh_token_that_is_not_rotated_is_kept() -> None:
    stub = StubIssuer()
    stub.at["/token"] = lambda _: httpx2.Response(200, json={"access_token": "a", "token_type": "Bearer"})
    old = Token("old", ISSUER, "guest-app", refresh_token="r")
    with stub.client() as http:
        assert run(refresh(metadata(stub), Client("guest-app"), old), http).refresh_token == "r"


def test_revoking_takes_back_the_refresh_token_first() -> None:
    stub = StubIssuer()
    with stub.client() as http:
        run(revoke(metadata(stub), MACHINE, Token("a", ISSUER, "concierge", refresh_token="r")), http)
    assert stub.asked("/revoke") == [{"token": "r", "token_type_hint": "refresh_token"}]


def test_an_endpoint_the_issuer_does_not_have_is_named() -> None:
    stub = StubIssuer()
    del stub.document["revocation_endpoint"]
    with stub.client() as http, pytest.raises(Refused, match="names no revocation_endpoint"):
        run(revoke(metadata(stub), MACHINE, Token("a", ISSUER, "concierge")), http)


def test_an_issuers_words_cannot_paint_the_terminal_or_run_on() -> None:
    stub = StubIssuer()
    nasty = "\x1b[31mred\x1b]0;title\x07\r\n\u202eevil\u2028line\x00" + "x" * 5000
    stub.at["/token"] = lambda _: refusal("invalid_request", description=nasty)
    with pytest.raises(Refused) as caught:
        fetch(stub)
    shown = str(caught.value)
    assert not set(shown) & set("\x1b\x07\x00\r\n\u202e\u2028")
    assert len(shown) < 700


def test_words_that_are_no_text_are_quoted_all_the_same() -> None:
    assert quoted({"error": ["x"]}) == "{'error': ['x']}"
    assert quoted("a\tb\n c") == "a b c"


def test_nothing_printed_shows_a_secret_or_a_token() -> None:
    stub = StubIssuer()
    token = fetch(stub)
    key = SigningKey(ec.generate_private_key(ec.SECP256R1()), "ES256")
    shown = f"{token!r} {MACHINE!r} {key!r} {next(client_credentials(metadata(stub), MACHINE, ROOM))!r}"
    assert "token-1" not in shown
    assert "s:e c/ret" not in shown
