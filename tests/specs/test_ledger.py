"""The ledger: each rule of a specification has an id, its section, and the tests that witness it, or says where we differ."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
LEDGER = Path(__file__).parent / "ledger"


def rules() -> list[dict[str, Any]]:
    """Every rule of every page of the ledger."""
    return [rule for page in sorted(LEDGER.glob("*.toml")) for rule in tomllib.loads(page.read_text("utf-8"))["rule"]]


def test_every_rule_has_an_id_of_its_own_a_section_and_a_sentence() -> None:
    ids = [rule["id"] for rule in rules()]
    assert len(ids) == len(set(ids))
    for rule in rules():
        assert rule["rule"].endswith("."), rule["id"]
        assert "§" in rule["section"], rule["id"]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["id"])
def test_a_rule_is_witnessed_or_its_divergence_said(rule: dict[str, Any]) -> None:
    assert rule.get("tests") or rule.get("divergence")
    for witness in rule.get("tests", ()):
        path, _, name = witness.partition("::")
        known = names_in(path)
        assert known, f"{path} holds no test"
        assert not name or name in known, f"no test {name} in {path}"


@cache
def names_in(path: str) -> frozenset[str]:
    """The names of the tests in a file below ``tests``."""
    file = TESTS / path
    if not file.exists():
        return frozenset()
    defined = ast.walk(ast.parse(file.read_text("utf-8")))
    functions = (one for one in defined if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(one.name for one in functions if one.name.startswith("test_"))
