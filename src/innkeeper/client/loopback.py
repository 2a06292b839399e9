"""One address on this very computer that waits for one answer from the browser."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from queue import Empty, Queue
from socketserver import ThreadingTCPServer
from threading import Event, Thread
from typing import TypeVar
from urllib.parse import urlsplit

from innkeeper.client import window
from innkeeper.client.refused import Refused
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.refusals import Unreachable, UsageError

Result = TypeVar("Result")

REDIRECT_URI = "http://127.0.0.1/callback"
_ADDRESSES = {"127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1", "::1": "::1"}
_POLL = 0.2  # seconds between looks at the clock while waiting, so that Ctrl-C is felt


class Loopback:
    """Listens while in its ``with`` block. ``redirect_uri`` is the address, its port filled in.

    ``redirect`` is a loopback http address; without a port a free one is taken. Raises ``UsageError`` for
    another kind of address or a port that is taken.
    """

    def __init__(self, redirect: str = REDIRECT_URI) -> None:
        parts = urlsplit(redirect)
        address = _ADDRESSES.get(parts.hostname or "")
        if parts.scheme != "http" or address is None or parts.query or parts.fragment:
            raise UsageError(f"redirect URI {redirect!r}: must be http on 127.0.0.1, [::1] or localhost, path only")
        self._returns: Queue[_Return] = Queue()
        self._server = _listen(address, parts.port or 0, self._returns, parts.path or "/")
        host = f"[{parts.hostname}]" if parts.hostname == "::1" else parts.hostname
        self.redirect_uri = f"http://{host}:{self._server.server_address[1]}{parts.path}"

    def __enter__(self) -> Loopback:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        while not self._returns.empty():
            self._returns.get_nowait().answer(window.not_here())

    def wait(self, finish: Callable[[str], Result], issuer: str, timeout: float) -> Result:
        """What ``finish`` makes of the answer's query; the browser is told how it ended before this returns.

        Raises what ``finish`` raises, and ``Unreachable`` when nobody came within ``timeout`` seconds.
        """
        came = self._next(timeout)
        page = window.interrupted()
        try:
            result = finish(came.query)
            page = window.signed_in(issuer)
        except Refused as refused:
            page = window.refused(refused.refusal.reason, refused.refusal.remedy)
            raise
        except Unreachable as failure:
            page = window.refused(str(failure), "Go back to your terminal and try again.")
            raise
        finally:
            came.answer(page)
        return result

    def _next(self, timeout: float) -> _Return:
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            try:
                return self._returns.get(timeout=min(_POLL, left))
            except Empty:
                continue
        raise Unreachable(f"nobody finished signing in within {timeout:.0f} s; try again, or allow more with --timeout")


class _Return:
    """One visit of the browser: its query, and a way to hand it the page it waits for."""

    def __init__(self, query: str) -> None:
        self.query = query
        self._page = window.not_here()
        self._ready, self._sent = Event(), Event()

    def answer(self, page: Reply) -> None:
        self._page = page
        self._ready.set()
        self._sent.wait(2)

    def page(self) -> Reply:
        self._ready.wait(60)
        return self._page

    def sent(self) -> None:
        self._sent.set()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = os.name == "posix"  # elsewhere it would let another program share the port

    def __init__(self, address: str, port: int, returns: Queue[_Return], path: str) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.returns, self.path = returns, path
        super().__init__((address, port), _Handler)

    def handle_error(self, *_: object) -> None:
        """A browser that hangs up is no news."""


def _listen(address: str, port: int, returns: Queue[_Return], path: str) -> _Server:
    try:
        return _Server(address, port, returns, path)
    except OSError as error:
        raise UsageError(f"port {port} on {address} cannot be used ({error.strerror}); choose another port") from None


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection: the awaited path once, anything else with a short page."""

    server: _Server
    timeout = 10  # seconds; browsers open connections ahead of need and leave them idle
    server_version, sys_version = "innkeeper", ""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path != self.server.path or not query or not self._addressed_to_us():
            self._send(window.not_here())
            return
        came = _Return(query)
        self.server.returns.put(came)
        try:
            self._send(came.page())
        finally:
            came.sent()

    def _addressed_to_us(self) -> bool:
        """A foreign name in Host means a page that had its own name pointed at this computer (DNS rebinding)."""
        return urlsplit(f"//{self.headers.get('host', '')}").hostname in _ADDRESSES

    def _send(self, page: Reply) -> None:
        self.send_response(page.status)
        for name, value in page.headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(page.body)))
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(page.body)

    def log_message(self, *_: object) -> None:
        """The query holds a code; it is nobody's business."""
