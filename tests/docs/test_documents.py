"""Every terminal session in the README and the docs is run, against a house of its own, and prints what is shown."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.docs.transcripts import commands, quarrel, run
from tests.inn import Inn, free_port, open_inn

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
WITH_SESSIONS = [path for path in DOCUMENTS if commands(path.read_text("utf-8"))]

DEFAULT_PORT = "8400"
API_PORT = "8500"
"""Where the docs have an API of one's own listen."""
SET_UP = re.compile(
    r"(git clone|cd|make|pip install|\.venv/bin/pip install|python3? -m venv|\.venv/bin/pre-commit install|#)(\s|$)"
)
"""What a block of commands may hold that is not run: getting and installing innkeeper itself."""


@pytest.mark.parametrize("document", WITH_SESSIONS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_document_shows_is_what_happens(document: Path, house: Inn, tmp_path: Path) -> None:
    found = commands(document.read_text("utf-8"))
    with nullcontext(house) if document.parent.name == "tutorial" else open_inn(tmp_path) as inn:
        here = {DEFAULT_PORT: str(inn.port), API_PORT: str(free_port())}
        ran = run([swapped(command.text, here) for command in found], tmp_path, terminal(inn))
    back = {there: usual for usual, there in here.items()}
    assert len(ran) == len(found), f"the shell stopped after {len(ran)} of {len(found)} commands"
    for command, seen in zip(found, ran, strict=True):
        wrong = quarrel(command, seen._replace(output=swapped(seen.output, back)))
        assert not wrong, f"{document.name}:{command.line}: {command.text}\n{wrong}"


def test_the_readme_shows_sessions_that_are_run() -> None:
    assert ROOT / "README.md" in WITH_SESSIONS


def test_no_command_hides_from_being_run_in_another_kind_of_block() -> None:
    hidden = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in DOCUMENTS
        for block in re.findall(
            r"^```(?:sh|bash|shell)\b[^\n]*\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE
        )
        for line in block.splitlines()
        if line.strip() and not SET_UP.match(line)
    ]
    assert hidden == []


def swapped(text: str, ports: Mapping[str, str]) -> str:
    """The text with other port numbers."""
    for one, other in ports.items():
        text = text.replace(one, other)
    return text


def terminal(inn: Inn) -> dict[str, str]:
    """The environment of a person's terminal beside a running house: plain text, a home and a state of its own."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(inn.folder),
        "INNKEEPER_PORT": str(inn.port),
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "COLUMNS": "110",
    }
