"""Notes which refusals the tests of the issuer come to, so that one nobody comes to is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens import trail
from innkeeper.tokens.trail import Check, Seen, Step

HERE = Path(__file__).parent
LAST = "test_every_refusal_is_come_to"

_reached: set[str] = set()


@pytest.fixture(scope="session", autouse=True)
def reached() -> Iterator[set[str]]:
    """The numbers of the refusals that decisions came to so far."""

    def noted(check: Check[Any], outcome: Seen | Refusal) -> Step:
        if isinstance(outcome, Refusal):
            _reached.add(outcome.page.number)
        return Step(check, outcome)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trail, "Step", noted)
        yield _reached


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks back on all tests comes after them, and only where all of them run."""
    last = [item for item in items if item.name == LAST]
    items[:] = [item for item in items if item.name != LAST] + last
    run = {item.path for item in items}
    left_out = [file.name for file in HERE.rglob("test_*.py") if file not in run]
    for item in last:
        if left_out:
            item.add_marker(pytest.mark.skip(reason=f"needs all tests of the issuer; left out: {', '.join(left_out)}"))
