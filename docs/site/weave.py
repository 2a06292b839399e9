"""What a page asks for, put where it asks: a block marked ``flow`` becomes the diagram of a chapter of the tour.

````
```flow code 2-6
What the picture shows, in a sentence: where Markdown is read as it is, this sentence stands here.
```
````

After the chapter may come the acts to be shown. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from docs.site.draw import figure
from docs.site.record import Recording

_BLOCK = re.compile(r"^```flow ([a-z0-9-]+)(?: ([\d,-]+))? *\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


class Asked(NamedTuple):
    """A flow that a page asks for: the chapter, its acts (none: all), the sentence about it."""

    chapter: str
    acts: tuple[int, ...]
    about: str


def asked(markdown: str) -> list[Asked]:
    """The flows that a page asks for, in order."""
    return [_asked(block) for block in _BLOCK.finditer(markdown)]


def woven(markdown: str, recordings: Mapping[str, Recording]) -> str:
    """The page with its diagrams."""
    return _BLOCK.sub(lambda block: _figure(_asked(block), recordings), markdown)


def _figure(one: Asked, recordings: Mapping[str, Recording]) -> str:
    return figure(recordings[one.chapter], one.about, one.acts)


def _asked(block: re.Match[str]) -> Asked:
    return Asked(block[1], _numbers(block[2] or ""), " ".join(block[3].split()))


def _numbers(text: str) -> tuple[int, ...]:
    """``2-4,7`` as 2, 3, 4, 7."""
    spans = [part.partition("-") for part in text.split(",") if part]
    return tuple(n for first, _, last in spans for n in range(int(first), int(last or first) + 1))
