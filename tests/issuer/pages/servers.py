"""Two hosts on loopback: one that serves our pages and sends a form's answer on, one that is the client."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from innkeeper.issuer.pages.headers import PAGE_HEADERS, content_security_policy
from innkeeper.protocol.exchange import Reply, redirect
from tests.issuer.pages.browser import reply_to


class Host(ThreadingHTTPServer):
    """``page`` answers every GET but that of a file; a POST is answered with a redirect to ``leads_to`` and kept in ``sent``."""

    daemon_threads = True
    page: Reply = Reply(200)
    leads_to: str = ""

    def __init__(self, address: str) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.sent: list[str] = []
        self.visits: list[str] = []
        super().__init__((address, 0), _Handler)
        self.origin = f"http://{f'[{address}]' if ':' in address else address}:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Host

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.server.visits.append(url.path)
        hop = parse_qs(url.query).get("hop")
        if hop:
            self._send(redirect(hop[0]))
        elif url.path.startswith("/static/"):
            self._send(reply_to(url.path, url.query))
        else:
            self._send(self.server.page)

    def do_POST(self) -> None:
        self.server.visits.append(self.path)
        self.server.sent.append(self.rfile.read(int(self.headers["content-length"])).decode())
        self._send(redirect(self.server.leads_to) if self.server.leads_to else Reply(200))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the name is the standard library's
        """Say nothing."""

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)


@contextmanager
def host(address: str = "127.0.0.1") -> Iterator[Host]:
    """A host on a free port for as long as the context lasts. Raises ``OSError`` where the address is not there."""
    made = Host(address)
    thread = Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()
        thread.join()


def button_page(targets: tuple[str, ...]) -> Reply:
    """A page with one button, under the policy that these form targets get."""
    policy = content_security_policy(targets)
    body = b"<title>page</title><form method=post action=/send><button>Go</button></form>"
    return Reply(200, (*PAGE_HEADERS, ("content-security-policy", policy)), body)
