"""Run ``examples/agent_with_langchain.py`` with a model that follows a script: it calls the tools it is told, then says what they
answered. Run as ``python langchain_agent.py EXAMPLES SERVER ISSUER PERSON CALLS``; prints what the tools answered, as JSON."""

import asyncio
import json
import sys
from typing import Any

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage

examples, server, issuer, person, calls = sys.argv[1:]
sys.path.insert(0, examples)

import agent_with_langchain as shown  # noqa: E402


class Scripted(GenericFakeChatModel):
    """LangChain's own fake model, which knows no tools; it is told which there are and needs no telling."""

    def bind_tools(self, tools: Any, **_: Any) -> "Scripted":
        return self


def message(number: int, tool: str, said: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": tool, "args": said, "id": f"call-{number}"}])


async def main() -> list[str]:
    script = [*(message(number, *call) for number, call in enumerate(json.loads(calls))), AIMessage("Done.")]
    auth = shown.tokens(person, issuer, server)
    agent = await shown.make_agent(Scripted(messages=iter(script)), auth, server)
    ended = await agent.ainvoke({"messages": [("user", "Do it.")]})
    return [str(one.content) for one in ended["messages"] if isinstance(one, ToolMessage)]


print(json.dumps(asyncio.run(main())))
