"""HTTP/1.1 connections (RFC 9112): uvicorn's, with a short way for requests that an issuer's site answers by itself.

uvicorn and llhttp read and judge the bytes either way. What the application's ``direct`` site knows by method and path goes to it as a
``Request`` and comes back as a ``Reply``, written in one piece; everything else (another site, an upgrade, a path that has
to be decoded, HEAD, a request that waits for "100 Continue") takes uvicorn's way through ASGI, and so does a request that
came before the one ahead of it was answered.
"""

from __future__ import annotations

import asyncio
import logging
import re
from base64 import b64encode
from collections.abc import Coroutine, Sequence
from contextvars import copy_context
from functools import lru_cache
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from innkeeper.issuer.dialects.layout import Endpoint
from innkeeper.issuer.http.site import BODY_LIMIT, CERTIFICATE, CLOSE, Site, too_large
from innkeeper.protocol.exchange import Reply, Request

log = logging.getLogger("innkeeper.http")


class Connection(HttpToolsProtocol):
    """One connection. ``short`` is the request on the short way whose bytes are being read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._out = _Together(transport, self.loop)
        self._short: _Short | None = None
        self._closing = False
        self._certificate = _shown(transport)
        super().connection_made(cast("asyncio.Transport", self._out))

    def shutdown(self) -> None:
        """The server stops. A connection that has just been made brings a request: it is answered before it is closed."""
        if cast("Any", self.cycle) is not None:
            super().shutdown()
        elif not self._closing:
            self._closing = True
            self.timeout_keep_alive_task = self.loop.call_later(_LAST_CALL, self.timeout_keep_alive_handler)

    def on_message_begin(self) -> None:
        self._short = None
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        self._short = short = self._shortened()
        if short is None:
            self._as_uvicorn_begins()
            if self._certificate:
                cast("dict[str, Any]", self.scope)[CERTIFICATE] = self._certificate
            super().on_headers_complete()
            self.cycle.keep_alive = self.cycle.keep_alive and not self._closing
        else:
            self.cycle = cast("Any", short)

    def on_body(self, body: bytes) -> None:
        short = self._short
        if short is None:
            super().on_body(body)
        elif not short.response_complete and not short.take(body):
            short.keep_alive = False
            self._answer(short, short.too_large())

    def on_message_complete(self) -> None:
        short = self._short
        if short is None:
            super().on_message_complete()
        elif short.response_complete:
            return
        elif short.at_once and not self.flow.write_paused:
            self._run_now(short)
        else:
            task = self.loop.create_task(self._run(short))
            task.add_done_callback(self.tasks.discard)
            self.tasks.add(task)

    def _shortened(self) -> _Short | None:
        """The request, where the short way is open to it."""
        site: Site | None = getattr(self.config.app, "direct", None)
        ahead: Any = self.cycle
        if site is None or self.expect_100_continue or (ahead is not None and not ahead.response_complete):
            return None
        parser = self.parser
        if parser.should_upgrade() or parser.get_http_version() != "1.1":
            return None
        try:
            path, _, query = self.url.decode("ascii").partition("?")
        except UnicodeDecodeError:
            return None
        method = parser.get_method().decode("ascii")
        endpoint = site.known(method, path) if "#" not in query else None
        if endpoint is None:
            return None
        peer = self.client[0] if self.client else ""
        head = (method, path, query, self.headers, peer, self._certificate)
        return _Short(site, endpoint, head, parser.should_keep_alive() and not self._closing)

    def _as_uvicorn_begins(self) -> None:
        """What uvicorn makes when a request begins, made now that it is known to need it."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)

    async def _run(self, short: _Short) -> None:
        try:
            reply = await short.reply()
            if self.flow.write_paused and not short.disconnected:
                await self.flow.drain()
            self._answer(short, reply)
        except BaseException:
            self.transport.close()
            raise

    def _run_now(self, short: _Short) -> None:
        """The same without a task, for an answer that is there: making one costs as much as the answer."""
        try:
            self._answer(short, copy_context().run(_finished, short.reply()))
        except Exception:  # which the parser would take for a fault in the request
            log.exception("an answer could not be given at once")
            self.transport.close()

    def _answer(self, short: _Short, reply: Reply) -> None:
        if short.disconnected or short.response_complete:
            return
        short.response_complete = True
        as_bytes = _COPIES.written if short.at_once else written
        self._out.write_now(as_bytes(reply, self.server_state.default_headers, keep_alive=short.keep_alive))
        if not short.keep_alive:
            self.transport.close()
        self.on_response_complete()


