"""The Terraform modules of this project as trees: resources with their arguments and nested blocks, references, outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import hcl2

ROOT = Path(__file__).parents[2] / "terraform"
MODULES = ("cognito", "entra", "agentcore")

_NO_ARGUMENT = {"__is_block__", "__comments__", "__inline_comments__", "__start_line__", "__end_line__"}


class Declared(NamedTuple):
    """A resource or a data source (``data_`` before its kind) as a module declares it."""

    kind: str
    name: str
    body: dict[str, Any]


def tree(folder: Path) -> dict[str, list[Any]]:
    """All files of one module, read together as Terraform does."""
    whole: dict[str, list[Any]] = {}
    for path in sorted(folder.glob("*.tf")):
        with path.open(encoding="utf-8") as file:
            for block, found in hcl2.load(file).items():
                whole.setdefault(block, []).extend(found if isinstance(found, list) else [found])
    return whole


def declared(whole: dict[str, list[Any]]) -> Iterator[Declared]:
    for block, prefix in (("resource", ""), ("data", "data_")):
        for one in whole.get(block, ()):
            for kind, named in one.items():
                for name, body in named.items():
                    yield Declared(prefix + bare(kind), bare(name), body)


def blocks(body: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], frozenset[str]]]:
    """Every block of a resource, itself first: the path of names to it, and the names that are set in it."""
    inner = {name: value for name, value in body.items() if name not in _NO_ARGUMENT}
    nested = {name: value for name, value in inner.items() if _is_block(value)}
    dynamic = {
        bare(name): each["content"]
        for one in nested.pop("dynamic", ())
        for name, each in one.items()
        if name not in _NO_ARGUMENT
    }
    inside = {**nested, **dynamic}
    yield path, frozenset(inner) - {"dynamic"} | frozenset(dynamic)
    for name, several in inside.items():
        for one in several:
            yield from blocks(one, (*path, name))


def references(text: str) -> Iterator[tuple[str, str, str]]:
    """What a module's text reads from its resources and data sources: kind, name, attribute."""
    for found in re.finditer(r"\b(data\.)?((?:aws|azuread|random)_\w+)\.(\w+)(?:\[[^\]]*\])*\.(\w+)", text):
        yield f"{'data_' if found[1] else ''}{found[2]}", found[3], found[4]


def bare(name: str) -> str:
    return name.strip('"')


def _is_block(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all((isinstance(one, dict) and one.get("__is_block__")) or _is_labelled(one) for one in value)
    )


def _is_labelled(one: Any) -> bool:
    return isinstance(one, dict) and any(
        isinstance(inner, dict) and inner.get("__is_block__") for inner in one.values()
    )
