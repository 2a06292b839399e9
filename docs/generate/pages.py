"""Which reference pages there are, each with the function that writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generate import checks, floor_plan, refusals

REFERENCE = Path(__file__).parents[1] / "reference"

WRITERS: Mapping[str, Callable[[], str]] = {
    "checks.md": checks.page,
    "floor-plan.md": floor_plan.page,
    "refusals.md": refusals.page,
}

NOTICE = "<!-- Written from the code by `make docs`; edits here are lost. -->"


def pages() -> dict[str, str]:
    """The text of every reference page by file name."""
    return {name: f"{NOTICE}\n\n{write()}" for name, write in WRITERS.items()}
