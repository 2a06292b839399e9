"""A Strands agent with the hotel's tools: innkeeper's client is the `auth_provider` of its MCP client.

    innkeeper up &
    pip install strands-agents 'innkeeper[httpx]'
    export CLIENT_ID=spa-agent CLIENT_SECRET=spa-agent-secret AWS_PROFILE=…
    python examples/agent_with_strands.py "Book me the spa at eight"

`PERSON` holds the token of the person it acts for, cut for the agent's own API or for the tools; without it the agent acts for
itself. Make one agent for each person. The model sees no token: it chooses tools, and the HTTP client shows the card.
"""

import os
import sys
from typing import Any

from strands import Agent
from strands.tools.mcp import MCPClient

from innkeeper.client import Client, Secret
from innkeeper.client.httpx_auth import Auth
from innkeeper.client.mcp import McpSource, acting_for, machine

ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:8400")
SERVER = os.environ.get("SERVER", f"{ISSUER}/hotel/mcp")
CEILING = frozenset({"room:enter", "spa:book"})
"""All that is ever asked for, whatever a tool says that it needs."""


def tokens(person: str = "", issuer: str = ISSUER, server: str = SERVER) -> Auth:
    """The agent's tokens: for the person whose token is given, or without one in its own name."""
    me = Client(os.environ.get("CLIENT_ID", "spa-agent"), Secret(os.environ["CLIENT_SECRET"]))
    grant = acting_for(person) if person else machine()
    return Auth(McpSource(server, grant, clients={issuer: me}, ceiling=CEILING))


def make_agent(model: Any, auth: Auth, server: str = SERVER) -> Agent:
    """An agent with the server's tools, in one session with it for as long as the agent lives."""
    return Agent(model=model, tools=[MCPClient(url=server, auth_provider=auth)], callback_handler=None)


if __name__ == "__main__":
    wish = " ".join(sys.argv[1:]) or "Whom do you act for?"
    print(make_agent(os.environ.get("MODEL"), tokens(os.environ.get("PERSON", "")))(wish))
