"""What each twin does as its cloud does: one line for every test that is marked so, by its section."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parents[2] / "tests" / "twins"
TITLES = {"cognito": "Amazon Cognito", "entra": "Microsoft Entra ID"}


class Behaviour(NamedTuple):
    """One marked test: where it stands in the page, what it shows, how sure we are, and the file to read it in."""

    section: str
    sentence: str
    level: str
    file: str


def twins() -> list[str]:
    """The twins that have marked tests, by the names of their folders."""
    return [one.name for one in sorted(TESTS.iterdir()) if one.is_dir() and any(behaviours(one.name))]


def behaviours(twin: str) -> Iterator[Behaviour]:
    """The marked tests of a twin, in the order of their files."""
    for path in sorted((TESTS / twin).rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from _marked(node, path.relative_to(TESTS.parents[1]).as_posix())


def page(twin: str) -> str:
    found = list(behaviours(twin))
    sections = dict.fromkeys(one.section for one in found)
    counts = {level: sum(one.level == level for one in found) for level in ("documented", "observed", "inferred")}
    summary = ", ".join(f"{count} {level}" for level, count in counts.items())
    head = f"# What the twin of {TITLES[twin]} does as the cloud does\n\n{_INTRODUCTION}\n{len(found)} behaviours: {summary}.\n"
    return "\n".join([head, *(_section(name, [one for one in found if one.section == name]) for name in sections)])


def _section(name: str, found: list[Behaviour]) -> str:
    rows = "\n".join(f"| {one.sentence} | {one.level} | [{Path(one.file).stem}](../../{one.file}) |" for one in found)
    return f"## {name}\n\n| it does this | how sure we are that the cloud does | witness |\n|---|---|---|\n{rows}\n"


def _marked(node: ast.FunctionDef | ast.AsyncFunctionDef, file: str) -> Iterator[Behaviour]:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "parity":
            section, level, *sentence = (str(ast.literal_eval(one)) for one in mark.args)
            yield Behaviour(section, sentence[0] if sentence else _sentence(node), level, file)


def _sentence(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The test's docstring, or its name as words, for a mark that says nothing itself."""
    words = ast.get_docstring(node) or node.name.removeprefix("test_").replace("_", " ")
    return words[:1].upper() + words[1:].rstrip(".")


_INTRODUCTION = """Each line is a test of the suite. *Documented*: the cloud's own documents say so. *Observed*: a public client, recording
or issue shows it. *Inferred*: nobody wrote it down where we looked; tell us if your tenant does otherwise.
"""
