"""Which reference pages there are, each with the function that writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generate import (
    admin_api,
    checks,
    claims,
    commands,
    discovery,
    endpoints,
    floor_plan,
    parity,
    refusals,
    settings,
    terraform,
)

REFERENCE = Path(__file__).parents[1] / "reference"
PARITY = Path(__file__).parents[1] / "parity"

WRITERS: Mapping[str, Callable[[], str]] = {
    "admin-api.md": admin_api.page,
    "checks.md": checks.page,
    "claims.md": claims.page,
    "commands.md": commands.page,
    "discovery.md": discovery.page,
    "endpoints.md": endpoints.page,
    "floor-plan.md": floor_plan.page,
    "refusals.md": refusals.page,
    "settings.md": settings.page,
    "terraform.md": terraform.page,
}

NOTICE = "<!-- Written from the code by `make docs`; edits here are lost. -->"


def pages(*names: str) -> dict[str, str]:
    """The text of the named reference pages, or of all, by file name."""
    return {name: f"{NOTICE}\n\n{WRITERS[name]()}" for name in names or WRITERS}


def parity_pages() -> dict[str, str]:
    """The text of each twin's page about what it does as its cloud does, by file name."""
    return {f"{twin}.md": f"{NOTICE}\n\n{parity.page(twin)}" for twin in parity.twins()}


def module_readmes() -> dict[Path, str]:
    """The text of the README of each Terraform module, by its file."""
    return {terraform.ROOT / name / "README.md": f"{NOTICE}\n\n{text}\n" for name, text in terraform.readmes().items()}
