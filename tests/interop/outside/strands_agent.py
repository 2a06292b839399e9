"""Run ``examples/agent_with_strands.py`` with a model that follows a script: it calls the tools it is told, then ends.
Run as ``python strands_agent.py EXAMPLES SERVER ISSUER PERSON CALLS``; prints what the tools answered, as JSON."""

import json
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

from strands.models import Model

examples, server, issuer, person, calls = sys.argv[1:]
sys.path.insert(0, examples)

import agent_with_strands as shown  # noqa: E402


class Scripted(Model):
    """Says the next line of its script each time it is asked: a call of a tool, and at the end a word."""

    def __init__(self, script: list[tuple[str, Any]]) -> None:
        self._script = iter(enumerate(script))

    def update_config(self, **_: Any) -> None:
        """It has none."""

    def get_config(self) -> dict[str, Any]:
        return {}

    async def structured_output(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        raise NotImplementedError
        yield

    async def stream(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        for event in self._said():
            yield event

    def _said(self) -> Iterator[dict[str, Any]]:
        number, (tool, given) = next(self._script, (0, ("", None)))
        use = {"toolUse": {"name": tool, "toolUseId": f"call-{number}"}}
        said = {"toolUse": {"input": json.dumps(given)}} if tool else {"text": "Done."}
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockStart": {"start": use if tool else {}}}
        yield {"contentBlockDelta": {"delta": said}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "tool_use" if tool else "end_turn"}}


agent = shown.make_agent(Scripted(json.loads(calls)), shown.tokens(person, issuer, server), server)
agent("Do it.")
results = [one["toolResult"] for turn in agent.messages for one in turn["content"] if "toolResult" in one]
print(json.dumps(["".join(part.get("text", "") for part in one["content"]) for one in results]))
agent.cleanup()
