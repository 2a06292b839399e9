"""A LangChain agent, which is a LangGraph graph, with the hotel's tools: innkeeper's client is the `auth` of the connection.

    innkeeper up &
    pip install langchain langchain-openai langchain-mcp-adapters 'innkeeper[httpx]'
    export CLIENT_ID=spa-agent CLIENT_SECRET=spa-agent-secret OPENAI_API_KEY=…
    python examples/agent_with_langchain.py "Book me the spa at eight"

`PERSON` holds the token of the person it acts for, cut for the agent's own API or for the tools; without it the agent acts for
itself. Make one agent for each person. The model sees no token: it chooses tools, and the HTTP client shows the card.
"""

import asyncio
import os
import sys
from typing import Any

from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_mcp_adapters.client import MultiServerMCPClient

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


async def make_agent(model: Any, auth: Auth, server: str = SERVER) -> Any:
    """An agent with the server's tools. Each call opens a session of its own; the tokens are kept between them."""
    hotel = MultiServerMCPClient({"hotel": {"transport": "http", "url": server, "auth": auth}})
    return create_agent(model, await hotel.get_tools())


async def main(wish: str) -> None:
    model = init_chat_model(os.environ.get("MODEL", "openai:gpt-5"))
    agent = await make_agent(model, tokens(os.environ.get("PERSON", "")))
    said = await agent.ainvoke({"messages": [("user", wish)]})
    print(said["messages"][-1].content)


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "Whom do you act for?"))
