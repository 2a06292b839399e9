"""The fenced blocks of the documents, by kind: what the tests read, run, parse and try."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.docs.test_documents import DOCUMENTS, ROOT

PAGES = [*DOCUMENTS, *sorted((ROOT / "terraform").glob("*/README.md")), ROOT / "notebooks" / "README.md"]
"""Everything that is written for people and has code in it."""

_FENCE = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A block of a page: its kind, the how-manieth of that kind it is there (from 1), the line it begins on, its text."""

    page: str
    kind: str
    number: int
    line: int
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def of_page(page: Path) -> Iterator[Block]:
    text, seen = page.read_text("utf-8"), dict[str, int]()
    for found in _FENCE.finditer(text):
        kind = found[1]
        seen[kind] = seen.get(kind, 0) + 1
        line = text.count("\n", 0, found.start(2)) + 1
        yield Block(page.relative_to(ROOT).as_posix(), kind, seen[kind], line, found[2])


def blocks(*kinds: str) -> list[Block]:
    """All blocks of these kinds, in the order of the pages; of no kind, all."""
    return [one for page in PAGES for one in of_page(page) if not kinds or one.kind in kinds]


def block(page: str, kind: str, number: int = 1) -> Block:
    """One block, which has to be there."""
    return next(one for one in of_page(ROOT / page) if (one.kind, one.number) == (kind, number))
