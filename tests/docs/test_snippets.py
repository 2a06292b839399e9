"""Python in the docs: a session shown with ``>>>`` is run and prints what is shown; other code is read, and its imports are there."""

from __future__ import annotations

import ast
import doctest
import importlib
import os
import re
import sys
from pathlib import Path

import pytest

from tests.docs.test_documents import DEFAULT_PORT, DOCUMENTS, ROOT
from tests.inn import Inn

BLOCK = re.compile(r"^```(pycon|python|json|toml)\b[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path, kind: str) -> list[str]:
    return [text for found, text in BLOCK.findall(page.read_text("utf-8")) if found == kind]


def having(kind: str) -> list[Path]:
    return [page for page in DOCUMENTS if blocks(page, kind)]


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", having("pycon"), ids=named)
def test_a_session_in_python_prints_what_is_shown(
    page: Path, house: Inn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INNKEEPER_PORT", str(house.port))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    text = "\n".join(blocks(page, "pycon")).replace(DEFAULT_PORT, str(house.port))
    session = doctest.DocTestParser().get_doctest(text, {}, page.stem, str(page), 0)
    told: list[str] = []
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    outcome = doctest.DocTestRunner(optionflags=options, verbose=False).run(session, out=told.append)
    assert outcome.attempted > 0
    assert "".join(told) == ""


@pytest.mark.parametrize("page", having("python"), ids=named)
def test_other_python_is_python_and_what_it_imports_is_there(page: Path) -> None:
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("innkeeper"):
                home = importlib.import_module(str(node.module))
                assert [one.name for one in node.names if not hasattr(home, one.name)] == []


def test_there_are_sessions_in_the_course() -> None:
    assert sum(page.parent.name == "tutorial" for page in having("pycon")) >= 1
