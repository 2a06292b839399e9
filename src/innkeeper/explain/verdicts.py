"""What a reader makes of a token: every check it makes, and what would mend each one that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Case, Check, Seen, Trail
from innkeeper.tokens.verification import KEYS_OUT_OF_REACH

Place = str
"""Where a change is made: "request", "code", "configuration", "console", "terraform"."""


class Mend(msgspec.Struct, frozen=True):
    """A change that would turn a no into a yes. ``cure`` names the refusal it is for."""

    cure: str
    place: Place
    text: str


class Verdict(msgspec.Struct, frozen=True):
    """What ``reader`` made of a token.

    ``trail`` are the checks it made. ``checks`` are all it would make, ``unasked`` the names of those whose question
    was not put. ``afterwards`` is what else it would have said, had the token not been too old.
    """

    reader: str
    trail: Trail
    checks: tuple[Check[Any], ...]
    unasked: frozenset[str] = frozenset()
    afterwards: Trail | None = None
    mends: tuple[Mend, ...] = ()

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Every no, in the order of the checks."""
        trails = (self.trail, self.afterwards) if self.afterwards else (self.trail,)
        outcomes = [step.outcome for trail in trails for step in trail.steps]
        return tuple(one for one in outcomes if isinstance(one, Refusal))

    @property
    def undecided(self) -> bool:
        """Whether it is no no: what stands in the way of a yes is that keys could not be had."""
        return bool(self.refusals) and all(one.page in UNDECIDED for one in self.refusals)


def follow_all(about: str, checks: Sequence[Check[Case]], case: Case) -> Trail:
    """Make every check, also after one refused: whoever explains has no door to keep shut."""
    return Trail(about, tuple(checks), tuple(one.judge(case) for one in checks))


def unconfigured(what: str) -> Seen:
    """A check that passes because its reader was not told to make it."""
    return Seen(f"no {what} configured: not checked")


def members(verdict: Verdict) -> Mapping[str, Any]:
    """The verdict as plain data for JSON."""
    return verdict.trail.as_document() | {
        "outcome": "undecided" if verdict.undecided else "refused" if verdict.refusals else "passed",
        "reader": verdict.reader,
        "refusals": [one.page.number for one in verdict.refusals],
        "not_asked": sorted(verdict.unasked),
        "had_it_been_fresh": verdict.afterwards and verdict.afterwards.as_document(),
        "mends": [msgspec.to_builtins(one) for one in verdict.mends],
    }


UNDECIDED = {KEYS_OUT_OF_REACH}
"""Refusals that say nothing about the token; readers add their own."""
