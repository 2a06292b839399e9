"""A headless agent at an MCP server: innkeeper's client is the `auth` of the HTTP client that the MCP Python SDK is given.

    innkeeper up &
    CLIENT_SECRET=concierge-secret python examples/agent_with_mcp_sdk.py whoami

The server's answers lead to the issuer; the token is got when the server asks for one, and more when a tool needs more, but
never beyond the ceiling. The secret goes to the issuer named here alone, whatever a server says. FastMCP takes the same
object: `fastmcp.Client(SERVER, auth=agent())`.
"""

import asyncio
import os
import sys

import httpx2
from mcp.client.client import Client as McpClient
from mcp.client.streamable_http import streamable_http_client

from innkeeper.client import Auth, Client, Secret
from innkeeper.client.mcp import McpSource, machine

ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:8400")
SERVER = os.environ.get("SERVER", f"{ISSUER}/hotel/mcp")
CEILING = frozenset({"room:enter", "gym:enter"})


def agent(issuer: str = ISSUER, server: str = SERVER) -> Auth:
    """The agent's tokens, for whatever HTTP client it calls tools with."""
    concierge = Client(os.environ.get("CLIENT_ID", "concierge"), Secret(os.environ["CLIENT_SECRET"]))
    return Auth(McpSource(server, machine(), clients={issuer: concierge}, ceiling=CEILING))


async def call(auth: httpx2.Auth, tool: str, server: str = SERVER) -> str:
    """What a tool of the server answers."""
    async with (
        httpx2.AsyncClient(auth=auth, timeout=30) as http,
        McpClient(streamable_http_client(server, http_client=http)) as client,
    ):
        return str((await client.call_tool(tool, {})).content[0].text)


if __name__ == "__main__":
    print(asyncio.run(call(agent(), sys.argv[1] if len(sys.argv) > 1 else "whoami")))
