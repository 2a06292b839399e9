"""What the fragments of a page take for granted, and what has to hold once they ran: by page, against a house that is open.

A page's blocks of Python run in one namespace, in order. Where a fragment leans on the framework around it, ``GIVEN`` has that; where
something can be asked of what a block made, ``PROOFS`` asks it, of the house and with its real tokens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import httpx2

from innkeeper.client import Access, Client, Secret, TokenSource, discover, run
from innkeeper.guard import Guard, Introspection, need
from innkeeper.guard.decision import Refused, Verified
from tests.inn import Inn

Names = dict[str, Any]

ARCHITECTURE = "docs/architecture.md"
PROTECT = "docs/how-to/protect-an-api.md"
CLIENT = "docs/how-to/use-the-client.md"
MOVE = "docs/how-to/move-to-the-cloud.md"
AGENTS = "docs/tutorial/agents.md"
LIFE = "docs/tutorial/life-and-death.md"


def token_of(inn: Inn, scope: str = "gym:enter", api: str = "/hotel") -> str:
    """An access token of the concierge's, from the house."""
    return _source(inn, scope, api).token().access_token


def _source(inn: Inn, scope: str, api: str = "/hotel") -> TokenSource:
    return TokenSource(inn.url, Client("concierge", Secret("concierge-secret")), Access(scope, f"{inn.url}{api}"))


def _architecture(_: Inn) -> Names:
    from innkeeper.issuer.core.grants.authorization_code import Case
    from innkeeper.protocol.refusals import Refusal
    from innkeeper.tokens.trail import Seen, check

    return {"Case": Case, "Refusal": Refusal, "Seen": Seen, "check": check}


def _protect(inn: Inn) -> Names:
    from typing import Annotated

    from fastapi import FastAPI, Security
    from mcp.server import MCPServer

    from innkeeper.guard import ANYONE
    from innkeeper.guard.asgi import GuardMiddleware
    from innkeeper.guard.explanations import Explanations
    from innkeeper.guard.fastapi import Guarded, install
    from innkeeper.guard.mcp import McpGuard
    from innkeeper.tokens.access import AccessToken

    return {
        "Annotated": Annotated, "FastAPI": FastAPI, "Security": Security, "AccessToken": AccessToken, "Guard": Guard,
        "Guarded": Guarded, "install": install, "app": FastAPI(), "McpGuard": McpGuard, "server": MCPServer("door"),
        "need": need, "GuardMiddleware": GuardMiddleware, "ANYONE": ANYONE, "Introspection": Introspection,
        "Explanations": Explanations, "issuer": inn.url, "audience": f"{inn.url}/hotel",
    }  # fmt: skip


def _client(inn: Inn) -> Names:
    token = _source(inn, "gym:enter pool:enter").token()
    return {"run": run, "metadata": run(discover(inn.url)), "token": token}


GIVEN: Mapping[str, Callable[[Inn], Names]] = {
    ARCHITECTURE: _architecture,
    PROTECT: _protect,
    CLIENT: _client,
}


def _is_a_check(names: Names, _: Inn) -> None:
    assert names["the_verifier_matches"].spec == "RFC 7636 §4.6"


def _guards_the_hotel(names: Names, inn: Inn) -> None:
    """The guard of the block takes a token for the hotel, and none for the hotel's tools."""
    assert isinstance(names["guard"].verify_blocking(token_of(inn), ["gym:enter"]), Verified)
    assert isinstance(names["guard"].verify_blocking(token_of(inn, api="/hotel/mcp"), ["gym:enter"]), Refused)


def _answers(path: str, names: Names, inn: Inn, **tokens: int) -> dict[str, int]:
    """The application's answers: without a token, and with one for each of these scopes."""

    async def ask() -> dict[str, int]:
        transport = httpx2.ASGITransport(app=names["app"])
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8500") as client:
            found = {"nothing": (await client.get(path)).status_code}
            for scope in tokens:
                headers = {"authorization": f"Bearer {token_of(inn, scope.replace('_', ':'))}"}
                found[scope] = (await client.get(path, headers=headers)).status_code
            return found

    return asyncio.run(ask())


def _fastapi(names: Names, inn: Inn) -> None:
    names["guard"] = Guard(issuer=inn.url, audience=f"{inn.url}/hotel")
    wanted = {"nothing": 401, "gym_enter": 200, "pool_enter": 403}
    from fastapi import FastAPI

    assert isinstance(names["app"], FastAPI)
    assert _answers("/orders", names, inn, gym_enter=200, pool_enter=403) == wanted


def _asgi(names: Names, inn: Inn) -> None:
    assert _answers("/orders", names, inn)["nothing"] == 401


def _explained(names: Names, inn: Inn) -> None:
    names["app"] = names["why"].around(names["app"])
    assert _answers("/orders", names, inn)["nothing"] == 401


def _routes(names: Names, inn: Inn) -> None:
    from innkeeper.guard.asgi import GuardMiddleware

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    guard = Guard(issuer=inn.url, audience=f"{inn.url}/hotel")
    held = {"app": GuardMiddleware(inside, guard, names["routes"])}
    assert _answers("/rooms/305", held, inn, room_enter=200) == {"nothing": 401, "room_enter": 200}
    assert _answers("/vip", held, inn, vip_enter=401) == {"nothing": 401, "vip_enter": 401}
    assert _answers("/reports", held, inn, room_enter=403) == {"nothing": 401, "room_enter": 403}


def _opens_the_gym(names: Names, inn: Inn) -> None:
    assert names["api"].get(f"{inn.url}/hotel").status_code == 200
    assert names["api"].get(f"{inn.url}/hotel/gym").status_code in (200, 403), "open, or closed at this hour"
    names["api"].close()


def _narrower(names: Names, _: Inn) -> None:
    assert names["narrower"].scope == "gym:enter"


def _guarded_tools(names: Names, inn: Inn) -> None:
    async def inside(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("nobody without a token comes here")

    assert _answers("/", {"app": names["guarded"](inside)}, inn)["nothing"] == 401


PROOFS: Mapping[tuple[str, str], Callable[[Names, Inn], None]] = {
    (ARCHITECTURE, "def the_verifier_matches"): _is_a_check,
    (PROTECT, "from innkeeper.guard import Guard"): _guards_the_hotel,
    (PROTECT, "install(app, guard)"): _fastapi,
    (PROTECT, "GuardMiddleware("): _asgi,
    (PROTECT, "routes = {"): _routes,
    (PROTECT, "why.around"): _explained,
    (CLIENT, "api = httpx2.Client(auth=Auth(source))\n"): _opens_the_gym,
    (CLIENT, "narrower ="): _narrower,
    (MOVE, "guard ="): _guards_the_hotel,
    (AGENTS, "def guarded"): _guarded_tools,
    (LIFE, "guard ="): _guards_the_hotel,
}
"""By page, and words that stand in the block: the first block that has them."""
