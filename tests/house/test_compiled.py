"""What is compiled where somebody asks for it keeps to what the compiler keeps of a class.

mypyc drops the keywords in a class's head and knows fields' types only roughly. So a value in a compiled module inherits from
``Value`` or ``Thing`` what it says of itself in its head, and nothing is decoded into one.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from innkeeper.protocol.values import Thing, Value

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
HOOK = SETTINGS["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"]
COMPILED = [ROOT / one for one in HOOK["include"]]
KEPT = {"Value": {"frozen": True, "gc": False}, "Thing": {"frozen": True, "gc": False, "eq": False}}
READERS = {"Decoder": 0, "convert": 1, "decode": 1}


def values(tree: ast.AST) -> Iterator[tuple[ast.ClassDef, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from ((node, ast.unparse(base)) for base in node.bases)


def place(path: Path) -> str:
    return str(path.relative_to(ROOT / "src" / "innkeeper"))


@pytest.mark.parametrize("path", COMPILED, ids=place)
def test_a_compiled_value_says_in_its_head_what_it_inherits_anyway(path: Path) -> None:
    for node, base in values(parsed(path)):
        assert base != "msgspec.Struct", f"{path}: {node.name} would lose its keywords; let it be a Value"
        if base in KEPT:
            said = {one.arg: ast.literal_eval(one.value) for one in node.keywords}
            said.pop("kw_only", None)  # which mypy holds callers to
            assert said == KEPT[base], f"{path}: {node.name}"
            fields = [one for one in node.body if isinstance(one, ast.AnnAssign)]
            assert not [one for one in fields if ast.unparse(one.annotation) == "object"], f"{path}: {node.name}"


@pytest.mark.parametrize("path", COMPILED, ids=place)
def test_a_compiled_function_has_a_name_for_each_exception_that_it_catches(path: Path) -> None:
    """mypyc gives a name one type in a function: that of the first exception bound to it, which the second one is not."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            caught = [one.name for one in ast.walk(node) if isinstance(one, ast.ExceptHandler) and one.name]
            assert len(caught) == len(set(caught)), f"{path}: {node.name} binds {caught}"


def test_nothing_is_decoded_into_a_compiled_value() -> None:
    read = [read for path in (ROOT / "src").rglob("*.py") for read in decoded(path)]
    assert ("issuer/core/records.py", "Client") in read, "this test finds what is decoded"
    compiled = {(place(path), node.name) for path in COMPILED for node, base in values(parsed(path)) if base in KEPT}
    assert not compiled.intersection(read)


def decoded(path: Path) -> Iterator[tuple[str, str]]:
    """What a module decodes: the modules and names of the classes."""
    tree = parsed(path)
    at = {node.name: place(path) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("innkeeper."):
            there = (node.module or "").removeprefix("innkeeper.").replace(".", "/") + ".py"
            at |= {one.asname or one.name: there for one in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from ((at[name], name) for name in _read_into(node) if name in at)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _read_into(call: ast.Call) -> Iterator[str]:
    function = ast.unparse(call.func).rpartition(".")[2]
    if function in READERS:
        told = [*call.args[READERS[function] :], *(one.value for one in call.keywords if one.arg == "type")]
        yield from (name.id for one in told for name in ast.walk(one) if isinstance(name, ast.Name))


def test_what_a_head_says_is_inherited() -> None:
    """As mypyc makes a class: by its metaclass, without the keywords of its head."""
    bases: tuple[tuple[Any, bool], ...] = ((Value, True), (Thing, False))
    for base, equal in bases:
        kind: Any = type(base)("Bare", (base,), {"__annotations__": {"field": int}})
        assert (kind(1) == kind(1)) is equal
        assert not kind.__struct_config__.gc
        with pytest.raises(AttributeError, match="immutable"):
            kind(1).field = 2
