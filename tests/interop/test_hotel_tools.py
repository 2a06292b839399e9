"""The hotel's own MCP server, as ``innkeeper up`` serves it: clients that others wrote find their way in and step up, and a
guest allows an order on a page of their own."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from msgspec.structs import replace

from innkeeper.client import Auth, Client, FileCache, Secret
from innkeeper.client.mcp import McpSource, machine, person
from innkeeper.client.registration import Description
from tests.cli.guest import ANSWERS, Form
from tests.guard.examples import example
from tests.inn import Inn
from tests.interop.visitor import sent_back

pytest.importorskip("mcp", reason="the MCP SDK is not installed")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CALLBACK = "http://127.0.0.1:33418/callback"


def tools(house: Inn) -> str:
    return f"{house.url}/hotel/mcp"


def wait_for(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, 60))


class Kept:
    """What the SDK's client remembers."""

    tokens: Any = None
    info: Any = None

    async def get_tokens(self) -> Any:
        return self.tokens

    async def set_tokens(self, tokens: Any) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> Any:
        return self.info

    async def set_client_info(self, info: Any) -> None:
        self.info = info


def stranger(house: Inn, kept: Kept, visited: list[str]) -> Any:
    """The SDK's client, which knows the address of the tools and nothing else: it registers itself."""
    from mcp.client.auth import OAuthClientProvider
    from mcp.client.auth.oauth2 import AuthorizationCodeResult
    from mcp.shared.auth import OAuthClientMetadata

    answers: list[str] = []

    async def to_the_pages(url: str) -> None:
        visited.append(url)
        answers.append(await asyncio.to_thread(sent_back, url))

    async def answered() -> AuthorizationCodeResult:
        query = {name: values[0] for name, values in parse_qs(urlsplit(answers[-1]).query).items()}
        return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))

    said = OAuthClientMetadata(client_name="An agent", redirect_uris=[CALLBACK], token_endpoint_auth_method="none")
    return OAuthClientProvider(tools(house), said, kept, to_the_pages, answered)


async def called(house: Inn, auth: Any, *calls: tuple[str, dict[str, Any]]) -> list[str]:
    from mcp.client.client import Client as McpClient
    from mcp.client.streamable_http import streamable_http_client

    async with (
        httpx2.AsyncClient(auth=auth, timeout=20) as http,
        McpClient(streamable_http_client(tools(house), http_client=http)) as client,
    ):
        return [str((await client.call_tool(tool, said)).content[0].text) for tool, said in calls]


def allow_what_waits(house: Inn, decision: str = "allow") -> str:
    """The guest opens the page of what waits, reads what is asked, and answers; the question as it was shown."""
    with httpx2.Client(base_url=house.url, follow_redirects=True, timeout=20) as browser:
        page = browser.get("/approvals")
        form = Form(page.text)
        filled = {name: ANSWERS.get(name, value) for name, value in form.fields.items()}
        page = browser.post(page.url.join(form.action), data=filled | form.buttons["sign-in"])
        first = re.search(r'href="([^"]*\?request=[0-9a-f]+)"', page.text)
        assert first, page.text
        shown = browser.get(page.url.join(first[1]))
        form = Form(shown.text)
        browser.post(shown.url.join(form.action), data=form.fields | form.buttons[decision]).raise_for_status()
        return shown.text


def test_the_sdk_s_client_registers_signs_a_guest_in_and_steps_up_tool_by_tool(house: Inn) -> None:
    kept, visited = Kept(), list[str]()
    auth = stranger(house, kept, visited)
    calls = ("whoami", {}), ("open_lounge", {}), ("book_spa", {"hour": 20}), ("whoami", {})
    who, lounge, spa, still = wait_for(called(house, auth, *calls))
    assert who.startswith("guest-204 (Ada Guest, room 204)")
    assert "The lounge is for guests who booked it." in lounge
    assert "The spa" in spa
    assert still == who
    asked = [parse_qs(urlsplit(one).query)["scope"][0].split() for one in visited]
    assert "vip:enter" not in asked[0]
    assert {"room:enter", "vip:enter"} <= set(asked[1])
    assert {"room:enter", "vip:enter", "spa:book"} <= set(asked[2])
    assert len(visited) == 3
    assert {"vip:enter", "spa:book"} <= set(kept.tokens.scope.split())


@pytest.mark.parametrize(
    ("decision", "comes"), [("allow", "is on its way to room 204"), ("deny", "did not allow the order")]
)
def test_an_order_comes_once_the_guest_has_allowed_it_in_plain_words(house: Inn, decision: str, comes: str) -> None:
    kept = Kept()
    placed = wait_for(called(house, stranger(house, kept, []), ("order_to_room", {"dish": "ice cream"})))[0]
    number = re.search(r"Order (\d+) waits for Ada Guest", placed)
    assert number, placed
    shown = " ".join(re.sub(r"<[^>]+>", "", allow_what_waits(house, decision)).split())
    assert "Room service" in shown
    assert f"Order {number[1]}: ice cream, 9 euros, room 204" in shown
    assert "Ice cream, to room 204, for at most 9 euros" in shown
    assert comes in wait_for(called(house, stranger(house, kept, []), ("order_status", {"order": int(number[1])})))[0]


