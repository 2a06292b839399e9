"""Clients of MCP that others wrote, unmodified, at guarded MCP servers: they find the issuer, sign in, step up."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import uvicorn

from innkeeper.guard import Guard
from tests.conftest import NODE_PACKAGES
from tests.guard.examples import example
from tests.inn import Inn, free_port, open_inn
from tests.interop.visitor import sent_back

pytest.importorskip("mcp", reason="the MCP SDK is not installed")
pytest.importorskip("fastmcp", reason="FastMCP is not installed")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

INSPECTOR = NODE_PACKAGES / "node_modules" / "@modelcontextprotocol" / "inspector"


class Place:
    """A house and two MCP servers that trust it, and the requests that those had."""

    def __init__(self, house: Inn, port: int) -> None:
        self.house = house
        self.url = f"http://127.0.0.1:{port}/mcp"
        self.port = port
        self.refusals: list[str] = []

    def guard(self) -> Guard:
        return Guard(self.house.url, self.url, scopes_supported=["room:enter"], observe=self._note)

    def _note(self, trail: Any) -> None:
        if trail.refusal:
            self.refusals.append(trail.refusal.page.number)


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def own_house(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Inn]:
    """A house that knows the MCP server as a resource."""
    folder = tmp_path_factory.mktemp("mcp-house")
    settings = files("innkeeper.issuer").joinpath("laptop.toml").read_text("utf-8")
    (folder / "innkeeper.toml").write_text(settings.replace("{origin}/hotel/mcp", f"http://127.0.0.1:{port}/mcp"))
    with open_inn(folder) as inn:
        yield inn


@contextmanager
def served(app: Any, port: int) -> Iterator[None]:
    """An ASGI application behind uvicorn, in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", ws="none"))
    started = threading.Event()
    ordinary = server.startup

    async def startup(sockets: Any = None) -> None:
        await ordinary(sockets)
        started.set()

    server.startup = startup  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert started.wait(20)
        yield
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture(params=["mcp_server", "fastmcp_server"])
def place(request: pytest.FixtureRequest, own_house: Inn, port: int) -> Iterator[Place]:
    found = Place(own_house, port)
    with served(example(request.param).make_app(found.guard()), port):
        yield found


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, 60))


class Kept:
    """What the SDK's client remembers."""

    def __init__(self, client_info: Any = None) -> None:
        self.tokens: Any = None
        self.info = client_info

    async def get_tokens(self) -> Any:
        return self.tokens

    async def set_tokens(self, tokens: Any) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> Any:
        return self.info

    async def set_client_info(self, info: Any) -> None:
        self.info = info


def said(result: Any) -> str:
    return str(result.content[0].text)


async def with_the_sdk(place: Place, auth: Any, *tools: str) -> list[str]:
    from mcp.client.client import Client
    from mcp.client.streamable_http import streamable_http_client

    async with (
        httpx2.AsyncClient(auth=auth, timeout=20) as http,
        Client(streamable_http_client(place.url, http_client=http)) as client,
    ):
        return [said(await client.call_tool(tool, {})) for tool in tools]


def person(place: Place, kept: Kept) -> Any:
    """The SDK's OAuth client, for a guest who signs in in the pages of the house."""
    from mcp.client.auth import OAuthClientProvider
    from mcp.client.auth.oauth2 import AuthorizationCodeResult
    from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata

    callback = "http://127.0.0.1:33418/callback"
    kept.info = OAuthClientInformationFull(
        client_id="guest-app", redirect_uris=[callback], token_endpoint_auth_method="none", issuer=place.house.url
    )
    answers: list[str] = []

    async def to_the_pages(url: str) -> None:
        answers.append(await asyncio.to_thread(sent_back, url))

    async def answered() -> AuthorizationCodeResult:
        query = {name: values[0] for name, values in parse_qs(urlsplit(answers[-1]).query).items()}
        return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))

    metadata = OAuthClientMetadata(
        client_name="The guest's app", redirect_uris=[callback], token_endpoint_auth_method="none"
    )
    return OAuthClientProvider(place.url, metadata, kept, to_the_pages, answered)


def test_the_sdk_s_client_signs_a_guest_in_and_steps_up_for_the_tool_that_needs_more(place: Place) -> None:
    kept = Kept()
    first = run(with_the_sdk(place, person(place, kept), "whoami"))
    assert first == ["guest-204 by guest-app"]
    assert "vip:enter" not in kept.tokens.scope
    both = run(with_the_sdk(place, person(place, kept), "whoami", "open_lounge"))
    assert both == ["guest-204 by guest-app", "The lounge is open."]
    assert {"room:enter", "vip:enter"} <= set(kept.tokens.scope.split())
    assert "IK523" in place.refusals


def test_the_sdk_s_machine_gets_in_by_client_credentials(place: Place) -> None:
    from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider

    auth = ClientCredentialsOAuthProvider(
        place.url, Kept(), "concierge", "concierge-secret", scope="room:enter", issuer=place.house.url
    )
    assert run(with_the_sdk(place, auth, "whoami")) == ["concierge by concierge"]


def test_fastmcp_s_client_gets_in(place: Place) -> None:
    from fastmcp import Client
    from fastmcp.client.auth import ClientCredentialsOAuthProvider

    async def work() -> list[str]:
        auth = ClientCredentialsOAuthProvider(
            place.url, client_id="concierge", client_secret="concierge-secret", scopes=["room:enter"],
            issuer=place.house.url,
        )  # fmt: skip
        async with Client(place.url, auth=auth) as client:
            return [tool.name for tool in await client.list_tools()] + [said(await client.call_tool("whoami"))]

    assert run(work()) == ["whoami", "open_lounge", "concierge by concierge"]


def token(place: Place, scope: str) -> str:
    answer = httpx2.post(
        f"{place.house.url}/token",
        data={"grant_type": "client_credentials", "scope": scope, "resource": place.url},
        auth=("concierge", "concierge-secret"),
    )
    return str(answer.json()["access_token"])


def inspected(place: Place, *arguments: str) -> tuple[int, str]:
    node = str(Path(sys.executable).with_name("node"))
    package = json.loads((INSPECTOR / "package.json").read_text("utf-8"))
    entry = package["bin"]["mcp-inspector"] if isinstance(package["bin"], dict) else package["bin"]
    command = [node, str(INSPECTOR / entry), "--cli", place.url, "--transport", "http", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, ran.stdout + ran.stderr


@pytest.mark.skipif(not INSPECTOR.exists(), reason="the MCP Inspector is not installed (npm ci in tests/interop/node)")
def test_the_inspector_lists_and_calls_tools_with_a_token_and_is_turned_away_without(place: Place) -> None:
    header = ("--header", f"Authorization: Bearer {token(place, 'room:enter')}")
    code, listed = inspected(place, *header, "--method", "tools/list")
    assert code == 0, listed
    assert "open_lounge" in listed
    code, called = inspected(place, *header, "--method", "tools/call", "--tool-name", "whoami")
    assert code == 0, called
    assert "concierge by concierge" in called
    code, _ = inspected(place, *header, "--method", "tools/call", "--tool-name", "open_lounge")
    assert code != 0
    code, without = inspected(place, "--stored-auth-only", "--method", "tools/list")
    assert code != 0, without
    assert "auth_required" in without
