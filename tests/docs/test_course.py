"""The course as a whole: each page in the table, with its chapter in the tour and its sources; no command is invented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from innkeeper.cli import COMMANDS, loaded
from innkeeper.tour.plays import chapter, chapters, comparison
from innkeeper.tour.told import COURSE as PAGE_OF
from tests.docs.test_documents import DOCUMENTS, ROOT

COURSE = ROOT / "docs" / "tutorial"
PAGES = sorted(page for page in COURSE.glob("*.md") if page.name != "index.md")
ALL = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
LIVE = re.compile(r"http://127\.0\.0\.1:8400/tour/(chapters|compare)/([a-z-]+)")
NEXT = re.compile(r"^\*\*Next:\*\* \[[^]]+\]\(([a-z-]+\.md)\)", re.MULTILINE)
CALLED = re.compile(r"(?:^|[|;&(] *)innkeeper ((?:[a-z]+(?:-[a-z]+)*)(?: [a-z]+(?:-[a-z]+)*)?)", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`|^[$>] (.+)$", re.MULTILINE)


def test_the_table_of_contents_names_every_page_once_and_in_the_order_of_reading() -> None:
    table = re.findall(r"^\| .*\[[^]]+\]\(([a-z-]+\.md)\)", (COURSE / "index.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(table) == [page.name for page in PAGES]
    following = [NEXT.search((COURSE / name).read_text("utf-8")) for name in table[:-1]]
    assert [one[1] if one else "" for one in following] == table[1:]


@ALL
def test_a_page_has_its_chapter_in_the_tour_by_address_and_by_command(page: Path) -> None:
    text = page.read_text("utf-8")
    live = LIVE.findall(text)
    assert live
    assert [key for kind, key in live if (chapter if kind == "chapters" else comparison)(key) is None] == []
    assert re.search(r"innkeeper tour( --chapter [a-z-]+)?`", text)


def test_chapters_and_pages_lead_to_each_other() -> None:
    """The tour names a page for each chapter, and that page names the chapter."""
    assert set(PAGE_OF) == {one.key for one in chapters()}
    named = {key: LIVE.findall((COURSE / f"{page}.md").read_text("utf-8")) for key, page in PAGE_OF.items()}
    assert [key for key, links in named.items() if ("chapters", key) not in links] == []


@ALL
def test_a_page_names_its_sources(page: Path) -> None:
    _, _, sources = page.read_text("utf-8").partition("\n**Sources:** ")
    assert "](http" in sources


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_that_is_named_exists(page: Path) -> None:
    code = "\n".join(one or other for one, other in CODE.findall(page.read_text("utf-8")))
    assert [name for name in CALLED.findall(code) if not exists(name.split())] == []


def test_a_command_that_is_not_there_is_noticed() -> None:
    assert exists(["token", "anything"])
    assert exists(["twin", "show"])
    assert not exists(["twin", "dance"])
    assert not exists(["teleport"])


def exists(words: list[str]) -> bool:
    """Whether ``innkeeper WORDS`` is a command; what follows a command that has none below it is its argument."""
    group = next((group for group in COMMANDS.values() if words[0] in group), None)
    if group is None:
        return False
    below = getattr(loaded(words[0], group[words[0]]), "commands", {})
    return not below or len(words) == 1 or (isinstance(below, dict) and words[1] in below)
