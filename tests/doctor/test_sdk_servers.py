"""The doctor at real MCP servers: one behind our guard is well, one behind the SDK's own has the gaps we know of."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from innkeeper.doctor.examination import examine_mcp
from innkeeper.doctor.findings import Severity
from innkeeper.guard import Guard, need
from innkeeper.testing import IssuerForTests, serving
from tests.doctor.worlds import numbers

mcp = pytest.importorskip("mcp.server", reason="the MCP SDK is not installed")

_GAPS = {"IK856", "IK857", "IK858", "IK860", "IK866"}
"""No scope in the challenge, an error without credentials, no CORS, no metadata at the root, preflights turned away."""


class _Announced(uvicorn.Server):
    """Tells when it answers."""

    ready: threading.Event

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def running(make: Callable[[str], Any]) -> Iterator[str]:
    """An MCP server inside the block; ``make`` gets its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        server = _Announced(uvicorn.Config(make(url), log_config=None, access_log=False))
        server.ready = threading.Event()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        assert server.ready.wait(30)
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.fixture(scope="module")
def issuer() -> Iterator[IssuerForTests]:
    with serving() as opened:
        yield opened


def test_a_server_behind_our_guard_is_well(issuer: IssuerForTests) -> None:
    from innkeeper.guard.mcp import McpGuard

    def make(url: str) -> Any:
        server = mcp.MCPServer("tools")
        guard = Guard(issuer.url, url, resource=url, scopes_supported=["orders:read"])
        tools = {"hello": need("orders:write")}
        return McpGuard(server.streamable_http_app(), guard, needed=["orders:read"], tools=tools)

    with running(make) as url:
        assert list(examine_mcp(url).findings(Severity.WARNING)) == []


def test_the_gaps_of_the_sdks_own_guard_are_found(issuer: IssuerForTests) -> None:
    from mcp.server.auth.settings import AuthSettings

    class Nobody:
        async def verify_token(self, token: str) -> None:
            return None

    def make(url: str) -> Any:
        auth = AuthSettings(
            issuer_url=issuer.url,
            resource_server_url=url,
            required_scopes=["orders:read"],
            validate_token_resource=True,
        )
        return mcp.MCPServer("tools", token_verifier=Nobody(), auth=auth).streamable_http_app()

    with running(make) as url:
        assert numbers(examine_mcp(url)) - {"IK831"} == _GAPS