class Person:
    """A guest who signs in in the pages."""

    redirect_uri = CALLBACK

    def __init__(self) -> None:
        self.urls: list[str] = []

    def visit(self, url: str) -> str:
        self.urls.append(url)
        return urlsplit(sent_back(url)).query


def call(api: httpx2.Client, house: Inn, tool: str, **arguments: Any) -> httpx2.Response:
    said, sent = request(house, tool, **arguments)
    return api.post(tools(house), json=said, headers=sent)


def request(_: Inn, tool: str, **arguments: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """A call as the body and headers of a request."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "innkeeper", "version": "0"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    said = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": tool,
    }
    return said, headers


def test_innkeeper_s_own_client_steps_up_within_its_ceiling(house: Inn) -> None:
    guest = Person()
    ceiling = frozenset({"room:enter", "gym:enter", "offline_access"})
    source = McpSource(tools(house), person(guest), description=Description("An agent", (CALLBACK,)), ceiling=ceiling)
    with httpx2.Client(auth=Auth(source), timeout=20) as api:
        assert "guest-204" in call(api, house, "whoami").text
        assert call(api, house, "open_gym").status_code == 200
        assert call(api, house, "open_lounge").status_code == 403
    assert len(guest.urls) == 2
    assert not any("vip" in one for one in guest.urls)


def test_a_program_that_registered_itself_is_let_in_in_its_next_run_too(house: Inn, tmp_path: Path) -> None:
    """It is known by its id alone then, and what it kept is renewed with that."""
    cache, guest = FileCache(tmp_path), Person()

    def run() -> int:
        described = Description("A program that keeps", (CALLBACK,))
        source = McpSource(tools(house), person(guest), description=described, cache=cache, account="ada")
        with httpx2.Client(auth=Auth(source), timeout=20) as api:
            return call(api, house, "whoami").status_code

    assert [run(), run()] == [200, 200]
    (key,) = cache.kept()
    slot = cache.slot(key)
    assert slot.try_lock()
    kept = slot.read()
    assert kept is not None
    slot.write(replace(kept, expires_at=1))
    slot.release()
    assert run() == 200
    assert len(guest.urls) == 1
    renewed = cache.slot(key).read()
    assert renewed is not None
    assert renewed.access_token != kept.access_token


def test_the_doctor_finds_nothing_wrong(house: Inn) -> None:
    command = [str(Path(sys.executable).with_name("innkeeper")), "doctor", "--mcp", tools(house)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout
    assert re.search(r"Found: (nothing|1 note)", ran.stdout), ran.stdout


def test_the_example_s_agent_gets_in_headless_and_stops_at_its_ceiling(
    house: Inn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT_SECRET", "concierge-secret")
    shown = example("agent_with_mcp_sdk")
    auth = shown.agent(house.url, tools(house))
    assert wait_for(shown.call(auth, "whoami", tools(house))).endswith("by concierge")
    assert "more than" not in wait_for(shown.call(auth, "open_gym", tools(house)))
    with httpx2.Client(auth=shown.agent(house.url, tools(house)), timeout=20) as api:
        assert call(api, house, "open_lounge").status_code == 403


def test_fastmcp_takes_the_same_auth(house: Inn, monkeypatch: pytest.MonkeyPatch) -> None:
    fastmcp = pytest.importorskip("fastmcp", reason="FastMCP is not installed")
    monkeypatch.setenv("CLIENT_SECRET", "concierge-secret")
    auth = example("agent_with_mcp_sdk").agent(house.url, tools(house))

    async def work() -> str:
        async with fastmcp.Client(tools(house), auth=auth) as client:
            return str((await client.call_tool("whoami")).content[0].text)

    assert wait_for(work()).endswith("by concierge")


def test_the_auth_for_httpx_opens_the_same_tools(house: Inn) -> None:
    """Agent frameworks whose MCP adapters stand on httpx take this one."""
    httpx = pytest.importorskip("httpx", reason="httpx is not installed")
    from innkeeper.client.httpx_auth import Auth as HttpxAuth

    known = {house.url: Client("concierge", Secret("concierge-secret"))}
    source = McpSource(tools(house), machine(), clients=known, ceiling=frozenset({"room:enter"}))

    async def work() -> list[int]:
        async with httpx.AsyncClient(auth=HttpxAuth(source), timeout=20) as api:
            requests = [request(house, tool) for tool in ("whoami", "open_gym")]
            return [(await api.post(tools(house), json=said, headers=sent)).status_code for said, sent in requests]

    assert wait_for(work()) == [200, 403]
