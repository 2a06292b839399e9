"""The source tree as modules: where each lies, what its docstring says, which names it assigns."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

SOURCE = Path(__file__).parents[2] / "src"
Kind = TypeVar("Kind")


class Module:
    """One source file. ``name`` is its dotted name, ``room`` its path below the package."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.room = path.relative_to(SOURCE / "innkeeper").as_posix()
        self.name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text("utf-8"), self.room)

    @property
    def headline(self) -> str:
        """The docstring's first line; empty where there is none."""
        return (ast.get_docstring(self.tree) or "").partition("\n")[0]

    def imported(self) -> ModuleType:
        return importlib.import_module(self.name)

    def constants(self, kind: type[Kind]) -> Iterator[tuple[str, Kind]]:
        """The module-level names assigned in this file whose value is of a kind, in the order of the file."""
        if not self.assigned:
            return
        values: dict[str, Any] = vars(self.imported())
        for name in self.assigned:
            if isinstance(values.get(name), kind):
                yield name, values[name]

    @cached_property
    def assigned(self) -> list[str]:
        targets = (
            target
            for node in self.tree.body
            if isinstance(node, (ast.Assign, ast.AnnAssign))
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        )
        return [target.id for target in targets if isinstance(target, ast.Name) and target.id.isupper()]


def modules() -> list[Module]:
    """Every module of the package, in the order of its path."""
    return [Module(path) for path in sorted((SOURCE / "innkeeper").rglob("*.py"))]
