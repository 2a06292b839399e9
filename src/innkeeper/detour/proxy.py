"""A proxy on loopback that ends the TLS of some hosts' connections and hands what is inside to the inn (RFC 9110 §9.3.6)."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from innkeeper.detour.hosts import Taken

Context = Callable[[str], ssl.SSLContext]

_CHUNK = 64 * 1024
_HEAD_LIMIT = 16 * 1024
_PATIENCE = 10.0
"""Seconds that a caller has for its first line, and that a connection onward may take."""

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"

log = logging.getLogger("innkeeper.detour")


class Inn(NamedTuple):
    """Where the twins answer over plain http."""

    host: str
    port: int


class Onward(NamedTuple):
    """What becomes of connections to other hosts. ``allowed`` off: they are refused, and nothing leaves this computer.
    ``by`` is the proxy that was in use before, as ``http://host:port``; "" where there was none."""

    allowed: bool = True
    by: str = ""


@asynccontextmanager
async def serving(
    answer: Callable[[StreamReader, StreamWriter], Awaitable[None]],
    door: socket.socket,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[None]:
    """Answers connections at ``door`` inside the block; those that are open when it ends are ended with it."""
    open_now: set[asyncio.Task[Any] | None] = set()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        open_now.add(task)
        try:
            await answer(reader, writer)
        except (OSError, ssl.SSLError, EOFError, asyncio.LimitOverrunError, TimeoutError) as error:
            log.info("a connection ended: %s", error)
        finally:
            open_now.discard(task)
            with suppress(OSError, ssl.SSLError):
                writer.close()

    server = await asyncio.start_server(serve, sock=door, limit=_HEAD_LIMIT, ssl=tls)
    try:
        yield
    finally:
        server.close()
        running = [task for task in open_now if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


class Proxy:
    """Takes CONNECT requests. ``refused`` are the hosts that were asked for and not allowed, in the order asked."""

    def __init__(self, taken: Taken, inn: Inn, context: Context, onward: Onward) -> None:
        self._taken = taken
        self._inn = inn
        self._context = context
        self._onward = onward
        self.refused: list[str] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        """The port it listens on, inside the block."""
        door = socket.create_server(("127.0.0.1", 0))
        async with serving(self._answer, door):
            yield door.getsockname()[1]

    async def _answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        async with asyncio.timeout(_PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
        host, port = _connect_to(head)
        if not host:
            writer.write(_refusal(405, "This proxy takes CONNECT, for https, and nothing else."))
            await writer.drain()
        elif host in self._taken:
            await self._to_the_inn(host, reader, writer)
        elif self._onward.allowed:
            await self._onwards(host, port, reader, writer)
        else:
            self.refused.append(host)
            writer.write(_refusal(403, f"{host} is no host of a twin, and this run refuses all others."))
            await writer.drain()

    async def _to_the_inn(self, host: str, reader: StreamReader, writer: StreamWriter) -> None:
        inn_reader, inn_writer = await asyncio.open_connection(*self._inn)
        writer.write(ESTABLISHED)
        await writer.drain()
        try:
            await writer.start_tls(self._context(host))
            await carry_both_ways(reader, writer, inn_reader, inn_writer)
        finally:
            inn_writer.close()

    async def _onwards(self, host: str, port: int, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                far_reader, far_writer = await self._reach(host, port)
        except (OSError, TimeoutError, EOFError) as error:
            writer.write(_refusal(502, f"{host} cannot be reached: {error or 'it took too long'}"))
            await writer.drain()
            return
        try:
            writer.write(ESTABLISHED)
            await carry_both_ways(reader, writer, far_reader, far_writer)
        finally:
            far_writer.close()

    async def _reach(self, host: str, port: int) -> tuple[StreamReader, StreamWriter]:
        if not self._onward.by:
            return await asyncio.open_connection(host, port)
        before = urlsplit(self._onward.by)
        far_reader, far_writer = await asyncio.open_connection(before.hostname, before.port or 80)
        far_writer.write(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        answer = await far_reader.readuntil(b"\r\n\r\n")
        if b" 200" not in answer.partition(b"\r\n")[0]:
            far_writer.close()
            raise ConnectionRefusedError("the proxy that was in use before refused it")
        return far_reader, far_writer


def _connect_to(head: bytes) -> tuple[str, int]:
    """The host and the port of a CONNECT request; an empty host for anything else."""
    method, _, rest = head.decode("latin-1").partition(" ")
    host, _, port = rest.partition(" ")[0].rpartition(":")
    if method != "CONNECT" or not host or not (port.isascii() and port.isdigit()):
        return "", 0
    return host.strip("[]").lower(), int(port)


async def carry_both_ways(
    reader: StreamReader, writer: StreamWriter, far_reader: StreamReader, far_writer: StreamWriter
) -> None:
    """Carry bytes until one side has ended and what it said has arrived."""
    ways = [asyncio.create_task(_carry(reader, far_writer)), asyncio.create_task(_carry(far_reader, writer))]
    try:
        await ways[1]
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _carry(reader: StreamReader, writer: StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def _refusal(status: int, text: str) -> bytes:
    reasons = {403: "Forbidden", 405: "Method Not Allowed", 502: "Bad Gateway"}
    body = f"{text}\n".encode()
    head = f"HTTP/1.1 {status} {reasons[status]}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body