def _shown(transport: asyncio.BaseTransport) -> str:
    """The certificate that the caller proved to hold when it connected, as RFC 9440 writes one; "" for none.

    TLS has verified it by then, against the authorities in the settings: otherwise there is no connection.
    """
    tls = transport.get_extra_info("ssl_object")
    der = tls.getpeercert(binary_form=True) if tls is not None else None
    return f":{b64encode(der).decode('ascii')}:" if der else ""


def _finished(work: Coroutine[Any, Any, Reply]) -> Reply:
    """What comes of work that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        reply: Reply = end.value
        return reply
    work.close()
    raise RuntimeError("an endpoint that answers at once waited for something")


_LAST_CALL = 1.0
"""Seconds that a connection without a request stays open when the server stops."""


class _Short:
    """A request on the short way. To uvicorn, which asks for these names, it is what its own are."""

    __slots__ = (
        "_body",
        "_endpoint",
        "_head",
        "_site",
        "disconnected",
        "keep_alive",
        "message_event",
        "response_complete",
    )

    def __init__(
        self,
        site: Site,
        endpoint: Endpoint,
        head: tuple[str, str, str, list[tuple[bytes, bytes]], str, str],
        keep_alive: bool,
    ) -> None:
        self._site = site
        self._endpoint = endpoint
        self._head = head
        self._body = b""
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False
        self.message_event = _NOBODY_WAITS

    @property
    def at_once(self) -> bool:
        return self._endpoint.at_once

    def take(self, body: bytes) -> bool:
        """Take a piece of the body; False where it is longer than is read."""
        self._body += body
        return len(self._body) <= BODY_LIMIT

    def too_large(self) -> Reply:
        return too_large(self._endpoint)

    async def reply(self) -> Reply:
        method, path, query, headers, peer, own = self._head
        request: Request = self._site.request(method, path, query, headers, self._body, peer, own)
        return await self._site.answer(self._endpoint, request)


class _Nobody:
    def set(self) -> None:
        return


_NOBODY_WAITS = _Nobody()


def written(reply: Reply, usual: Sequence[tuple[bytes, bytes]], *, keep_alive: bool) -> bytes:
    """A reply as it goes over the wire. ``usual`` are headers that all have, as the date."""
    pieces = [STATUS_LINE[reply.status]]
    for name, value in usual:
        pieces += (name, b": ", value, b"\r\n")
    pieces += [_line(one) for one in reply.headers]
    if reply.status not in _BODILESS:
        pieces.append(b"content-length: %d\r\n" % len(reply.body))
    pieces.append(b"\r\n" if keep_alive or CLOSE in reply.headers else b"connection: close\r\n\r\n")
    if reply.status not in _BODILESS:
        pieces.append(reply.body)
    return b"".join(pieces)


class _Copies:
    """An answer that many get, as it was written the last time: for as long as it is the very same, and the date with it."""

    def __init__(self) -> None:
        self._last: tuple[Reply | None, Sequence[tuple[bytes, bytes]], bool, bytes] = (None, (), False, b"")

    def written(self, reply: Reply, usual: Sequence[tuple[bytes, bytes]], *, keep_alive: bool) -> bytes:
        last, date, kept, copy = self._last
        if last is not reply or date is not usual or kept is not keep_alive:
            copy = written(reply, usual, keep_alive=keep_alive)
            self._last = reply, usual, keep_alive, copy  # at once: servers of several threads may share it
        return copy


_COPIES = _Copies()

_BODILESS = (204, 304)


@lru_cache(maxsize=256)
def _line(header: tuple[str, str]) -> bytes:
    """One header's line. Raises ``ValueError`` where it would be more than one (RFC 9112 §5)."""
    name, value = header
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise ValueError(f"no header line can be made of {name!r}")
    return f"{name}: {value}\r\n".encode("latin-1")


_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class _Together:
    """A transport that gathers what is written to it in one turn of the loop."""

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self.is_closing, self.pause_reading = transport.is_closing, transport.pause_reading
        self._gathered: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._gathered:
            self._loop.call_soon(self._send)
        self._gathered.append(data)

    def write_now(self, data: bytes) -> None:
        """Write a whole answer, after what was gathered before it."""
        self._send()
        self._transport.write(data)

    def close(self) -> None:
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._gathered:
            data, self._gathered = b"".join(self._gathered), []
            self._transport.write(data)
