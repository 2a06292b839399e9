"""The address on this computer that waits for the browser."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

import httpx2
import pytest

from innkeeper.client import Access, Client, Refused, Token, Unreachable, UsageError, login
from innkeeper.client.loopback import Loopback
from tests.client.issuer import ISSUER, StubIssuer


def visit(uri: str, query: str = "", *, host: str = "", method: str = "GET") -> tuple[int, str, dict[str, str]]:
    parts = urlsplit(uri)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 0, timeout=10)
    headers = {"host": host} if host else {}
    connection.request(method, f"{parts.path}?{query}" if query else parts.path, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, {name.lower(): value for name, value in answer.getheaders()}


def sign_in(stub: StubIssuer, browse: Callable[[str], object], *, redirect: str = "http://127.0.0.1/callback") -> Token:
    with stub.client() as transport:
        return login(
            ISSUER,
            Client("guest-app"),
            Access("room:enter"),
            redirect=redirect,
            timeout=10,
            show=browse,
            http=transport,
        )


def test_a_browser_that_comes_back_gets_a_page_and_the_program_its_token() -> None:
    stub, pages = StubIssuer(), ThreadPoolExecutor()
    page: list[Future[tuple[int, str, dict[str, str]]]] = []

    def browse(url: str) -> None:
        back = stub.authorize(url)
        page.append(pages.submit(visit, stub.codes["code-1"]["redirect_uri"], urlencode(back)))

    token = sign_in(stub, browse)
    status, text, headers = page[0].result(timeout=10)
    assert token.access_token == "token-1"
    assert (status, "You may close this window" in text) == (200, True)
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "Python" not in headers["server"]


def test_the_page_of_a_refusal_says_why_and_cannot_be_scripted_by_the_issuer() -> None:
    stub, pages = StubIssuer(), ThreadPoolExecutor()
    page: list[Future[tuple[int, str, dict[str, str]]]] = []

    def browse(url: str) -> None:
        back = stub.authorize(url) | {"error": "access_denied", "error_description": "<script>alert(1)</script>"}
        page.append(pages.submit(visit, stub.codes["code-1"]["redirect_uri"], urlencode(back)))

    with pytest.raises(Refused) as caught:
        sign_in(stub, browse)
    status, text, _ = page[0].result(timeout=10)
    assert caught.value.error == "access_denied"
    assert status == 400
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_the_page_style_is_the_one_the_policy_names() -> None:
    from base64 import b64encode
    from hashlib import sha256

    from innkeeper.client.window import signed_in

    page = signed_in(ISSUER)
    style = page.body.decode().split("<style>")[1].split("</style>")[0]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in (page.header("content-security-policy") or "")


@pytest.mark.parametrize(
    ("path", "query", "host", "method"),
    [
        ("/favicon.ico", "", "", "GET"),
        ("/callback", "", "", "GET"),
        ("/callback/", "code=x", "", "GET"),
        ("/callback", "code=x", "rebound.evil.example", "GET"),
        ("/callback", "code=x", "", "POST"),
    ],
)
def test_other_visits_are_answered_and_do_not_end_the_wait(path: str, query: str, host: str, method: str) -> None:
    with Loopback() as door:
        elsewhere = door.redirect_uri.replace("/callback", path)
        status, _, _ = visit(elsewhere, query, host=host, method=method)
        assert status in {404, 501}
        with ThreadPoolExecutor() as pool:
            page = pool.submit(visit, door.redirect_uri, "code=right")
            assert door.wait(lambda query: query, ISSUER, 10) == "code=right"
            assert page.result(timeout=10)[0] == 200


def test_a_browser_that_opens_a_connection_and_stays_silent_does_not_block_the_next() -> None:
    with Loopback() as door:
        silent = socket.create_connection(("127.0.0.1", urlsplit(door.redirect_uri).port or 0))
        with silent, ThreadPoolExecutor() as pool:
            page = pool.submit(visit, door.redirect_uri, "code=right")
            assert door.wait(lambda query: query, ISSUER, 10) == "code=right"
            assert page.result(timeout=10)[0] == 200


def test_a_second_answer_is_told_that_nothing_is_here() -> None:
    with ThreadPoolExecutor() as pool:
        with Loopback() as door:
            first = pool.submit(visit, door.redirect_uri, "code=1")
            came: list[Future[tuple[int, str, dict[str, str]]]] = []

            def finish(query: str) -> str:
                came.append(pool.submit(visit, door.redirect_uri, "code=2"))
                while door._returns.empty():
                    pass
                return query

            assert door.wait(finish, ISSUER, 10) == "code=1"
        assert first.result(timeout=10)[0] == 200
        assert came[0].result(timeout=10)[0] == 404


def test_a_program_that_is_interrupted_leaves_no_browser_waiting() -> None:
    def interrupted(_: str) -> str:
        raise KeyboardInterrupt

    with ThreadPoolExecutor() as pool, Loopback() as door:
        page = pool.submit(visit, door.redirect_uri, "code=1")
        with pytest.raises(KeyboardInterrupt):
            door.wait(interrupted, ISSUER, 10)
        assert "has stopped" in page.result(timeout=10)[1]


def test_nobody_coming_is_unreachable_and_says_how_to_wait_longer() -> None:
    with Loopback() as door, pytest.raises(Unreachable, match="--timeout"):
        door.wait(lambda query: query, ISSUER, 0.01)


def test_the_door_is_shut_afterwards() -> None:
    with Loopback() as door:
        port = urlsplit(door.redirect_uri).port or 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=2)


def test_it_listens_on_loopback_alone() -> None:
    with Loopback("http://localhost/") as door:
        assert door._server.server_address[0] == "127.0.0.1"
        assert door.redirect_uri.startswith("http://localhost:")


def test_a_chosen_port_is_used_and_a_taken_one_is_named() -> None:
    with Loopback() as door:
        port = urlsplit(door.redirect_uri).port
        with pytest.raises(UsageError, match=str(port)):
            Loopback(f"http://127.0.0.1:{port}/callback")


@pytest.mark.parametrize(
    "redirect",
    [
        "https://127.0.0.1/callback",
        "http://0.0.0.0/callback",
        "http://host.example/",
        "http://127.0.0.1/?a=b",
        "app:/x",
    ],
)
def test_another_kind_of_address_is_a_usage_error(redirect: str) -> None:
    with pytest.raises(UsageError, match="must be http on"):
        Loopback(redirect)


def test_an_issuer_that_fails_at_the_last_step_is_told_in_the_browser_too() -> None:
    stub, pages = StubIssuer(), ThreadPoolExecutor()
    stub.at["/token"] = lambda _: httpx2.Response(503)
    page: list[Future[tuple[int, str, dict[str, str]]]] = []

    def browse(url: str) -> None:
        back = stub.authorize(url)
        page.append(pages.submit(visit, stub.codes["code-1"]["redirect_uri"], urlencode(back)))

    with pytest.raises(Unreachable):
        sign_in(stub, browse)
    assert "cannot answer now (503)" in page[0].result(timeout=10)[1]
