"""Finding an issuer, and believing only the right one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from types import SimpleNamespace

import httpx2
import pytest

from innkeeper.client import Refused, Unreachable, UsageError, discover, run
from innkeeper.client.discovery import judge
from tests.client.issuer import ISSUER, StubIssuer


def test_the_forms_are_tried_in_the_order_that_mcp_prescribes() -> None:
    issuer = "https://issuer.example/t"
    stub = StubIssuer(issuer)
    for path in ("oauth-authorization-server/t", "openid-configuration/t"):
        stub.at[f"/.well-known/{path}"] = lambda _: httpx2.Response(404)
    stub.at["/t/.well-known/openid-configuration"] = lambda _: httpx2.Response(200, json=stub.document)
    with stub.client() as http:
        assert run(discover(issuer), http).issuer == issuer
    assert [request.url.path for request in stub.requests] == [
        "/.well-known/oauth-authorization-server/t",
        "/.well-known/openid-configuration/t",
        "/t/.well-known/openid-configuration",
    ]


def test_the_first_document_found_is_the_issuers() -> None:
    stub = StubIssuer()
    with stub.client() as http:
        metadata = run(discover(ISSUER), http)
    assert metadata.token_endpoint == f"{ISSUER}/token"
    assert [str(request.url) for request in stub.requests] == [f"{ISSUER}/.well-known/oauth-authorization-server"]


@pytest.mark.parametrize(
    "elsewhere",
    [
        httpx2.Response(404),
        httpx2.Response(502),
        httpx2.Response(400, json={"message": "no such route"}),
        httpx2.Response(200, html="<title>an application that serves every path</title>"),
        httpx2.Response(302, headers={"location": "https://elsewhere.example/"}),
    ],
)
def test_an_address_without_a_document_leads_on_to_the_next_form(elsewhere: httpx2.Response) -> None:
    stub = StubIssuer()
    stub.at["/.well-known/oauth-authorization-server"] = lambda _: elsewhere
    with stub.client() as http:
        assert run(discover(ISSUER), http).issuer == ISSUER
    assert [request.url.host for request in stub.requests] == ["issuer.example", "issuer.example"]


@pytest.mark.parametrize("named", [f"{ISSUER}/", "https://evil.example", "https://ISSUER.example"])
def test_a_document_of_another_issuer_is_refused_at_once_and_both_spellings_are_shown(named: str) -> None:
    stub = StubIssuer()
    stub.document["issuer"] = named
    with stub.client() as http, pytest.raises(Refused) as caught:
        run(discover(ISSUER), http)
    assert caught.value.number == "IK604"
    assert (caught.value.refusal.expected, caught.value.refusal.found) == (ISSUER, named)
    assert len(stub.requests) == 1


def test_no_document_anywhere_tells_what_each_address_answered() -> None:
    stub = StubIssuer()
    stub.at["/.well-known/oauth-authorization-server"] = lambda _: httpx2.Response(404)
    stub.at["/.well-known/openid-configuration"] = lambda _: httpx2.Response(200, html="<p>hello</p>")
    with stub.client() as http, pytest.raises(Refused) as caught:
        run(discover(ISSUER), http)
    assert caught.value.number == "IK602"
    assert "oauth-authorization-server answered 404" in caught.value.refusal.reason
    assert "openid-configuration answered 200 with text/html" in caught.value.refusal.reason


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_issuer_that_fails_is_unreachable_rather_than_refused(status: int) -> None:
    stub = StubIssuer()
    stub.at["/.well-known/oauth-authorization-server"] = lambda _: httpx2.Response(404)
    stub.at["/.well-known/openid-configuration"] = lambda _: httpx2.Response(status)
    with stub.client() as http, pytest.raises(Unreachable, match=str(status)):
        run(discover(ISSUER), http)


@pytest.mark.parametrize(
    ("member", "value"),
    [("issuer", None), ("token_endpoint", ["https://issuer.example/token"]), ("scopes_supported", "openid email")],
)
def test_a_member_of_the_wrong_kind_is_named(member: str, value: object) -> None:
    stub = StubIssuer()
    stub.document[member] = value
    with stub.client() as http, pytest.raises(Refused) as caught:
        run(discover(ISSUER), http)
    assert caught.value.number == "IK603"
    assert member in caught.value.refusal.reason


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://issuer.example/token",
        "http://127.0.0.1:9/token",
        "https://127.0.0.1/token",
        "https://user@issuer.example/token",
        "javascript:alert(1)",
        "/token",
        "https://[broken/token",
    ],
)
def test_an_endpoint_where_secrets_would_leak_is_refused(endpoint: str) -> None:
    stub = StubIssuer()
    stub.document["token_endpoint"] = endpoint
    with stub.client() as http, pytest.raises(Refused) as caught:
        run(discover(ISSUER), http)
    assert caught.value.number == "IK605"
    assert "token_endpoint" in caught.value.refusal.reason


def test_an_issuer_on_this_computer_may_have_its_endpoints_here_and_use_http() -> None:
    stub = StubIssuer("http://127.0.0.1:8400")
    with stub.client() as http:
        assert run(discover("http://127.0.0.1:8400"), http).token_endpoint == "http://127.0.0.1:8400/token"


def test_the_checks_on_a_document_can_be_shown_as_a_trail() -> None:
    stub = StubIssuer()
    with stub.client() as http:
        trail = judge(ISSUER, run(discover(ISSUER), http))
    assert [step.check.spec for step in trail.steps] == ["RFC 8414 §3.3", "RFC 6749 §3.1, §3.2"]


@pytest.mark.parametrize(
    ("issuer", "rule"),
    [
        ("http://issuer.example", "loopback addresses only"),
        ("http://127.0.0.1.evil.example", "loopback addresses only"),
        ("issuer.example", "no https URL"),
        ("", "no https URL"),
        ("ftp://issuer.example", "no https URL"),
        ("https://issuer.example?x=1", "query"),
        ("https://issuer.example#x", "fragment"),
        ("https://issuer.example@evil.example", "user part"),
        ("https://issuer.example\\@evil.example", "character"),
        ("https://issuer.example:99999", "not a URL"),
        ("https://[::1", "not a URL"),
        ("https://issuer.example/.well-known/openid-configuration", "address of a document"),
    ],
)
def test_what_is_no_issuer_is_a_usage_error_before_anything_is_sent(issuer: str, rule: str) -> None:
    stub = StubIssuer()
    with stub.client() as http, pytest.raises(UsageError, match=f"issuer .*{rule}"):
        run(discover(issuer), http)
    assert stub.requests == []


def test_a_document_too_large_to_be_honest_is_not_read_to_its_end() -> None:
    taken = 0

    def endless(_: httpx2.Request) -> httpx2.Response:
        def pour() -> Iterator[bytes]:
            nonlocal taken
            while True:
                taken += 65536
                yield b" " * 65536

        return httpx2.Response(200, content=pour())

    stub = StubIssuer()
    stub.at["/.well-known/oauth-authorization-server"] = endless
    with stub.client() as http, pytest.raises(Refused) as caught:
        run(discover(ISSUER), http)
    assert caught.value.number == "IK601"
    assert taken <= 10 * 65536


def test_a_document_that_only_drips_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(step=5.0)
    monkeypatch.setattr("innkeeper.client.wire.time", SimpleNamespace(monotonic=lambda: next(clock)))
    stub = StubIssuer()
    drops = iter([b" "] * 1000)
    stub.at["/.well-known/oauth-authorization-server"] = lambda _: httpx2.Response(200, content=drops)
    with stub.client() as http, pytest.raises(Unreachable, match="took more than 30 s"):
        run(discover(ISSUER), http)
    assert len(list(drops)) > 900


def test_a_compressed_answer_is_refused_instead_of_unpacked() -> None:
    stub = StubIssuer()
    stub.at["/.well-known/oauth-authorization-server"] = lambda _: httpx2.Response(
        200, headers={"content-encoding": "gzip"}, stream=httpx2.ByteStream(b"\x1f\x8b")
    )
    with stub.client() as http, pytest.raises(Refused) as caught:
        run(discover(ISSUER), http)
    assert caught.value.number == "IK601"
    assert stub.requests[0].headers["accept-encoding"] == "identity"


def test_a_connection_that_fails_says_where_and_what_to_check() -> None:
    def down(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("Connection refused", request=request)

    with httpx2.Client(transport=httpx2.MockTransport(down)) as http, pytest.raises(Unreachable) as caught:
        run(discover(ISSUER), http)
    assert "https://issuer.example/.well-known/oauth-authorization-server" in str(caught.value)
    assert "is issuer.example up" in str(caught.value)


def test_a_failing_certificate_points_at_the_local_authority() -> None:
    def untrusted(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed", request=request)

    with httpx2.Client(transport=httpx2.MockTransport(untrusted)) as http, pytest.raises(Unreachable) as caught:
        run(discover(ISSUER), http)
    assert "SSL_CERT_FILE" in str(caught.value)
