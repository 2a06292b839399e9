"""The guard before any ASGI application: nothing gets past it without a token that is good for that path.

``PublicFace`` answers what everyone may ask (the API's metadata, a browser's preflight); ``GuardMiddleware`` does
that and then judges every request. Both are plain ASGI and load no framework.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

from innkeeper.guard.credentials import Credentials, credentials
from innkeeper.guard.decision import Refused, Verified
from innkeeper.guard.guard import Guard
from innkeeper.guard.routes import Needed, Routes
from innkeeper.protocol.exchange import Reply
from innkeeper.tokens.access import AccessToken

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

KEY = "innkeeper.verified"
"""Where in an ASGI scope the guard puts what it found: a ``Verified``."""

EXPOSED = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"WWW-Authenticate, Retry-After, DPoP-Nonce"),
)
PREFLIGHT = Reply(
    204,
    (
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        (
            "access-control-allow-headers",
            "Authorization, Content-Type, Accept, DPoP, Mcp-Method, Mcp-Name, MCP-Protocol-Version, Mcp-Session-Id",
        ),
        ("access-control-max-age", "600"),
        ("vary", "Access-Control-Request-Headers"),
    ),
)


def verified(scope: Mapping[str, Any]) -> Verified:
    """What the guard found for this request. Raises ``LookupError`` where no guard stands before the application."""
    if KEY not in scope:
        raise LookupError("no guard stands before this path, or the path is open to anyone")
    found: Verified = scope[KEY]
    return found


def token(scope: Mapping[str, Any]) -> AccessToken:
    """The verified token of this request. Raises ``LookupError`` as ``verified`` does."""
    return verified(scope).token


def arrived(scope: Mapping[str, Any], guard: Guard) -> Credentials:
    """What a request carries. Proofs have to be made for the address under which the API is known, whatever the request
    says of its host: anyone can write that."""
    headers, path = scope["headers"], scope.get("raw_path") or scope["path"].encode()
    origin = guard.door.origin or _own_origin(scope)
    return credentials(
        headers,
        scope["query_string"],
        method=scope.get("method", "GET"),
        url=f"{origin}{path.decode('latin-1').partition('?')[0]}",
        certificate=_certificate(scope, guard),
    )


def _own_origin(scope: Mapping[str, Any]) -> str:
    """For an API without a URL of its own: what the connection says."""
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "http"), scope.get("scheme", "http"))
    return f"{scheme}://{host}"


def _certificate(scope: Mapping[str, Any], guard: Guard) -> str:
    """The certificate of whoever made the connection, or of whom a proxy that is believed made one for."""
    chain = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain") if "extensions" in scope else None
    if guard.proxies.certificate_header:
        peer = (scope.get("client") or ("",))[0]
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key, text = name.decode("latin-1"), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        return guard.proxies.certificate(peer, headers)
    return str(next(iter(chain), "")) if chain else ""


class PublicFace:
    """Answers for the guard what needs no token, and lets browsers read the challenge in every answer.

    The metadata is served at both its paths, preflights are answered before any token is asked for. Any origin may
    ask: a bearer token is sent by the page's own code, never by the browser on its own.
    """

    def __init__(self, app: App, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _is_preflight(scope):
            await reply(PREFLIGHT, send)
        elif scope["path"] in self._guard.door.metadata_paths and scope["method"] in {"GET", "HEAD"}:
            await reply(self._guard.metadata(), _exposing(send), bodiless=scope["method"] == "HEAD")
        else:
            await self._app(scope, receive, _exposing(send, self._guard.nonce()))


class GuardMiddleware:
    """Judges every request before ``app`` sees it; ``app`` finds the token by ``token(scope)``.

    ``routes`` says which path needs what (``guard.routes``); paths count from where ``app`` is mounted.
    """

    def __init__(self, app: App, guard: Guard, routes: Mapping[str, Needed] | None = None) -> None:
        self._app = app
        self._guard = guard
        self._routes = Routes(routes or {})
        self._face = PublicFace(self._judge, guard)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._face(scope, receive, send)

    async def _judge(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        needed = self._routes.needed(scope.get("method", "GET"), path_within(scope))
        if needed is not None:
            outcome = await self._guard.admit(arrived(scope, self._guard), needed)
            if isinstance(outcome, Refused):
                await turn_away(self._guard.challenge(outcome), scope, receive, send)
                return
            scope = {**scope, KEY: outcome}
        await self._app(scope, receive, send)


def path_within(scope: Mapping[str, Any]) -> str:
    """The path from where the application is mounted on."""
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    return path[len(root) :] or "/" if root and (path == root or path.startswith(f"{root}/")) else path


async def reply(answer: Reply, send: Send, *, bodiless: bool = False) -> None:
    """Send a whole reply; ``bodiless`` for HEAD."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    if answer.status != 204:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if bodiless else answer.body})


async def turn_away(answer: Reply, scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a request; a websocket with a real HTTP answer where the server can, else before it is accepted."""
    if scope["type"] == "http":
        await reply(answer, send, bodiless=scope["method"] == "HEAD")
        return
    await receive()
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return

    async def send_denial(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    await reply(answer, send_denial)


def _is_preflight(scope: Scope) -> bool:
    if scope["method"] != "OPTIONS":
        return False
    names = {name for name, _ in scope["headers"]}
    return b"origin" in names and b"access-control-request-method" in names


def _exposing(send: Send, nonce: str = "") -> Send:
    """Adds the headers that let a browser's code read the answer, and the nonce for the next proof, where the application
    has set none itself."""
    more = (*EXPOSED, (b"dpop-nonce", nonce.encode())) if nonce else EXPOSED

    async def send_exposed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            names = {name.lower() for name, _ in headers}
            message = {**message, "headers": headers + [pair for pair in more if pair[0] not in names]}
        await send(message)

    return send_exposed
