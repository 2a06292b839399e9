"""Every table of checks, in the order in which the checks are made."""

from __future__ import annotations

from typing import Any

from docs.generate.modules import Module, modules
from innkeeper.tokens.trail import Check


def page() -> str:
    chapters = [text for module in modules() if (text := _chapter(module))]
    return "\n".join(["# Checks, in the order they are made\n", _INTRODUCTION, *chapters])


def tables(module: Module) -> list[tuple[str, tuple[Check[Any], ...]]]:
    """The tables a module holds, by their names; a table is a tuple with nothing but checks in it."""
    return [
        (name, table)
        for name, table in module.constants(tuple)
        if table and all(isinstance(one, Check) for one in table)
    ]


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
