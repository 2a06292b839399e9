"""A whole answer leaves in one piece, whatever it consists of, and none of it is lost when the connection closes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn

from innkeeper.issuer.http.connection import Connection

Send = Callable[[dict[str, Any]], Awaitable[None]]


async def app(scope: dict[str, Any], receive: Any, send: Send) -> None:
    """Answers in as many pieces as the path says, 40 KB each; ``/0`` without a body."""
    pieces = int(scope["path"][1:])
    length = (b"content-length", str(pieces * 40_000).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    for left in reversed(range(pieces)):
        await send({"type": "http.response.body", "body": b"x" * 40_000, "more_body": left > 0})
    if not pieces:
        await send({"type": "http.response.body", "body": b""})


async def asked(requests: bytes) -> bytes:
    """All that comes back over one connection until the server closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_config=None, lifespan="off", http=Connection, ws="none")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve([listening]))
        try:
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            writer.write(requests)
            answer = await reader.read()
            writer.close()
            return answer
        finally:
            server.should_exit = True
            await serving


def get(path: str, connection: str = "close") -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: inn\r\nconnection: {connection}\r\n\r\n".encode()


@pytest.mark.parametrize("pieces", [0, 1, 3, 60])
def test_every_piece_arrives_before_the_connection_closes(pieces: int) -> None:
    head, _, body = asyncio.run(asked(get(f"/{pieces}"))).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert body == b"x" * (pieces * 40_000)


def test_answers_to_requests_that_came_together_keep_their_order() -> None:
    answer = asyncio.run(asked(get("/1", "keep-alive") + get("/0", "keep-alive") + get("/2")))
    assert [part.partition(b"\r\n\r\n")[2].count(b"x") for part in answer.split(b"HTTP/1.1 200")[1:]] == [
        40_000,
        0,
        80_000,
    ]


def test_head_and_body_are_written_at_once() -> None:
    written, arrived = list[bytes](), asyncio.Event()

    class Transport(asyncio.Transport):
        def write(self, data: Any) -> None:
            written.append(bytes(data))
            arrived.set()

        def is_closing(self) -> bool:
            return False

        def pause_reading(self) -> None:
            return

        def resume_reading(self) -> None:
            return

    async def answer() -> None:
        config = uvicorn.Config(app, log_config=None, http=Connection, ws="none")
        config.load()
        connection = Connection(config, uvicorn.server.ServerState(), {})
        connection.connection_made(Transport())
        connection.data_received(get("/1", "keep-alive"))
        await arrived.wait()
        connection._unset_keepalive_if_required()

    asyncio.run(answer())
    assert len(written) == 1
    assert written[0].endswith(b"x" * 40_000)
