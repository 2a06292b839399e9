"""The guard before an MCP server: which call needs what, told by headers and by the body, and never by a lie."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any

import httpx2
import msgspec
import pytest

from innkeeper.guard import Refused, Verified, need
from innkeeper.guard.asgi import verified
from innkeeper.guard.calls import Call, Calls, in_body, in_headers
from innkeeper.protocol.challenges import parse
from innkeeper.protocol.refusals import UsageError
from innkeeper.tokens.trail import Trail
from tests.guard.holders import bound_token, proof
from tests.guard.world import World, claims, forge

pytest.importorskip("mcp", reason="the MCP SDK is not installed")

MCP = "https://hotel.example/mcp"
TABLES: dict[str, Any] = {
    "needed": ["room:enter"],
    "tools": {"burn": ["vip:enter"], "sweep": ["gym:enter"], "locked": need("room:enter", acr=["mfa"])},
    "resources": {"file:///secret/*": ["vip:enter"], "file:///secret/menu": ["gym:enter"]},
    "methods": {"logging/setLevel": ["vip:enter"]},
    "open": ["/health"],
}


def call(name: str = "burn", method: str = "tools/call", **more: Any) -> dict[str, Any]:
    member = "uri" if method == "resources/read" else "name"
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {member: name, "arguments": {}}, **more}


class Server:
    """What stands behind the guard: notes each body it gets."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.callers: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        from mcp.server.auth.middleware.auth_context import get_access_token

        if scope["path"] != "/health":
            assert isinstance(verified(scope), Verified)
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.got.append(body)
        self.callers.append(get_access_token())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


class Post:
    """A guarded server, and what comes of posting to it."""

    def __init__(self, **more: Any) -> None:
        from innkeeper.guard.mcp import McpGuard

        self.trails: list[Trail] = []
        self.server = Server()
        self.guard = World().guard(audience=MCP, observe=self.trails.append, **more.pop("guard", {}))
        self.app = McpGuard(self.server, self.guard, **{**TABLES, **more})

    def __call__(
        self,
        body: Any = b"",
        token: str = "",
        path: str = "/mcp",
        method: str = "POST",
        headers: list[tuple[str, str]] | None = None,
        scheme: str = "Bearer",
    ) -> httpx2.Response:
        sent = list(headers or [])
        if token:
            sent.append(("authorization", f"{scheme} {token}"))
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)

        async def work() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=self.app)
            async with httpx2.AsyncClient(transport=transport, base_url="https://hotel.example") as client:
                return await client.request(method, path, content=raw, headers=sent)

        return asyncio.run(work())


def held(scope: str = "room:enter", **more: Any) -> str:
    return forge(claims(aud=MCP, scope=scope, **more))


def named(method: str, name: str = "") -> list[tuple[str, str]]:
    return [("mcp-method", method), *([("mcp-name", name)] if name else [])]


def challenge(answer: httpx2.Response) -> dict[str, str]:
    (found,) = parse(answer.headers["www-authenticate"])
    return dict(found.parameters)


@pytest.mark.parametrize("headers", [[], named("tools/call", "burn")])
def test_a_tool_that_needs_more_is_403_with_all_that_the_call_needs(headers: list[tuple[str, str]]) -> None:
    post = Post()
    answer = post(call(), held(), headers=headers)
    assert answer.status_code == 403
    said = challenge(answer)
    assert (said["error"], said["scope"]) == ("insufficient_scope", "room:enter vip:enter")
    assert said["resource_metadata"] == "https://hotel.example/.well-known/oauth-protected-resource/mcp"
    assert post.server.got == []


@pytest.mark.parametrize("headers", [[], named("tools/call", "burn")])
def test_with_enough_the_server_gets_the_body_whole_and_knows_the_caller(headers: list[tuple[str, str]]) -> None:
    post = Post()
    text = held("room:enter vip:enter")
    assert post(call(), text, headers=headers).status_code == 200
    assert post.server.got == [msgspec.json.encode(call())]
    (caller,) = post.server.callers
    assert (caller.client_id, caller.subject, caller.resource) == ("guest-app", "guest-204", MCP)
    assert caller.claims["iss"] == "https://issuer.example"
    assert (caller.token, caller.scopes) == (text, ["room:enter", "vip:enter"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (call("sweep"), 403),
        (call("anything else"), 200),
        (call("burn", "prompts/get"), 200),
        (call("file:///secret/plan", "resources/read"), 403),
        (call("file:///open/plan", "resources/read"), 200),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, 200),
        ({"jsonrpc": "2.0", "id": 1, "method": "logging/setLevel", "params": {"level": "debug"}}, 403),
        ({"jsonrpc": "2.0", "method": "notifications/initialized"}, 200),
        ({"jsonrpc": "2.0", "id": 1, "result": {}}, 200),
        ([call("sweep"), call("anything")], 403),
        ([call("x"), call("y")], 200),
        ([], 200),
        (call("burn", params=["burn"]), 200),
        (call("burn", params={"name": ["burn"]}), 200),
    ],
)
def test_the_body_tells_what_is_called(body: Any, status: int) -> None:
    assert Post()(body, held()).status_code == status


