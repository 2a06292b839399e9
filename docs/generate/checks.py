"""Every table of checks, in the order in which the checks are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from docs.generate.modules import Module, modules
from innkeeper.tokens.trail import Check


def page() -> str:
    chapters = [text for module in modules() if (text := _chapter(module))]
    return "\n".join(["# Checks, in the order they are made\n", _INTRODUCTION, *chapters])


def tables(module: Module) -> list[tuple[str, tuple[Check[Any], ...]]]:
    """The tables a module holds, by their names: tuples of checks, alone or as the values of a mapping."""
    alone = [(name, value) for name, value in module.constants(tuple) if _is_table(value)]
    named = {id(table) for _, table in alone}
    mapped = [
        (f"{name}[{key!r}]", value)
        for name, mapping in module.constants(object)
        if isinstance(mapping, Mapping)
        for key, value in mapping.items()
        if _is_table(value) and id(value) not in named
    ]
    return alone + mapped


def _is_table(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(one, Check) for one in value)


def _chapter(module: Module) -> str:
    found = tables(module)
    if not found:
        return ""
    title = f"## `{module.room}`\n\n{module.headline}\n"
    return "\n".join([title, *(_table(name, table) for name, table in found)])


def _table(name: str, table: tuple[Check[Any], ...]) -> str:
    rows = "\n".join(
        f"| {place} | {one.name} | {one.sentence} | {one.spec} |" for place, one in enumerate(table, start=1)
    )
    return f"`{name}`\n\n| | check | rule | section |\n|---|---|---|---|\n{rows}\n"


_INTRODUCTION = """A decision walks one or more of these tables from top to bottom and stops at the first check that refuses. Every
check made is in the decision's trail.
"""
