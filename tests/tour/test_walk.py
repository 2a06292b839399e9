"""The tour without a screen, against a running house."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from innkeeper.protocol.refusals import Unreachable
from innkeeper.tour.walk import Seed, StepResult, walk
from tests.inn import Inn, free_port, open_inn


def walked(url: str, seed: Seed | None = None) -> list[StepResult]:
    async def work() -> list[StepResult]:
        return [step async for step in walk(url, seed=seed)]

    return asyncio.run(work())


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Inn]:
    """A house whose keys nobody has changed a moment ago: its doors look for unknown ones once a second."""
    with open_inn(tmp_path) as inn:
        yield inn


def test_both_flows_go_as_expected_and_each_decision_shows_its_checks(untouched: Inn) -> None:
    house = untouched
    steps = walked(house.url)
    assert [(step.title, step.outcome) for step in steps if not step.ok] == []
    assert [step.flow for step in steps] == ["agent"] * 9 + ["guest"] * 9
    assert {step.page for step in steps} == {steps[0].page}
    assert steps[0].page.startswith(f"{house.url}/tour/visits/")
    refused = [step for step in steps if step.outcome.startswith(("401", "403", "invalid_grant"))]
    assert len(refused) >= 9
    assert all(step.trail and step.trail["refusal"] for step in refused)


def test_a_wrong_password_is_a_surprise_and_ends_that_flow(house: Inn) -> None:
    steps = walked(house.url, Seed(password="wrong"))
    surprises = ["The guest signs in and allows the app", "The app exchanges the code for a keycard"]
    assert [step.title for step in steps if not step.ok] == surprises


def test_a_wrong_secret_is_a_surprise_and_the_guest_still_walks(house: Inn) -> None:
    steps = walked(house.url, Seed(agent=("concierge", "wrong")))
    (surprise,) = [step for step in steps if not step.ok]
    assert surprise.outcome.startswith("invalid_client")
    assert sum(step.flow == "guest" for step in steps) == 9


def test_a_house_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="does not answer"):
        walked(f"http://127.0.0.1:{free_port()}")


def test_walking_loads_no_server() -> None:
    code = "import sys, innkeeper.tour.walk; sys.exit(bool({'starlette', 'jinja2', 'uvicorn'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
