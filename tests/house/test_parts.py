"""Every dependency has earned its place, in writing; and every verb of the Makefile is listed."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def dependencies() -> set[str]:
    extras = PROJECT["project"]["optional-dependencies"].values()
    groups = PROJECT["dependency-groups"].values()
    named = [PROJECT["project"]["dependencies"], *extras, *groups]
    return {re.split(r"[^\w-]", one)[0] for listed in named for one in listed} - {"innkeeper"}


def test_every_dependency_has_earned_its_place_on_a_decision_page() -> None:
    written = " ".join(page.read_text("utf-8") for page in (ROOT / "docs" / "decisions").glob("*.md"))
    assert len(dependencies()) > 10
    assert {one for one in dependencies() if not re.search(rf"(?<![\w-]){one}(?![\w-])", written)} == set()


def test_every_decision_page_is_dated_and_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(
        r"^\| (\d{4}-\d\d-\d\d) \| \[[^]]+\]\(([^)]+)\)", (folder / "index.md").read_text("utf-8"), re.MULTILINE
    )
    pages = sorted(page.name for page in folder.glob("*.md") if page.name != "index.md")
    assert sorted(name for _, name in listed) == pages
    assert all(name.startswith(date) for date, name in listed)
    assert all((folder / name).read_text("utf-8").startswith(f"# {date}: ") for date, name in listed)


def test_make_alone_lists_every_verb_with_one_line() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    phony = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split()) - {"list"}
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    lines = [line.split(maxsplit=1) for line in listed.splitlines()[1:]]
    assert {verb for verb, *_ in lines} == phony
    assert all(len(line) == 2 for line in lines)
    assert {"up", "test", "check", "bench", "docs"} <= phony