def test_a_resource_is_found_by_its_longest_row_and_an_exact_one_first() -> None:
    post = Post()
    assert post(call("file:///secret/menu", "resources/read"), held("room:enter gym:enter")).status_code == 200
    assert post(call("file:///secret/menu2", "resources/read"), held("room:enter gym:enter")).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        named("tools/list"),
        named("tools/call", "sweep"),
        named("tools/call"),
        named("tools/call", "BURN"),
        [*named("tools/call", "burn"), ("mcp-name", "burn")],
        [*named("tools/call", "burn"), ("mcp-method", "tools/list")],
    ],
)
def test_headers_that_lie_about_the_body_open_nothing(headers: list[tuple[str, str]]) -> None:
    post = Post()
    answer = post(call(), held("room:enter gym:enter"), headers=headers)
    assert answer.status_code in {400, 403}
    if answer.status_code == 400:
        assert answer.json()["error"]["code"] == -32020
        assert post.trails[-1].refusal is not None
        assert post.trails[-1].refusal.page.number == "IK577"
    assert post.server.got == []


def test_a_name_that_no_header_can_carry_comes_in_base64() -> None:
    post = Post(tools={"zimmer-öffnen": ["vip:enter"]})
    body = call("zimmer-öffnen")
    headers = named("tools/call", f"=?base64?{b64encode('zimmer-öffnen'.encode()).decode()}?=")
    assert post(body, held(), headers=headers).status_code == 403
    assert post(body, held("room:enter vip:enter"), headers=headers).status_code == 200
    assert post(body, held("room:enter vip:enter"), headers=named("tools/call", "=?base64?%%?=")).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"burn"}}',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","name":"burn"}}',
        b"not json",
        b"",
        b"7",
        b'"text"',
        b"[7]",
        b'{"jsonrpc":"2.0"}, "more": {"x":1}',
        '{"method":"tools/call"}'.encode("utf-16"),
        b"[" + b",".join([b"{}"] * 101) + b"]",
        b'{"a":' * 70 + b"1" + b"}" * 70,
    ],
)
def test_a_body_that_others_may_read_otherwise_reaches_no_server(body: bytes) -> None:
    post = Post()
    answer = post(body, held("room:enter vip:enter"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32700)
    assert post.server.got == []


def test_a_body_without_end_is_413() -> None:
    post = Post(limit=100)
    answer = post(call("x" * 200), held())
    assert answer.status_code == 413
    assert post.server.got == []


def test_nobody_without_a_token_has_a_body_read() -> None:
    post = Post()
    answer = post(call())
    assert answer.status_code == 401
    assert challenge(answer)["scope"] == "room:enter"
    assert "error" not in challenge(answer)
    named_answer = post(call(), headers=named("tools/call", "burn"))
    assert challenge(named_answer)["scope"] == "room:enter vip:enter"


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_every_request_is_judged_whatever_its_method(method: str) -> None:
    post = Post()
    assert post(method=method).status_code == 401
    assert post(method=method, token=held()).status_code == 200


def test_the_metadata_is_at_its_path_and_at_the_root_and_open_paths_are_open() -> None:
    post = Post()
    for path in ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"):
        answer = post(method="GET", path=path)
        assert (answer.status_code, answer.json()["resource"]) == (200, MCP)
    assert post(method="GET", path="/health").status_code == 200
    assert post(method="GET", path="/healthy").status_code == 401


def test_a_browser_s_preflight_may_ask_for_the_headers_of_mcp() -> None:
    headers = [("origin", "https://inspector.example"), ("access-control-request-method", "POST")]
    answer = Post()(method="OPTIONS", headers=headers)
    assert answer.status_code == 204
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert all(one in allowed for one in ("mcp-method", "mcp-name", "mcp-protocol-version", "dpop", "authorization"))


def test_a_tool_may_need_a_stronger_sign_in() -> None:
    answer = Post()(call("locked"), held(acr="pwd"))
    assert answer.status_code == 401
    assert (challenge(answer)["error"], challenge(answer)["acr_values"]) == ("insufficient_user_authentication", "mfa")
    assert Post()(call("locked"), held(acr="mfa")).status_code == 200


@pytest.mark.parametrize("headers", [[], named("tools/call", "burn")])
def test_a_proof_is_used_once_although_the_call_is_judged_twice(headers: list[tuple[str, str]]) -> None:
    post = Post()
    bound = bound_token(aud=MCP, scope="room:enter vip:enter")
    once = ("dpop", proof(bound, "POST", MCP))
    assert post(call(), bound, headers=[*headers, once], scheme="DPoP").status_code == 200
    assert post(call(), bound, headers=[*headers, once], scheme="DPoP").status_code == 401


def test_without_tables_bodies_are_not_read_here() -> None:
    post = Post(tools={}, resources={}, methods={})
    assert post(b"anything", held()).status_code == 200
    assert post.server.got == [b"anything"]


def test_a_server_without_a_url_is_a_mistake_said_aloud() -> None:
    from innkeeper.guard.mcp import McpGuard

    with pytest.raises(UsageError, match="resource"):
        McpGuard(Server(), World().guard(audience="api://x"))
    with pytest.raises(UsageError, match="list"):
        Post(tools={"burn": "vip:enter"})


def test_further_needs_are_judged_without_judging_the_token_again() -> None:
    guard = World().guard()
    outcome = guard.verify_blocking(forge(), ["room:enter"])
    assert isinstance(outcome, Verified)
    assert isinstance(guard.further(outcome, ["gym:enter"]), Verified)
    assert isinstance(guard.further(outcome, ["vip:enter"]), Refused)


def test_a_call_is_read_from_headers_and_body_alike() -> None:
    assert in_headers([(b"mcp-method", b"tools/call"), (b"mcp-name", b" burn ")]) == (Call("tools/call", "burn"), False)
    assert in_headers([(b"mcp-name", b"burn")]) == (None, False)
    assert in_body(msgspec.json.encode(call())) == (Call("tools/call", "burn"),)
    assert Calls(["a"], tools={"t": ["b"]}, methods={"m": ["c"]}).scopes == {"a", "b", "c"}
