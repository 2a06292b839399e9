"""One ASGI application over a table of endpoints: reads a request whole, within limits, and sends the reply."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

from innkeeper.issuer.dialects.layout import Endpoint, Endpoints, Finder
from innkeeper.issuer.witness.audit import Batch
from innkeeper.issuer.witness.witness import Witness
from innkeeper.protocol.errors import INVALID_REQUEST, SERVER_ERROR, TEMPORARILY_UNAVAILABLE
from innkeeper.protocol.exchange import JSON, NO_STORE, Reply, Request, json_reply
from innkeeper.protocol.proxies import NO_PROXIES, Proxies
from innkeeper.protocol.refusals import Unreachable

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BODY_LIMIT = 64 * 1024
"""Longest body read, in bytes: no endpoint needs more, and a longer one is refused unread."""

CERTIFICATE = "innkeeper.certificate"
"""Where a connection's own TLS certificate, verified, stands among what ASGI says of a request; as in RFC 9440."""

CLOSE = ("connection", "close")
CORS = (("access-control-allow-origin", "*"), ("access-control-expose-headers", "WWW-Authenticate, DPoP-Nonce"))
PREFLIGHT = (
    *CORS,
    ("access-control-allow-headers", "Authorization, Content-Type, DPoP, MCP-Protocol-Version"),
    ("access-control-max-age", "7200"),
)

log = logging.getLogger("innkeeper.http")


class Site:
    """The endpoints of one or several realms; ``finders`` are asked for those whose paths are not known beforehand.
    What is none of theirs is answered 404."""

    def __init__(
        self,
        endpoints: Endpoints,
        proxies: Proxies = NO_PROXIES,
        finders: Sequence[Finder] = (),
        witness: Witness | None = None,
    ) -> None:
        self._endpoints = endpoints
        self._proxies = proxies
        self._finders = finders
        self._witness = witness
        self._shared: dict[str, tuple[Reply, Reply]] = {}

    def takes(self, scope: Scope) -> bool:
        """Whether an endpoint answers this request."""
        return self._endpoint(scope) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            reply = await self._reply(scope, receive)
        except _Gone:
            return
        await _send(send, reply, without_body=scope["method"] == "HEAD")

    def _endpoint(self, scope: Scope) -> Endpoint | None:
        path = scope["path"]
        known = self._endpoints.get(path) or self._endpoints.get(f"{path.rpartition('/')[0]}/*")
        return known or next((found for finder in self._finders if (found := finder(scope))), None)

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        endpoint, method = self._endpoint(scope), scope["method"]
        if endpoint is None:
            return Reply(404, (("content-type", "text/plain"),), b"There is nothing at this address.\n")
        if method not in endpoint.methods:
            return _other_method(endpoint, method)
        body = b"" if method in ("GET", "HEAD") else await _body(receive)
        if body is None:
            return too_large(endpoint)
        client, query = scope.get("client"), scope["query_string"].decode("latin-1")
        peer = client[0] if client else ""
        request = self.request(method, scope["path"], query, scope["headers"], body, peer, scope.get(CERTIFICATE, ""))
        return await self.answer(endpoint, request)

    def known(self, method: str, path: str) -> Endpoint | None:
        """The endpoint that is known by this very path and takes this method; HEAD is left to ASGI."""
        endpoint = self._endpoints.get(path)
        return endpoint if endpoint is not None and method in endpoint.methods and method != "HEAD" else None

    def request(
        self, method: str, path: str, query: str, raw: list[tuple[bytes, bytes]], body: bytes, peer: str, own: str = ""
    ) -> Request:
        """A request of these bytes, with what is believed of the one at the other end of the connection; ``own`` is
        the certificate that it was made with."""
        headers, proxies = _headers(raw), self._proxies
        caller, certificate = proxies.caller(peer, headers), proxies.certificate(peer, headers, own)
        return Request(method, path, query, proxies.seen(headers), body, caller, certificate)

    async def answer(self, endpoint: Endpoint, request: Request) -> Reply:
        """What an endpoint answers, or that it failed, ready to be sent; other origins may read it where the endpoint says so."""
        reply, batch = await self.answered(endpoint, request)
        return reply if booked(batch) else busy(endpoint)

    async def answered(self, endpoint: Endpoint, request: Request) -> tuple[Reply, Batch | None]:
        """The same, to be sent only where what it says is ``booked``: many answers may share a batch."""
        witness, batch = self._witness, None
        if witness is None:
            reply = await _answer(endpoint, request)
        else:
            matter, began = witness.begin(self._name(request.path), request.remote)
            reply = await _answer(endpoint, request)
            batch = witness.end(matter, began, request.method, reply.status)
        if not endpoint.cors:
            return reply, batch
        return self._shared_before(request.path, reply) if endpoint.at_once else _shared(reply), batch

    def _shared_before(self, path: str, reply: Reply) -> Reply:
        """An answer that many get is made readable to other origins once."""
        before = self._shared.get(path)
        if before is None or before[0] is not reply:
            before = self._shared[path] = reply, _shared(reply)
        return before[1]

    def _name(self, path: str) -> str:
        """What an endpoint is called where requests are counted: one of few names, whatever is asked for."""
        if path in self._endpoints:
            return path
        below = f"{path.rpartition('/')[0]}/*"
        return below if below in self._endpoints else "found"


