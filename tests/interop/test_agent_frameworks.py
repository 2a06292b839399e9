"""Agents of frameworks that others wrote call the hotel's tools with our client's auth, as the programs in ``examples/`` show it.

No model is asked: each framework's own test model, or one that follows a script, chooses the tools.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from innkeeper.client import Auth, Client
from innkeeper.client.mcp import McpSource, person
from tests.guard.examples import EXAMPLES, example
from tests.inn import Inn
from tests.interop.test_hotel_tools import Person, call, tools

pytest.importorskip("mcp", reason="the MCP SDK is not installed")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

DRIVERS = Path(__file__).parent / "outside"
FOR_ADA = "guest-204 (Ada Guest, room 204) by spa-agent"
FOR_ITSELF = "spa-agent (nobody in the book) by spa-agent"
SPA, GYM = ("book_spa", {"hour": 20}), ("open_gym", {})
WHO: tuple[str, dict[str, Any]] = ("whoami", {})

Run = Callable[..., list[str]]


@pytest.fixture(scope="module")
def adas(house: Inn) -> str:
    """A token that the guest's app has for the tools: it opens more than any agent is given."""
    known = {house.url: Client("guest-app")}
    source = McpSource(tools(house), person(Person()), clients=known)
    with httpx2.Client(auth=Auth(source), timeout=20) as api:
        for tool, said in (WHO, GYM, SPA):
            call(api, house, tool, **said)
    assert source.token is not None
    return source.token.access_token


@pytest.fixture(autouse=True)
def _the_agents_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENT_ID", "spa-agent")
    monkeypatch.setenv("CLIENT_SECRET", "spa-agent-secret")


def pydantic_ai(house: Inn, token: str, *calls: tuple[str, dict[str, Any]]) -> list[str]:
    """What the tools answer a Pydantic AI agent whose model calls them one after the other."""
    pytest.importorskip("pydantic_ai", reason="Pydantic AI is not installed")
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, ToolReturnPart
    from pydantic_ai.models.function import FunctionModel

    script = iter(calls)

    def model(_: Any, __: Any) -> ModelResponse:
        tool, said = next(script, ("", {}))
        return ModelResponse(parts=[ToolCallPart(tool, said) if tool else TextPart("Done.")])

    async def work() -> Any:
        agent = example("agent_with_pydantic_ai").make_agent(FunctionModel(model), house.url, tools(house))
        return await agent.run("Do it.", deps=token)

    said = asyncio.run(asyncio.wait_for(work(), 60)).all_messages()
    return [str(part.content) for one in said for part in one.parts if isinstance(part, ToolReturnPart)]


@pytest.fixture
def langchain(outsider: Callable[[str], Path]) -> Run:
    return _driven(outsider("langchain"), "langchain_agent.py")


@pytest.fixture
def strands(outsider: Callable[[str], Path]) -> Run:
    return _driven(outsider("strands"), "strands_agent.py")


def _driven(home: Path, driver: str) -> Run:
    def run(house: Inn, token: str, *calls: tuple[str, dict[str, Any]]) -> list[str]:
        words = [str(EXAMPLES), tools(house), house.url, token, json.dumps(calls)]
        command = [str(home / "bin" / "python"), "-W", "ignore", str(DRIVERS / driver), *words]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ})
        assert ran.returncode == 0, ran.stderr[-3000:]
        found: list[str] = json.loads(ran.stdout.splitlines()[-1])
        return found

    return run


def calls_for_ada(run: Run, house: Inn, adas: str) -> None:
    """The agent acts for her, with what it may have of what she allowed."""
    who, spa = run(house, adas, WHO, SPA)
    assert FOR_ADA in who
    assert "The spa" in spa


def calls_for_itself(run: Run, house: Inn) -> None:
    """Without somebody's token it is nobody but itself."""
    assert FOR_ITSELF in run(house, "", WHO)[0]


def is_refused(run: Run, house: Inn, adas: str) -> None:
    """She has the gym, and the agent may have it; the program that runs it set a lower ceiling. And another guest's room is
    no tool's to open, which the model reads in its answer."""
    gym, room = run(house, adas, GYM, ("open_room", {"number": 305}))
    assert "error" in gym
    assert "open" not in gym
    assert "This room is not yours." in room


def test_a_pydantic_ai_agent_acts_for_the_person_of_each_run(house: Inn, adas: str) -> None:
    calls_for_ada(pydantic_ai, house, adas)
    calls_for_itself(pydantic_ai, house)
    is_refused(pydantic_ai, house, adas)


@pytest.mark.outside
def test_a_langchain_agent_acts_for_a_person(house: Inn, adas: str, langchain: Run) -> None:
    calls_for_ada(langchain, house, adas)
    calls_for_itself(langchain, house)
    with pytest.raises(AssertionError, match="403 Forbidden"):
        langchain(house, adas, GYM)


@pytest.mark.outside
def test_a_strands_agent_acts_for_a_person(house: Inn, adas: str, strands: Run) -> None:
    calls_for_ada(strands, house, adas)
    calls_for_itself(strands, house)
    is_refused(strands, house, adas)
