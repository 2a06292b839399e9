"""A request that takes the short way is answered as it is by ASGI: the same status, headers and body, byte for byte."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from innkeeper.issuer.http.connection import Connection
from innkeeper.issuer.http.short import written
from innkeeper.issuer.http.site import BODY_LIMIT, Site
from innkeeper.protocol.exchange import Reply
from tests.issuer.house import House

WAIT = 10


class Served:
    """A site behind uvicorn; ``direct`` opens the short way."""

    def __init__(self, site: Any, *, direct: bool) -> None:
        self._site = site
        self.direct = site if direct else None
        self.by_asgi = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.by_asgi += 1
        await self._site(scope, receive, send)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(Path(tmp_path_factory.mktemp("house")))
    yield made
    made.close()


async def told(app: Served, *pieces: bytes) -> bytes:
    """What comes back until the server closes, where the pieces are sent one by one."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", http=Connection, ws="none"))
        serving = asyncio.create_task(server._serve([listening]))
        try:
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            answer = await asyncio.wait_for(reader.read(), WAIT)
            writer.close()
            return re.sub(rb"date: [^\r]*\r\n", b"", answer)
        finally:
            server.should_exit = True
            await serving


def both(house: House, *pieces: bytes) -> tuple[bytes, int]:
    """The answer by either way, which is one and the same, and how many requests took ASGI though they need not have."""
    assert isinstance(house.issuer.site, Site)
    short, long = (Served(house.issuer.site, direct=direct) for direct in (True, False))
    answers = [house.run(told(app, *pieces)) for app in (short, long)]
    assert answers[0] == answers[1]
    return answers[0], short.by_asgi


def request(method: str, target: str, body: bytes = b"", *more: str, close: bool = True, version: str = "1.1") -> bytes:
    lines = [f"{method} {target} HTTP/{version}", "host: 127.0.0.1:8400", *more]
    lines += ["connection: close"] if close else []
    lines += [f"content-length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


FORM = "content-type: application/x-www-form-urlencoded"

SHORT = {
    "keys": request("GET", "/jwks"),
    "metadata": request("GET", "/.well-known/openid-configuration?x=1"),
    "no token": request("GET", "/userinfo"),
    "a bad token": request("GET", "/userinfo", b"", "authorization: Bearer x.y.z"),
    "a client unknown": request("POST", "/token", b"grant_type=client_credentials&client_id=nobody", FORM),
    "no form": request("POST", "/token", b"{}", "content-type: application/json"),
    "no body": request("POST", "/token"),
    "two headers of one name": request("GET", "/userinfo", b"", "authorization: Bearer a", "authorization: Bearer b"),
    "a body as long as is read": request("POST", "/token", b"a" * BODY_LIMIT, FORM),
    "a body that is longer": request("POST", "/token", b"a" * (BODY_LIMIT + 1), FORM),
    "a page": request("GET", "/device"),
    "a style sheet": request("GET", "/static/house.css"),
}
LONG = {
    "another method": request("DELETE", "/token"),
    "preflight": request("OPTIONS", "/token", b"", "origin: https://a.example"),
    "only the head": request("HEAD", "/jwks"),
    "nothing there": request("GET", "/nowhere"),
    "a path to decode": request("GET", "/%6awks"),
    "an address for proxies": request("GET", "http://127.0.0.1:8400/jwks"),
    "a fragment": request("GET", "/jwks?a#b"),
    "an older version": request("GET", "/jwks", version="1.0"),
    "an upgrade": request("GET", "/jwks", b"", "upgrade: h2c", "connection: upgrade, close", close=False),
    "one that waits": request("POST", "/token", b"a=b", FORM, "expect: 100-continue"),
}


@pytest.mark.parametrize("sent", SHORT.values(), ids=SHORT.keys())
def test_what_the_site_knows_takes_the_short_way_and_is_answered_alike(house: House, sent: bytes) -> None:
    answer, by_asgi = both(house, sent)
    assert answer.startswith(b"HTTP/1.1 ")
    assert by_asgi == 0


@pytest.mark.parametrize("sent", LONG.values(), ids=LONG.keys())
def test_everything_else_takes_the_way_of_asgi(house: House, sent: bytes) -> None:
    answer, by_asgi = both(house, sent)
    assert answer.startswith(b"HTTP/1.1 ")
    assert by_asgi == 1


def test_what_is_not_http_is_refused_alike(house: House) -> None:
    assert both(house, b"\x16\x03\x01 hello\r\n\r\n")[0].startswith(b"HTTP/1.1 400")


def test_a_body_may_come_in_pieces_and_in_chunks(house: House) -> None:
    body = b"grant_type=client_credentials&client_id=nobody"
    head = request("POST", "/token", b"", FORM, "transfer-encoding: chunked")
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])]
    assert b"invalid_client" in both(house, head, *chunks, b"0\r\n\r\n")[0]


def test_requests_that_come_together_are_answered_in_their_order(house: House) -> None:
    sent = [request("GET", path, close=False) for path in ("/jwks", "/nowhere", "/userinfo", "/jwks")]
    answer, _ = both(house, b"".join([*sent, request("GET", "/nowhere")]))
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"404", b"401", b"200", b"404"]


def test_half_a_request_is_not_acted_on(house: House) -> None:
    assert isinstance(house.issuer.site, Site)
    before = len(house.trails)

    async def hang_up() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            app = Served(house.issuer.site, direct=True)
            config = uvicorn.Config(app, log_config=None, lifespan="off", http=Connection, ws="none")
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server._serve([listening]))
            _, writer = await asyncio.open_connection(*listening.getsockname())
            writer.write(request("POST", "/token", b"grant_type=client_credentials", FORM)[:-4])
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            server.should_exit = True
            await serving

    house.run(hang_up())
    assert len(house.trails) == before


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    target=some.sampled_from(["/token", "/jwks", "/userinfo", "/token?a=b", "/introspect", "/par"]),
    method=some.sampled_from(["GET", "POST", "PUT"]),
    headers=some.lists(
        some.sampled_from([FORM, "authorization: Basic eDp5", "dpop: x", "accept: */*", "cookie: a=b", "x-a: \xe9"])
    ),
    body=some.binary(max_size=80),
    at=some.integers(0, 300),
)
def test_whatever_is_sent_is_answered_alike(
    house: House, target: str, method: str, headers: list[str], body: bytes, at: int
) -> None:
    sent = request(method, target, body, *headers)
    both(house, sent[:at], sent[at:])


def test_a_header_is_one_line(house: House) -> None:
    for name, value in (("location", "a\r\nset-cookie: b"), ("a b", "c"), ("x", "\0")):
        with pytest.raises(ValueError, match="no header line"):
            written(Reply(200, ((name, value),)), (), keep_alive=True)