def booked(batch: Batch | None) -> bool:
    """Whether an answer is in the books, if it has to be. Where they take no more, nothing is handed out."""
    if batch is not None:
        try:
            batch.keep()
        except OSError as error:
            log.critical("the audit log cannot be written: %s", error)
            return False
    return True


def busy(endpoint: Endpoint) -> Reply:
    """What an endpoint answers where nothing can be written."""
    return _shared(_busy()) if endpoint.cors else _busy()


def _busy() -> Reply:
    later = (("retry-after", "2"), ("cache-control", "no-store"))
    return json_reply({"error": TEMPORARILY_UNAVAILABLE}, 503, later)


class _Gone(Exception):
    """The caller hung up before its request was whole: half a request is never acted on."""


async def _answer(endpoint: Endpoint, request: Request) -> Reply:
    try:
        return await endpoint.handler(request)
    except Unreachable as error:
        log.warning("%s %s: %s", request.method, request.path, error)
        return _busy()
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        return json_reply({"error": SERVER_ERROR}, 500, (("cache-control", "no-store"),))


def _headers(raw: list[tuple[bytes, bytes]]) -> Mapping[str, str]:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
    return headers if len(headers) == len(raw) else _joined(raw)


def _joined(raw: list[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Headers of which some came more than once, in the order sent (RFC 9110 §5.3, RFC 9113 §8.2.3)."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}{'; ' if key == 'cookie' else ', '}{text}" if key in headers else text
    return headers


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None where it is longer than is read. Raises ``_Gone``."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body += bytes(message.get("body", b""))
        if len(body) > BODY_LIMIT:
            return None
        if not message.get("more_body"):
            return body


async def _send(send: Send, reply: Reply, *, without_body: bool) -> None:
    headers = [_USUAL.get(one) or _encoded(one) for one in reply.headers]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if without_body else reply.body})


def _encoded(header: tuple[str, str]) -> tuple[bytes, bytes]:
    return header[0].encode("latin-1"), header[1].encode("latin-1")


_USUAL = {one: _encoded(one) for one in (JSON, *NO_STORE, *CORS)}
"""The headers that most answers bear, as bytes."""


def _other_method(endpoint: Endpoint, method: str) -> Reply:
    allowed = ", ".join(sorted({*endpoint.methods, "OPTIONS"} if endpoint.cors else endpoint.methods))
    if method == "OPTIONS" and endpoint.cors:
        return Reply(204, (*PREFLIGHT, ("access-control-allow-methods", allowed)))
    reply = json_reply({"error": INVALID_REQUEST}, 405, (("allow", allowed), ("cache-control", "no-store")))
    return _shared(reply) if endpoint.cors else reply


def too_large(endpoint: Endpoint) -> Reply:
    """What an endpoint answers to a body longer than is read."""
    body = {"error": INVALID_REQUEST, "error_description": f"The body is longer than {BODY_LIMIT} bytes."}
    reply = json_reply(body, 413, (("cache-control", "no-store"), CLOSE))
    return _shared(reply) if endpoint.cors else reply


def _shared(reply: Reply) -> Reply:
    return Reply(reply.status, (*reply.headers, *CORS), reply.body)
