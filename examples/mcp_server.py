"""An MCP server behind the guard, with the MCP Python SDK: one tool for everybody who signed in, one that needs more.

    innkeeper up &
    uvicorn --app-dir examples mcp_server:app --port 8501

`RESOURCE` is the URL at which clients reach this server. The issuer has to know it: add it to innkeeper.toml, or try with the
hotel's own, http://127.0.0.1:8400/hotel/mcp, as `AUDIENCE`.
"""

import os

from mcp.server import MCPServer
from mcp.server.auth.middleware.auth_context import get_access_token

from innkeeper.guard import Guard, need
from innkeeper.guard.mcp import McpGuard


def make_app(guard: Guard) -> McpGuard:
    """The server. What a tool needs stands beside the guard, not in the tool."""
    server = MCPServer("door")

    @server.tool()
    def whoami() -> str:
        """Who is calling, and on whose behalf."""
        caller = get_access_token()
        return f"{caller.subject} by {caller.client_id}" if caller else "nobody"

    @server.tool()
    def open_lounge() -> str:
        """Open the VIP lounge."""
        return "The lounge is open."

    return McpGuard(
        server.streamable_http_app(), guard, needed=["room:enter"], tools={"open_lounge": need("vip:enter")}
    )


RESOURCE = os.environ.get("RESOURCE", "http://127.0.0.1:8501/mcp")
app = make_app(
    Guard(
        issuer=os.environ.get("ISSUER", "http://127.0.0.1:8400"),
        audience=os.environ.get("AUDIENCE", RESOURCE),
        resource=RESOURCE,
        scopes_supported=["room:enter"],
    )
)
