"""Clients of MCP that others wrote, unmodified, know the address of the hotel's tools and nothing else: each finds the issuer,
registers, signs a guest in in the pages, and gets further when a tool needs more. And the protocol's own tool judges the server."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.conftest import NODE_PACKAGES
from tests.inn import Inn, free_port
from tests.interop.test_mcp_conformance import TOOL
from tests.interop.test_mcp_guard import served
from tests.interop.visitor import sent_back

pytestmark = [
    pytest.mark.interop,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Using in-memory token storage"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ROOT = Path(__file__).parents[2]
PACKAGES = NODE_PACKAGES / "node_modules"
LINK = re.compile(r"https?://\S+/authorize\?\S+")
SHUT = "The lounge is for guests who booked it."
"""What the tool says to Ada, once her program may ask at all."""


def tools(house: Inn) -> str:
    return f"{house.url}/hotel/mcp"


def scope_of(url: str) -> list[str]:
    return parse_qs(urlsplit(url).query)["scope"][0].split()


def bring_back(url: str) -> None:
    """A guest signs in in the pages, and their browser goes where they lead: to the program that waits there, soon."""
    answer = sent_back(url)
    with httpx2.Client(transport=httpx2.HTTPTransport(retries=8), timeout=20) as browser:
        browser.get(answer)


@contextmanager
def visiting(lines: Any, said: list[str] | None = None) -> Iterator[list[str]]:
    """Whatever address a program prints is visited, once; the addresses. ``said`` gets all that it printed."""
    visited: list[str] = []

    def read() -> None:
        for line in lines:
            if said is not None:
                said.append(line)
            link = LINK.search(line)
            if link and link[0] not in visited:
                visited.append(link[0])
                bring_back(link[0])

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    yield visited
    thread.join(20)


def node(*words: str, home: Path, **more: str) -> subprocess.Popen[str]:
    command = [str(Path(sys.executable).with_name("node")), *words]
    environment = {**os.environ, "HOME": str(home), "BROWSER": "true", **more}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment)


def test_the_typescript_sdk_registers_signs_in_and_steps_up(
    house: Inn, run_node: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    ran = run_node("mcp.js", "steps", json.dumps({"server": tools(house)}), sys.executable, str(ROOT))
    found = json.loads(ran.stdout)
    assert "failed" not in found, found
    who, lounge, still = found["said"]
    assert who.startswith("guest-204 (Ada Guest, room 204)")
    assert SHUT in lounge
    assert still == who
    assert found["asked"] == ["room:enter", "room:enter vip:enter"]


@pytest.mark.usefixtures("run_node")
@pytest.mark.skipif(not (PACKAGES / "mcp-remote").is_dir(), reason="mcp-remote is not installed (make setup)")
def test_mcp_remote_carries_a_local_program_s_calls_and_steps_up_between_two(house: Inn, tmp_path: Path) -> None:
    script = PACKAGES / "mcp-remote" / "dist" / "proxy.js"
    port = str(free_port())
    with node(str(script), tools(house), port, home=tmp_path, MCP_REMOTE_CONFIG_DIR=str(tmp_path)) as process:
        try:
            with visiting(process.stderr) as visited:
                hello = {
                    "protocolVersion": "2025-11-25",
                    "capabilities": {},
                    "clientInfo": {"name": "t", "version": "0"},
                }
                assert asked(process, 1, "initialize", hello)["serverInfo"]["name"] == "hotel"
                tell(process, {"method": "notifications/initialized"})
                who = asked(process, 2, "tools/call", {"name": "whoami", "arguments": {}})
                lounge = asked(process, 3, "tools/call", {"name": "open_lounge", "arguments": {}})
                process.kill()
        finally:
            process.kill()
    assert who["content"][0]["text"].startswith("guest-204")
    assert SHUT in lounge["content"][0]["text"]
    assert [set(scope_of(one)) for one in visited] == [
        {"room:enter", "offline_access"},
        {"room:enter", "offline_access", "vip:enter"},
    ]


def tell(process: subprocess.Popen[str], message: Mapping[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    process.stdin.flush()


def asked(process: subprocess.Popen[str], number: int, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    tell(process, {"id": number, "method": method, "params": params})
    assert process.stdout is not None
    for line in process.stdout:
        answer = json.loads(line)
        if answer.get("id") == number:
            result: dict[str, Any] = answer["result"]
            return result
    raise AssertionError("mcp-remote ended before it answered")


@pytest.mark.usefixtures("run_node")
@pytest.mark.skipif(
    not (PACKAGES / "@modelcontextprotocol" / "inspector").is_dir(),
    reason="the Inspector is not installed (make setup)",
)
def test_the_inspector_s_command_line_signs_in_by_itself_for_the_least_there_is(house: Inn, tmp_path: Path) -> None:
    """It asks for all that a server's metadata list, whatever the challenge says. A step-up is more than it manages: told to
    ask for more, it renews the token it has and gives up (2.12.0)."""
    package = PACKAGES / "@modelcontextprotocol" / "inspector"
    named = json.loads((package / "package.json").read_text("utf-8"))["bin"]
    entry = str(package / (named if isinstance(named, str) else named["mcp-inspector"]))
    callback = f"http://127.0.0.1:{free_port()}/oauth/callback"
    call = ("--cli", tools(house), "--transport", "http", "--callback-url", callback, "--method")
    called, asked_for = inspected(tmp_path, entry, *call, "tools/call", "--tool-name", "whoami")
    assert "guest-204 (Ada Guest, room 204)" in called
    assert [set(one) for one in asked_for] == [{"room:enter", "offline_access"}]


def inspected(home: Path, entry: str, *words: str) -> tuple[str, list[list[str]]]:
    """What the Inspector printed, and the scopes it asked for at each sign-in."""
    with node(entry, *words, home=home, MCP_AUTO_OPEN_ENABLED="true") as process:
        kill, beside = threading.Timer(150, process.kill), list[str]()
        kill.start()
        with visiting(process.stderr, beside) as visited:
            assert process.stdout is not None
            said = process.stdout.read()
        kill.cancel()
    return said + "".join(beside), [scope_of(one) for one in visited]


def test_fastmcp_s_client_signs_in_by_a_browser_and_steps_up(house: Inn, monkeypatch: pytest.MonkeyPatch) -> None:
    fastmcp = pytest.importorskip("fastmcp", reason="FastMCP is not installed")
    from fastmcp.client.auth import OAuth

    visited: list[str] = []

    def open_browser(url: str) -> bool:
        visited.append(url)
        threading.Thread(target=bring_back, args=(url,), daemon=True).start()
        return True

    monkeypatch.setattr(webbrowser, "open", open_browser)

    async def work() -> list[str]:
        auth = OAuth(tools(house), client_name="An agent", callback_port=free_port(), callback_host="127.0.0.1")
        async with fastmcp.Client(tools(house), auth=auth) as client:
            found = [await client.call_tool(tool, raise_on_error=False) for tool in ("whoami", "open_lounge")]
            return [str(one.content[0].text) for one in found]

    who, lounge = asyncio.run(asyncio.wait_for(work(), 60))
    assert who.startswith("guest-204 (Ada Guest, room 204)")
    assert SHUT in lounge
    assert "vip:enter" not in scope_of(visited[0])
    assert "vip:enter" in scope_of(visited[-1])


class Carrying:
    """A proxy that adds a token to each request: the protocol's own tool can send none to a server."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        sent = [(name, value.strip()) for name, value in scope["headers"] if name not in _HOP_BY_HOP]
        sent.append((b"authorization", f"Bearer {self._token}".encode()))
        async with (
            httpx2.AsyncClient(timeout=20) as http,
            http.stream(scope["method"], self._url, content=body, headers=sent) as answer,
        ):
            kept = [(name, value) for name, value in answer.headers.raw if name.lower() not in _HOP_BY_HOP]
            await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
            gone = asyncio.create_task(_gone(receive))
            try:
                async for chunk in answer.aiter_raw():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    if gone.done():
                        break
            finally:
                gone.cancel()
            await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Any) -> None:
    """Return once whoever asked has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


_HOP_BY_HOP = {b"connection", b"content-encoding", b"content-length", b"date", b"server", b"transfer-encoding"}

OF_A_TEST_SERVER = [
    "tools-call-image",
    "tools-call-audio",
    "tools-call-embedded-resource",
    "tools-call-mixed-content",
    "tools-call-with-progress",
    "resources-read-text",
    "resources-read-binary",
    "resources-templates-read",
    "prompts-get-simple",
    "prompts-get-with-args",
    "prompts-get-embedded-resource",
    "prompts-get-with-image",
    "completion-complete",
    "input-required-result-basic-elicitation",
    "input-required-result-basic-sampling",
    "input-required-result-basic-list-roots",
    "input-required-result-request-state",
    "input-required-result-multiple-input-requests",
    "input-required-result-multi-round",
    "input-required-result-non-tool-request",
    "input-required-result-result-type",
    "input-required-result-tampered-state",
    "input-required-result-capability-check",
    "input-required-result-missing-input-response",
    "input-required-result-validate-input",
    "json-schema-2020-12",
    "http-custom-header-server-validation",
    "server-stateless:sep-2575-server-rejects-undeclared-capability",
    "server-stateless:sep-2575-missing-capability-http-400",
]
"""What calls tools, resources and prompts of the tool's own test server (``test_simple_text`` and the like), which no other
server has: it cannot pass at a hotel."""

SHOULDS = [
    "server-stateless:sep-2575-server-identifies-in-result-meta",
    "server-stateless:sep-2575-server-sends-prompts-list-changed-on-subscription",
    "server-stateless:sep-2575-server-sends-tools-list-changed-on-subscription",
]
"""Warnings, not failures: the SDK's server does not name itself in the first, and the hotel's tools never change."""

OF_TASKS = [
    "tasks-lifecycle",
    "tasks-capability-negotiation",
    "tasks-wire-fields",
    "tasks-request-state-removal",
    "tasks-mrtr-input",
    "tasks-request-headers",
    "tasks-dispatch-and-envelope",
    "tasks-required-task-error",
    "tasks-mrtr-composition",
]
"""An extension that the hotel does not speak; the tool does not score it."""


@pytest.mark.usefixtures("run_node")
def test_the_protocol_s_own_tool_finds_nothing_unexpected_in_the_server(
    house: Inn, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    form = {"grant_type": "client_credentials", "scope": "room:enter", "resource": tools(house)}
    proof = ("concierge", "concierge-secret")
    token = httpx2.post(f"{house.url}/token", data=form, auth=proof, timeout=20).json()["access_token"]
    expected_to_fail = OF_A_TEST_SERVER + OF_TASKS + SHOULDS
    expected = tmp_path / "expected.yml"
    expected.write_text("server:\n" + "".join(f"  - {one}\n" for one in expected_to_fail))
    port = free_port()
    with served(Carrying(tools(house), token), port):
        words = ["server", "--url", f"http://127.0.0.1:{port}/hotel/mcp", "--requirements", "2026-07-28"]
        command = [str(Path(sys.executable).with_name("node")), str(TOOL), *words]
        more = ["--expected-failures", str(expected), "-o", str(tmp_path / "out")]
        ran = subprocess.run([*command, *more], capture_output=True, text=True, timeout=240, check=False)
    passed = re.findall(r"^✓ ([a-z0-9-]+): ([0-9]+) passed, 0 failed", ran.stdout, re.MULTILINE)
    count = f"{len(passed)} scenarios, {sum(int(one) for _, one in passed)} checks; expected to fail: {len(expected_to_fail)}"
    record_property("mcp server conformance", count)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert {"tools-list", "tools-call-error", "dns-rebinding-protection", "caching"} <= {name for name, _ in passed}
