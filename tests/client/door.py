"""An API on a real socket that takes bearer and DPoP tokens, judges proofs by the rules of the specification, and can
demand nonces or call tokens bad."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from innkeeper.guard.unverified import read_unverified
from innkeeper.keys.proofs import read_proof
from innkeeper.tokens.dpop import NONCE_NEEDED, Case, judge


class Door:
    """What it was shown, and how it is set. ``nonce`` "" demands none; ``bad`` are tokens it refuses, by order of coming."""

    def __init__(self) -> None:
        self.url = ""
        self.nonce = ""
        self.refuse_first = 0
        self.shown: list[tuple[str, str]] = []
        self.jtis: set[str] = set()
        self.bodies: list[bytes] = []

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, dict[str, str]]:
        scheme, _, token = headers.get("authorization", "nothing ").partition(" ")
        self.shown.append((scheme, token))
        self.bodies.append(body)
        if scheme == "DPoP":
            refused = self._proof(method, path, headers, token)
            if refused:
                return refused
        if len({one for _, one in self.shown}) <= self.refuse_first:
            return 401, {"www-authenticate": f'{scheme} error="invalid_token"'}
        return 200, {"dpop-nonce": self.nonce} if self.nonce else {}

    def _proof(self, method: str, path: str, headers: Any, token: str) -> tuple[int, dict[str, str]] | None:
        proof = read_proof(headers.get("dpop"))
        jti = str(proof.claims.get("jti"))
        case = Case(
            proof=proof,
            method=method,
            url=f"{self.url}{path}",
            now=int(time.time()),
            replayed=jti in self.jtis,
            nonces=frozenset({self.nonce}),
            nonce_required=bool(self.nonce),
            access_token=token,
            bound_to=read_unverified(token).claims["cnf"]["jkt"],
        )
        self.jtis.add(jti)
        refusal = judge(case).refusal
        if refusal is None:
            return None
        if refusal.page is NONCE_NEEDED:
            return 401, {"www-authenticate": 'DPoP error="use_dpop_nonce"', "dpop-nonce": self.nonce}
        return 401, {"www-authenticate": f'DPoP error="{refusal.error}", error_description="{refusal.reason}"'}


@contextmanager
def open_door() -> Iterator[Door]:
    """A door that answers inside the block."""
    door = Door()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, headers = door.answer(self.command, self.path, self.headers, body)
            self.send_response(status)
            for name, value in {**headers, "content-length": "2"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"ok")

        do_POST = do_GET  # noqa: N815 (the library's name)

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    door.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield door
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
