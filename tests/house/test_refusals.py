"""Refusals are numbered once and for all, and each explains itself; checks name their rule and its section."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from docs.generate.checks import tables
from docs.generate.modules import Module, modules
from docs.generate.refusals import RANGES, Numbered, numbered
from innkeeper.tokens.trail import Check

SENTENCE = re.compile(r"\S.{8,}[.!?)]", re.DOTALL)
DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+")
"""What RFC 6749 §5.2 lets an error description hold: printable ASCII without the double quote and the backslash."""

OURS = {"6", "8"}
"""What the client library refuses, and what readers and the doctor find, is answered to nobody: it has no face for
the wire."""

LEVELS = {"documented", "observed", "inferred"}
"""How sure we are that a cloud does as its twin does. Such a refusal is worded as the cloud words it, or has no words."""

UNSAID = {"NO_CREDENTIALS", "NO_TOKEN"}
"""RFC 6750 §3.1: whoever sent no credentials at all is told no error, only how to send some."""


def test_no_number_is_given_twice() -> None:
    refusals = numbered()
    times = Counter(one.page.number for one in refusals)
    assert [(one.page.number, one.room, one.constant) for one in refusals if times[one.page.number] > 1] == []


def test_every_refusal_says_what_why_and_what_helps() -> None:
    refusals = numbered()
    assert refusals, "no refusals were found"
    assert [f"{one.room}: {one.constant}: {fault}" for one in refusals for fault in _faults(one)] == []


def _faults(one: Numbered) -> Iterator[str]:
    page = one.page
    if not re.fullmatch(rf"IK({'|'.join(RANGES)})\d\d", page.number):
        yield f"{page.number} is no number of ours"
    if not page.title or page.title.endswith("."):
        yield "the title is missing or a sentence"
    if not SENTENCE.fullmatch(page.cause) or not SENTENCE.fullmatch(page.remedy):
        yield "cause and remedy are not both sentences"
    yield from _wire_faults(one)
    if page.status not in {200, *range(400, 600)}:  # 200: a dead token, asked about, is news and no error
        yield f"{page.status} is no error status"


def _wire_faults(one: Numbered) -> Iterator[str]:
    page = one.page
    if page.number[2:-2] in OURS:
        if page.wire:
            yield "a refusal of the client library has words for the wire"
    elif page.level:
        if page.level not in LEVELS or not page.error or not re.fullmatch(r"[\x20-\x7E]*", page.wire):
            yield "what a cloud says is not known to some level, has no code or is not printable"
    elif one.constant in UNSAID:
        if page.error or page.wire:
            yield "whoever sent no credentials is told an error"
    elif not (page.error and SENTENCE.fullmatch(page.wire) and DESCRIPTION.fullmatch(page.wire)):
        yield "what goes on the wire is not a code and a sentence that an error description may hold"


def test_every_check_states_its_rule_and_the_section_it_comes_from() -> None:
    checks = [(module.room, one) for module in modules() for one in _checks(module)]
    assert checks, "no checks were found"
    speechless = [f"{room}: {one.name}" for room, one in checks if not SENTENCE.fullmatch(one.sentence)]
    homeless = [f"{room}: {one.name}" for room, one in checks if not re.search(r"\S+ \S+", one.spec)]
    assert (speechless, homeless) == ([], [])


def test_every_check_stands_in_a_table() -> None:
    placed = {one for module in modules() for _, table in tables(module) for one in table}
    loose = {f"{module.room}: {one.name}" for module in modules() for one in _checks(module) if one not in placed}
    assert loose == set()


def _checks(module: Module) -> list[Check[object]]:
    if module.path.name == "__main__.py":
        return []
    return [one for one in vars(module.imported()).values() if isinstance(one, Check)]
