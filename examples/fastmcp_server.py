"""The same with FastMCP: the guard is its auth provider.

    innkeeper up &
    uvicorn --app-dir examples fastmcp_server:app --port 8502

`RESOURCE` is the URL at which clients reach this server; the issuer has to know it.
"""

import os
from typing import Any

from fastmcp import FastMCP
from fastmcp.server.dependencies import get_access_token

from innkeeper.guard import Guard, need
from innkeeper.guard.fastmcp import provider


def make_app(guard: Guard) -> Any:
    """The server, as an ASGI application."""
    auth = provider(guard, needed=["room:enter"], tools={"open_lounge": need("vip:enter")}, open=["/health"])
    server: Any = FastMCP("door", auth=auth)

    @server.tool
    def whoami() -> str:
        """Who is calling, and on whose behalf."""
        caller = get_access_token()
        return f"{caller.claims['sub']} by {caller.client_id}" if caller else "nobody"

    @server.tool
    def open_lounge() -> str:
        """Open the VIP lounge."""
        return "The lounge is open."

    return server.http_app()


RESOURCE = os.environ.get("RESOURCE", "http://127.0.0.1:8502/mcp")
app = make_app(
    Guard(
        issuer=os.environ.get("ISSUER", "http://127.0.0.1:8400"),
        audience=os.environ.get("AUDIENCE", RESOURCE),
        resource=RESOURCE,
        scopes_supported=["room:enter"],
    )
)
