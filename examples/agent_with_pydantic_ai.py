"""A Pydantic AI agent with the hotel's tools. Each run acts for the person whose token it is given, and for nobody else.

    innkeeper up &
    pip install 'pydantic-ai-slim[mcp,openai]' innkeeper
    export CLIENT_ID=spa-agent CLIENT_SECRET=spa-agent-secret OPENAI_API_KEY=…
    python examples/agent_with_pydantic_ai.py "Book me the spa at eight"

`PERSON` holds the person's token, cut for the agent's own API or for the tools; without it the agent acts for itself. The
model sees no token: it chooses tools, and the HTTP client shows the card.
"""

import asyncio
import os
import sys

from pydantic_ai import Agent, RunContext
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.models import Model

from innkeeper.client import Auth, Client, Secret
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


def make_agent(model: Model | str, issuer: str = ISSUER, server: str = SERVER) -> Agent[str, str]:
    """An agent whose runs are told the person's token as ``deps``, and get a session of their own with the tools."""

    def for_this_run(context: RunContext[str]) -> Auth:
        return tokens(context.deps, issuer, server)

    return Agent(model, deps_type=str, toolsets=[MCPToolset(server, auth=for_this_run)])


async def main(wish: str) -> None:
    print(
        (await make_agent(os.environ.get("MODEL", "openai:gpt-5")).run(wish, deps=os.environ.get("PERSON", ""))).output
    )


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "Whom do you act for?"))
