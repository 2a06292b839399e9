"""HTTP/1.1 connections (RFC 9112): uvicorn's, with a short way for requests that an issuer's site answers by itself.

uvicorn and llhttp read and judge the bytes either way. What the application's ``direct`` site knows by method and path goes to it as a
``Request`` and comes back as a ``Reply``, written in one piece; everything else (another site, an upgrade, a path that has
to be decoded, HEAD, a request that waits for "100 Continue") takes uvicorn's way through ASGI, and so does a request that
came before the one ahead of it was answered.
"""

from __future__ import annotations

import asyncio
import logging
import math
from base64 import b64encode
from collections.abc import Coroutine
from contextvars import copy_context
from typing import Any, cast
from weakref import WeakKeyDictionary

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from innkeeper.issuer.http.short import Short
from innkeeper.issuer.http.site import CERTIFICATE, Site
from innkeeper.protocol.exchange import Reply

log = logging.getLogger("innkeeper.http")


class Connection(HttpToolsProtocol):
    """One connection. ``short`` is the request on the short way whose bytes are being read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._leaving = _leaving(self.server_state, self.loop)
        self._out = _Together(transport, self._leaving)
        self._short: Short | None = None
        self._closing = False
        self._site: Site | None = getattr(self.config.app, "direct", None)
        self._certificate = _shown(transport)
        self._timer: asyncio.TimerHandle | None = None
        self._idle_since = math.inf
        super().connection_made(cast("asyncio.Transport", self._out))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._timer is not None:
            self._timer.cancel()

    def on_response_complete(self) -> None:
        """What uvicorn does, but for the timer: one for a connection, which looks how long nothing came, and none for each
        request."""
        if self.pipeline or self._short is None:
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        self._idle_since = self.loop.time()
        if self._timer is None:
            self._timer = self.loop.call_later(self.timeout_keep_alive, self._look)

    def _unset_keepalive_if_required(self) -> None:
        """Something came: nothing is idle until it is answered."""
        self._idle_since = math.inf
        if self.timeout_keep_alive_task is not None:
            super()._unset_keepalive_if_required()

    def _look(self) -> None:
        """Close a connection on which nothing came for as long as one is kept alive."""
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._timer = self.loop.call_later(min(left, self.timeout_keep_alive), self._look)
        else:
            self._timer = None
            self.timeout_keep_alive_handler()

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
            self.cycle = short  # type: ignore[assignment]

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
            self.tasks.add(self.loop.create_task(self._run(short)))

    def _shortened(self) -> Short | None:
        """The request, where the short way is open to it."""
        site = self._site
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
        return Short(site, endpoint, head, parser.should_keep_alive() and not self._closing)

    def _as_uvicorn_begins(self) -> None:
        """What uvicorn makes when a request begins, made now that it is known to need it."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)

    async def _run(self, short: Short) -> None:
        try:
            reply = await short.reply()
            if self.flow.write_paused and not short.disconnected:
                short.booked()  # before others may take long
                await self.flow.drain()
            self._answer(short, reply)
        except BaseException:
            self.transport.close()
            raise
        finally:
            if (task := asyncio.current_task()) is not None:  # a callback would be one more turn of the loop
                self.tasks.discard(task)

    def _run_now(self, short: Short) -> None:
        """The same without a task, for an answer that is there: making one costs as much as the answer."""
        try:
            self._answer(short, copy_context().run(_finished, short.reply()))
        except Exception:  # which the parser would take for a fault in the request
            log.exception("an answer could not be given at once")
            self.transport.close()

    def _answer(self, short: Short, reply: Reply) -> None:
        if short.disconnected or short.response_complete:
            short.booked()  # nobody gets it, but it was decided
            return
        short.answer(reply, self.server_state.default_headers)
        if len(self.tasks) < _A_CROWD and not self._leaving.waiting:
            self._out.write_now(short)
        else:
            self._out.write(short)
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


_A_CROWD = 4
"""Requests under way from which on answers leave together, at the end of the loop's turn. Whoever has theirs asks again at once:
one by one, they interrupt those that are being answered, and the loop turns for each of them. Under load that took a fifth of a
request."""


class _Leaving:
    """What leaves at the end of a turn of a server's loop: ``waiting`` are the transports that have some of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.waiting: list[_Together] = []

    def add(self, one: _Together) -> None:
        if not self.waiting:
            self._loop.call_soon(self._go)
        self.waiting.append(one)

    def _go(self) -> None:
        leaving, self.waiting = self.waiting, []
        for one in leaving:
            try:
                one.send()
            except Exception:  # which is one connection's trouble
                log.exception("an answer could not be sent")


_at_servers: WeakKeyDictionary[ServerState, _Leaving] = WeakKeyDictionary()


def _leaving(server: ServerState, loop: asyncio.AbstractEventLoop) -> _Leaving:
    """What leaves a server, of which each has one loop."""
    found = _at_servers.get(server)
    if found is None:
        found = _at_servers[server] = _Leaving(loop)
    return found


class _Together:
    """A transport that gathers what is written to it in one turn of the loop: bytes, or answers that are bytes once they leave."""

    def __init__(self, transport: Any, leaving: _Leaving) -> None:
        self._transport = transport
        self._leaving = leaving
        self.is_closing, self.pause_reading = transport.is_closing, transport.pause_reading
        self._gathered: list[bytes | Short] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes | Short) -> None:
        if not self._gathered:
            self._leaving.add(self)
        self._gathered.append(data)

    def write_now(self, answer: Short) -> None:
        """Write a whole answer, after what was gathered before it."""
        self.send()
        self._transport.write(answer.leaves())

    def close(self) -> None:
        self.send()
        self._transport.close()

    def send(self) -> None:
        """Hand over what was gathered."""
        if self._gathered:
            gathered, self._gathered = self._gathered, []
            data = b"".join([one if isinstance(one, bytes) else one.leaves() for one in gathered])
            if not self.is_closing():
                self._transport.write(data)
