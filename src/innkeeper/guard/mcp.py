"""The guard before an MCP server: metadata, whole challenges, and for each tool what it needs, with a real step-up.

For servers of the MCP Python SDK (``mcp`` 2) and FastMCP (``fastmcp`` 4). Inside a tool the SDK's own ``get_access_token()``
gives the caller, ``innkeeper.guard.asgi.verified`` all that the guard found.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from innkeeper.guard.asgi import KEY, App, Message, PublicFace, Receive, Scope, Send, arrived, reply, turn_away
from innkeeper.guard.calls import (
    CALL_CHECKS,
    CALL_DIFFERS,
    CALL_TOO_LONG,
    LIMIT,
    Calls,
    Named,
    Told,
    in_body,
    in_headers,
)
from innkeeper.guard.decision import ABOUT, Refused, Verified
from innkeeper.guard.guard import Guard
from innkeeper.guard.needs import Needs
from innkeeper.protocol.exchange import NO_STORE, Reply, json_reply
from innkeeper.protocol.refusals import Refusal, UsageError
from innkeeper.tokens.trail import at_the_door, follow

_NONE: Named = {}


class McpGuard:
    """Judges every request before an MCP server sees it: ``McpGuard(server.streamable_http_app(), guard, tools={...})``.

    ``needed`` is what everything needs; ``tools``, ``prompts`` and ``resources`` say what each needs beside that, by name,
    ``methods`` by JSON-RPC method. A caller whose token is not enough for a tool is told so with 403 and all the scopes the
    call needs, so that clients get more and try again. ``open`` are paths for anyone, such as ``/health``.
    """

    def __init__(
        self,
        app: App,
        guard: Guard,
        *,
        needed: Needs | Iterable[str] = (),
        tools: Named = _NONE,
        prompts: Named = _NONE,
        resources: Named = _NONE,
        methods: Named = _NONE,
        open: Iterable[str] = (),  # noqa: A002 - what it is
        limit: int = LIMIT,
    ) -> None:
        """Raises ``UsageError`` for a guard without a resource: clients of MCP find everything from that URL."""
        from mcp.server.auth.middleware.auth_context import AuthContextMiddleware

        if not guard.door.resource:
            raise UsageError("an MCP server needs a guard with resource=: the URL at which clients reach it")
        self._inner: App = AuthContextMiddleware(app)
        self._guard = guard
        self._calls = Calls(needed, tools=tools, prompts=prompts, resources=resources, methods=methods)
        self._open = frozenset([open] if isinstance(open, str) else open)
        self._limit = limit
        self._face = PublicFace(self._judge, guard)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._face(scope, receive, send)

    async def _judge(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"] in self._open):
            await self._inner(scope, receive, send)
        elif scope["type"] == "http":
            await self._judge_call(scope, receive, send)
        else:
            await turn_away(Reply(404), scope, receive, send)

    async def _judge_call(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = arrived(scope, self._guard)
        named, doubled = in_headers(scope["headers"])
        outcome = await self._guard.admit(sent, self._calls.needs([named] if named else ()))
        if isinstance(outcome, Verified) and scope["method"] == "POST" and (self._calls.tells_calls_apart or named):
            body = await _whole(receive, self._limit)
            found = (
                self._told(Told(named, in_body(body), doubled), outcome) if body is not None else _too_long(self._guard)
            )
            if isinstance(found, Reply):
                await reply(found, send)
                return
            outcome, receive = found, _again(body or b"", receive)
        if isinstance(outcome, Refused):
            await turn_away(self._guard.challenge(outcome), scope, receive, send)
            return
        await self._inner({**scope, **known_to_the_sdk(outcome, sent.token), KEY: outcome}, receive, send)

    def _told(self, told: Told, outcome: Verified) -> Verified | Refused | Reply:
        """What comes of the call as the body says it."""
        trail = follow(ABOUT, CALL_CHECKS, told)
        if trail.refusal:
            self._guard.observe(trail)
            return _rpc_error(trail.refusal)
        needs = self._calls.needs(told.by_body if not isinstance(told.by_body, str) else ())
        return self._guard.further(outcome, needs)


def known_to_the_sdk(outcome: Verified, text: str) -> dict[str, Any]:
    """The caller as the SDK and FastMCP know callers: ``user`` and ``auth`` of the ASGI scope."""
    from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
    from mcp.server.auth.provider import AccessToken
    from starlette.authentication import AuthCredentials

    token, scopes = outcome.token, sorted(outcome.scopes)
    said = AccessToken(
        token=text,
        client_id=token.client_id,
        scopes=scopes,
        expires_at=token.exp,
        resource=outcome.audience,
        subject=token.sub,
        claims=dict(token.claims),
    )
    return {"user": AuthenticatedUser(said), "auth": AuthCredentials(scopes)}


async def _whole(receive: Receive, limit: int) -> bytes | None:
    """The body; None where it is longer than is read."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, for the server; after it whatever comes next."""
    waiting = [body]

    async def receive_again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return receive_again


def _too_long(guard: Guard) -> Reply:
    refusal = Refusal(CALL_TOO_LONG, "the body is longer than is read")
    guard.observe(at_the_door(ABOUT, refusal, "RFC 9110 §15.5.14"))
    return _rpc_error(refusal)


def _rpc_error(refusal: Refusal) -> Reply:
    """A refusal as JSON-RPC says it."""
    code = -32020 if refusal.page is CALL_DIFFERS else -32700
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": refusal.page.wire}}
    return json_reply(error, refusal.page.status, NO_STORE)
