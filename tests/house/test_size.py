"""Nothing grows without being noticed: the tails of the lengths of functions and modules are held."""

from __future__ import annotations

import ast
import io
import statistics
import tokenize
from collections.abc import Iterator

from docs.generate.modules import Module, modules

FUNCTION = 60
MODULE = 450
"""Most code lines (no blanks, comments, docstrings). A question is due long before: at 50 and at 350."""

_NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def test_no_function_is_longer_than_a_screen() -> None:
    sizes = {
        f"{module.room}:{node.lineno} {node.name}": size for module in modules() for node, size in functions(module)
    }
    ordered = sorted(sizes.values())
    print(f"{len(sizes)} functions, middle {statistics.median(ordered)}, nine in ten {ordered[len(ordered) * 9 // 10]}")
    assert {name: size for name, size in sizes.items() if size > FUNCTION} == {}


def test_no_module_is_longer_than_can_be_read_at_a_sitting() -> None:
    sizes = {module.room: len(code_lines(module)) for module in modules()}
    print(f"{len(sizes)} modules, middle {statistics.median(sizes.values())}, longest {max(sizes.values())}")
    assert {room: size for room, size in sizes.items() if size > MODULE} == {}


def functions(module: Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    lines = code_lines(module)
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node, sum(node.lineno <= line <= (node.end_lineno or 0) for line in lines)


def code_lines(module: Module) -> set[int]:
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(module.path.read_text("utf-8")).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines - docstring_lines(module)


def docstring_lines(module: Module) -> set[int]:
    """Lines of strings that stand alone: docstrings, and the sentences under constants."""
    return {
        line
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
