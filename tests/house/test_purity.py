"""The rules are pure: what no import contract can see (a clock read through datetime, a file, a print) is looked for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from docs.generate.modules import Module, modules

PURE = ("protocol/", "tokens/", "issuer/core/")

CLOCK = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter"}
CHANCE = {
    "urandom",
    "getrandom",
    "token_bytes",
    "token_hex",
    "token_urlsafe",
    "uuid1",
    "uuid4",
    "random",
    "SystemRandom",
}
WORLD = {"open", "print", "input", "getenv", "read_text", "read_bytes", "write_text", "write_bytes", "getLogger"}

PURE_MODULES = [module for module in modules() if module.room.startswith(PURE)]


@pytest.mark.parametrize("module", PURE_MODULES, ids=lambda module: module.room)
def test_the_rules_touch_no_clock_no_chance_and_no_world(module: Module) -> None:
    assert list(impurities(module.tree)) == []


def test_every_pure_room_is_looked_at() -> None:
    assert {room for room in PURE for module in PURE_MODULES if module.room.startswith(room)} == set(PURE)


@pytest.mark.parametrize(
    "code",
    [
        "import datetime\nat = datetime.datetime.now()",
        "from datetime import date\nday = date.today()",
        "import os\nsalt = os.urandom(16)",
        "import os\nport = os.environ['PORT']",
        "print('hello')",
        "async def fetch(): ...",
        "def f():\n    global count\n    count = 1",
    ],
)
def test_an_impurity_is_noticed(code: str) -> None:
    assert len(list(impurities(ast.parse(code)))) == 1


def impurities(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in CLOCK | CHANCE | WORLD:
            yield f"line {node.lineno}: {_called(node)}() is called"
        elif isinstance(node, ast.Attribute) and node.attr == "environ":
            yield f"line {node.lineno}: the environment is read"
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            yield f"line {node.lineno}: state is kept in {', '.join(node.names)}"
        elif isinstance(node, (ast.AsyncFunctionDef, ast.Await)):
            yield f"line {node.lineno}: something is waited for"


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""
