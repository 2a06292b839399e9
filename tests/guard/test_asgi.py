"""The guard before plain ASGI applications."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from innkeeper.guard.asgi import App, GuardMiddleware, token, verified
from innkeeper.guard.routes import ANYONE
from tests.guard.world import World, claims, forge

BASE = "https://hotel.example"


async def whoami(scope: Any, receive: Any, send: Any) -> None:
    request = Request(scope, receive)
    await JSONResponse({"sub": token(request.scope).sub})(scope, receive, send)


def guarded(app: App = whoami, world: World | None = None, **routes: Any) -> GuardMiddleware:
    return GuardMiddleware(
        app, (world or World()).guard(), routes.get("routes", {"/gym": ["gym:enter"], "/vip": ["vip:enter"]})
    )


def ask(
    app: Any, path: str, method: str = "GET", headers: dict[str, str] | None = None, bearer: str = ""
) -> httpx2.Response:
    async def work() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
            sent = dict(headers or {}) | ({"authorization": f"Bearer {bearer}"} if bearer else {})
            return await client.request(method, path, headers=sent)

    return asyncio.run(work())


def test_a_good_token_gets_in_and_the_application_finds_it() -> None:
    answer = ask(guarded(), "/gym", bearer=forge())
    assert (answer.status_code, answer.json()) == (200, {"sub": "guest-204"})


def test_nothing_gets_past_without_a_token() -> None:
    for path in ("/gym", "/", "/anything", "/gym/", "//gym", "/GYM"):
        assert ask(guarded(), path).status_code == 401


def test_a_path_that_is_open_to_anyone_is_open_and_has_no_token_even_if_one_is_sent() -> None:
    async def free(scope: Any, receive: Any, send: Any) -> None:
        with pytest.raises(LookupError):
            verified(scope)
        await JSONResponse({"free": True})(scope, receive, send)

    app = guarded(free, routes={"/health": ANYONE})
    assert ask(app, "/health").json() == {"free": True}
    assert ask(app, "/health", bearer="nonsense").json() == {"free": True}
    assert ask(app, "/healthz").status_code == 401


def test_a_missing_scope_is_403_and_the_application_is_not_called() -> None:
    async def never(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("called")

    answer = ask(guarded(never), "/vip", bearer=forge())
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert answer.json()["error"] == "insufficient_scope"


@pytest.mark.parametrize(
    "path", ["/.well-known/oauth-protected-resource/doors", "/.well-known/oauth-protected-resource"]
)
def test_the_metadata_is_served_to_anyone_at_both_its_places(path: str) -> None:
    answer = ask(guarded(), path, headers={"origin": "https://inspector.example"})
    assert answer.status_code == 200
    assert answer.json()["resource"] == "https://hotel.example/doors"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert ask(guarded(), path, "HEAD").content == b""
    assert ask(guarded(), path, "POST").status_code == 401


def test_the_address_in_the_challenge_leads_to_the_metadata() -> None:
    app = guarded()
    challenge = ask(app, "/gym").headers["www-authenticate"]
    address = challenge.partition('resource_metadata="')[2].rstrip('"')
    assert ask(app, address.removeprefix(BASE)).status_code == 200


def test_a_preflight_is_answered_before_a_token_is_asked_for() -> None:
    headers = {
        "origin": "https://app.example",
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization, mcp-protocol-version",
    }
    answer = ask(guarded(), "/gym", "OPTIONS", headers)
    assert answer.status_code == 204
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert {"authorization", "mcp-protocol-version", "dpop"} <= set(allowed.split(", "))
    assert ask(guarded(), "/gym", "OPTIONS").status_code == 401


@pytest.mark.parametrize("bearer", ["", "nonsense"])
def test_a_browser_may_read_the_challenge(bearer: str) -> None:
    answer = ask(guarded(), "/gym", headers={"origin": "https://app.example"}, bearer=bearer)
    assert "WWW-Authenticate" in answer.headers["access-control-expose-headers"]
    assert answer.headers["access-control-allow-origin"] == "*"


def test_headers_that_the_application_sets_itself_are_left_alone() -> None:
    async def own(scope: Any, receive: Any, send: Any) -> None:
        await JSONResponse({}, headers={"access-control-allow-origin": "https://one.example"})(scope, receive, send)

    answer = ask(guarded(own), "/gym", bearer=forge())
    assert answer.headers.get_list("access-control-allow-origin") == ["https://one.example"]


def test_two_authorization_headers_are_400() -> None:
    async def work() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=guarded())
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
            pairs = [("authorization", f"Bearer {forge()}"), ("authorization", "Bearer x")]
            return await client.get("/gym", headers=pairs)

    assert asyncio.run(work()).status_code == 400


def test_an_issuer_out_of_reach_is_503_with_retry_after() -> None:
    world = World()
    world.down = True
    answer = ask(guarded(world=world), "/gym", bearer=forge())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "www-authenticate" not in answer.headers


def test_under_a_mount_paths_count_from_the_mount() -> None:
    site = Starlette(routes=[Mount("/api", app=guarded())])
    assert ask(site, "/api/gym", bearer=forge()).status_code == 200
    assert ask(site, "/api/vip", bearer=forge()).status_code == 403
    assert ask(site, "/api/vip", bearer=forge(claims(scope="vip:enter"))).status_code == 200


def test_it_stands_before_starlette_as_middleware() -> None:
    async def room(request: Request) -> JSONResponse:
        return JSONResponse({"sub": token(request.scope).sub})

    site = Starlette(routes=[Route("/gym", room)])
    site.add_middleware(GuardMiddleware, guard=World().guard(), routes={"/gym": ["gym:enter"]})
    assert ask(site, "/gym").status_code == 401
    assert ask(site, "/gym", bearer=forge()).json() == {"sub": "guest-204"}


def speak(app: Any, headers: list[tuple[bytes, bytes]], extensions: dict[str, Any]) -> list[dict[str, Any]]:
    """Open a websocket and note what comes back."""
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        said.append(dict(message))

    scope = {"type": "websocket", "path": "/gym", "headers": headers, "query_string": b"", "extensions": extensions}
    asyncio.run(app(scope, receive, send))
    return said


def test_a_websocket_is_judged_before_it_is_accepted() -> None:
    async def chat(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept", "sub": token(scope).sub})

    app = guarded(chat)
    assert speak(app, [], {}) == [{"type": "websocket.close", "code": 1008}]
    denied = speak(app, [], {"websocket.http.response": {}})
    assert [one["type"] for one in denied] == ["websocket.http.response.start", "websocket.http.response.body"]
    assert denied[0]["status"] == 401
    let_in = speak(app, [(b"authorization", f"Bearer {forge()}".encode())], {})
    assert let_in == [{"type": "websocket.accept", "sub": "guest-204"}]


def test_the_lifespan_passes_through() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(guarded(app)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]
