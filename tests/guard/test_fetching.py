"""Documents fetched for real, from a server in a thread of this process."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import msgspec
import pytest

from innkeeper.guard import Guard
from innkeeper.guard.fetching import MOST_BYTES, fetch, fetch_blocking
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.refusals import Unreachable
from tests.guard.world import HOTEL, claims, forge, number, public


class Pages(BaseHTTPRequestHandler):
    """Answers by path: a page, a redirect, an endless body, a compressed one."""

    def do_GET(self) -> None:
        base = f"http://127.0.0.1:{self.server.server_address[1]}"
        if self.path == "/moved":
            self._answer(302, b"", ("location", f"{base}/jwks"))
        elif self.path == "/huge":
            self._answer(200, b" " * (MOST_BYTES + 1))
        elif self.path == "/packed":
            self._answer(200, gzip.compress(b"{}"), ("content-encoding", "gzip"))
        elif self.path == "/.well-known/oauth-authorization-server":
            self._answer(200, msgspec.json.encode({"issuer": base, "jwks_uri": f"{base}/jwks"}))
        elif self.path == "/jwks":
            self._answer(200, msgspec.json.encode({"keys": [public()]}))
        else:
            self._answer(404, b"")

    def _answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("content-length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def both(url: str) -> Reply:
    """What threads get, and coroutines, too."""
    by_thread = fetch_blocking(url)
    assert asyncio.run(fetch(url)) == by_thread
    return by_thread


def neither(url: str) -> str:
    with pytest.raises(Unreachable) as by_thread:
        fetch_blocking(url)
    with pytest.raises(Unreachable) as by_coroutine:
        asyncio.run(fetch(url))
    return f"{by_thread.value}\n{by_coroutine.value}"


def test_a_redirect_is_not_followed(base: str) -> None:
    assert (both(f"{base}/moved").status, both(f"{base}/moved").body) == (302, b"")


def test_a_body_without_end_is_given_up_on(base: str) -> None:
    assert neither(f"{base}/huge").count("more than 512 KiB") == 2


def test_a_compressed_body_is_not_unpacked(base: str) -> None:
    assert both(f"{base}/packed").body != b"{}"


def test_nobody_there_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert neither(f"http://127.0.0.1:{taken.getsockname()[1]}/").count("cannot be reached") == 2


def test_what_is_no_address_is_unreachable() -> None:
    assert neither("http://127.0.0.1:port/").count("cannot be reached") == 2


def test_a_guard_with_nothing_injected_but_the_time_finds_its_keys(base: str) -> None:
    token = forge(claims(iss=base))
    guard = Guard(base, HOTEL, clock=lambda: float(claims()["iat"]))
    assert number(guard.verify_blocking(token)) == "verified"
    assert number(asyncio.run(Guard(base, HOTEL, clock=lambda: float(claims()["iat"])).verify(token))) == "verified"
