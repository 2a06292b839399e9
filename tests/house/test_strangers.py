"""Whoever needs one wing loads no other: proved in a fresh interpreter, where nothing is loaded yet."""

from __future__ import annotations

import subprocess
import sys

import pytest

from docs.generate.modules import modules

SERVER = ("alembic", "argon2", "asyncpg", "innkeeper.issuer", "jinja2", "sqlite3", "starlette", "structlog", "uvicorn")
FRAMEWORKS = {"innkeeper.guard.fastapi", "innkeeper.guard.mcp"}
"""Adapters to a framework load that framework; nothing else in the guard loads them."""

WINGS = {
    wing: [module.name for module in modules() if f"{module.name}.".startswith(f"{wing}.")]
    for wing in ("innkeeper", "innkeeper.guard", "innkeeper.client")
}


@pytest.mark.parametrize("wing", sorted(WINGS))
def test_a_wing_by_its_name_loads_no_server(wing: str) -> None:
    assert WINGS[wing], f"{wing} has no modules"
    assert loaded_by(wing) == []


@pytest.mark.parametrize("wing", ["innkeeper.guard", "innkeeper.client"])
def test_all_rooms_of_a_wing_together_load_no_server(wing: str) -> None:
    assert loaded_by(*(room for room in WINGS[wing] if room not in FRAMEWORKS)) == []


def test_a_server_module_would_be_noticed() -> None:
    assert loaded_by("sqlite3", "innkeeper.protocol") == ["sqlite3"]


def loaded_by(*names: str) -> list[str]:
    """Which server modules a fresh interpreter holds once it has imported these."""
    code = f"import sys\nfor name in {names!r}: __import__(name)\nprint(*sys.modules)"
    out = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return [name for name in SERVER if name in out.stdout.split()]
