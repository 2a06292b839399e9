"""What an examination says: each check with how bad a no is, and the findings among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Any

import msgspec

from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Case, Check, Seen


class Severity(IntEnum):
    """How bad a finding is: an ``ERROR`` stops clients or opens a hole; a ``WARNING`` stops some, or may; a ``NOTE``
    is good to know."""

    NOTE = 1
    WARNING = 2
    ERROR = 3


class Finding(Page, frozen=True):
    """A numbered finding and how bad it is. It is told to whoever asked the doctor, and to nobody else."""

    severity: Severity = Severity.ERROR


class Looked(msgspec.Struct, frozen=True):
    """One check as it went; ``severity`` of a no."""

    check: Check[Any]
    outcome: Seen | Refusal
    severity: Severity = Severity.ERROR

    @property
    def finding(self) -> Refusal | None:
        return self.outcome if isinstance(self.outcome, Refusal) else None


class Chapter(msgspec.Struct, frozen=True):
    """A part of the report: what was looked at, which requests were made for it, and what each check said."""

    title: str
    looked: tuple[Looked, ...]
    asked: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True):
    """Everything about ``subject``, in the order it was looked at. ``issuer`` is the one that was found behind it."""

    subject: str
    chapters: tuple[Chapter, ...]
    issuer: str = ""

    def findings(self, least: Severity = Severity.NOTE) -> Iterator[Looked]:
        """What is wrong, of at least this severity."""
        for chapter in self.chapters:
            for one in chapter.looked:
                if one.finding and one.severity >= least:
                    yield one

    @property
    def healthy(self) -> bool:
        return not any(self.findings(Severity.ERROR))

    def as_document(self) -> dict[str, Any]:
        """The report as plain data for JSON."""
        return {
            "subject": self.subject,
            "healthy": self.healthy,
            "chapters": [_chapter(one) for one in self.chapters],
        }


def examine(
    title: str,
    checks: Sequence[Check[Case]],
    case: Case,
    asked: Sequence[str] = (),
    *,
    worse: frozenset[str] = frozenset(),
) -> Chapter:
    """Make every check. Findings whose number is in ``worse`` are errors here."""
    looked = tuple(_made(one, case, worse) for one in checks)
    return Chapter(title, looked, tuple(asked))


def error(number: str, title: str, cause: str, remedy: str) -> Finding:
    """A finding that stops clients, or opens a hole."""
    return Finding(number, "finding", title, cause, remedy, "", severity=Severity.ERROR)


def warning(number: str, title: str, cause: str, remedy: str) -> Finding:
    """A finding that stops some clients, or may."""
    return Finding(number, "finding", title, cause, remedy, "", severity=Severity.WARNING)


def remark(number: str, title: str, cause: str, remedy: str) -> Finding:
    """A finding that is good to know."""
    return Finding(number, "finding", title, cause, remedy, "", severity=Severity.NOTE)


def _made(one: Check[Case], case: Case, worse: frozenset[str]) -> Looked:
    outcome = one.judge(case)
    if not isinstance(outcome, Refusal):
        return Looked(one, outcome)
    page = outcome.page
    severity = page.severity if isinstance(page, Finding) else Severity.ERROR
    return Looked(one, outcome, Severity.ERROR if page.number in worse else severity)


def difference(expected: str, found: str) -> str:
    """Where two spellings part, to the character."""
    if expected == found:
        return "they are equal"
    at = next(
        (i for i, (a, b) in enumerate(zip(expected, found, strict=False)) if a != b), min(len(expected), len(found))
    )
    one, other = (repr(text[at]) if at < len(text) else "the end" for text in (expected, found))
    return f"they differ at character {at + 1}, after {expected[max(0, at - 12) : at]!r}: {one} was asked for, {other} came"


def _chapter(chapter: Chapter) -> dict[str, Any]:
    return {"title": chapter.title, "requests": list(chapter.asked), "checks": [_looked(one) for one in chapter.looked]}


def _looked(one: Looked) -> dict[str, Any]:
    outcome = one.outcome
    said = {
        "name": one.check.name,
        "sentence": one.check.sentence,
        "section": one.check.spec,
        "passed": one.finding is None,
        "expected": outcome.expected,
        "found": outcome.found,
    }
    if isinstance(outcome, Refusal):
        said |= {
            "number": outcome.page.number,
            "severity": one.severity.name.lower(),
            "title": outcome.page.title,
            "reason": outcome.reason,
            "remedy": outcome.remedy,
        }
    return said
