"""Which specification lives in which room, read from the first line of each module's docstring.

A specification has one room. A few are too large for that or speak of several subjects: of those each room names
its sections, and no section has two rooms.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from docs.generate.modules import Module, modules

DIVIDED = {
    "RFC 4648": "base encodings: one section an alphabet",
    "RFC 6749": "the framework: one section an endpoint, a grant, a client's proof",
    "RFC 6750": "sending a token, and the challenge in answer",
    "RFC 7518": "one section an algorithm or a kind of key",
    "RFC 7519": "what the claims mean, and how a token is validated",
    "RFC 8037": "signatures and keys",
    "RFC 9110": "HTTP itself",
    "RFC 9700": "best practice, a section a threat",
    "OpenID Connect Core": "one section an endpoint or a token",
}
"""Specifications that may have several rooms, each with its sections."""

_SPEC = re.compile(r"(RFC \d{4}|OpenID Connect(?: [A-Z][\w-]*)+)")
_SECTION = re.compile(r"§([\dA-Z]+(?:\.\d+)*)|Appendix ([A-Z](?:\.\d+)*)")


class Home(NamedTuple):
    """One mention in a first line: this room is home to these sections of the specification (none: all of it)."""

    spec: str
    sections: tuple[str, ...]
    room: str
    headline: str

    @property
    def words(self) -> str:
        return " ".join((self.spec, ", ".join(f"§{one}" for one in self.sections))).strip()


def homes(house: Iterable[Module]) -> list[Home]:
    """Every home that the modules' first lines declare, in the order of the specifications."""
    return sorted(home for module in house for home in _declared(module.headline, module.room))


def quarrels(found: Iterable[Home]) -> Iterator[str]:
    """What is wrong with a floor plan, a sentence each: a specification, or a section, with two rooms."""
    by_spec: dict[str, list[Home]] = defaultdict(list)
    for home in found:
        by_spec[home.spec].append(home)
    for spec, rooms in by_spec.items():
        yield from _quarrels_over(spec, rooms)


def page() -> str:
    rows = "\n".join(
        f"| {home.words} | [`{home.room}`](../../src/innkeeper/{home.room}) | {_what(home.headline)} |"
        for home in homes(modules())
    )
    divided = "\n".join(f"- {spec}: {why}" for spec, why in DIVIDED.items())
    return f"""# Floor plan

Each specification has one room. Its number stands in the first line of that module's docstring; this page is
drawn from those lines, and a test fails when a specification has two homes.

| specification | room | what it does |
|---|---|---|
{rows}

These may have several rooms, a section each:

{divided}
"""


def _declared(headline: str, room: str) -> Iterator[Home]:
    _, *parts = _SPEC.split(headline)
    for spec, tail in zip(parts[::2], parts[1::2], strict=True):
        sections = tuple(number or letter for number, letter in _SECTION.findall(tail))
        yield Home(spec, sections, room, headline)


def _quarrels_over(spec: str, rooms: list[Home]) -> Iterator[str]:
    if len(rooms) < 2:
        return
    if spec not in DIVIDED:
        yield f"{spec} has several homes: {', '.join(home.room for home in rooms)}"
        return
    for index, home in enumerate(rooms):
        if not home.sections:
            yield f"{home.room}: name the sections of {spec} that live here, others have a part of it too"
        for other in rooms[index + 1 :]:
            if shared := [one for one in home.sections for two in other.sections if _overlap(one, two)]:
                yield f"{spec} §{shared[0]} has two homes: {home.room} and {other.room}"


def _overlap(one: str, two: str) -> bool:
    return f"{one}.".startswith(f"{two}.") or f"{two}.".startswith(f"{one}.")


def _what(headline: str) -> str:
    return re.sub(r"\s*\([^()]*\)", "", headline).replace("|", "\\|").rstrip(" .") if headline else ""
