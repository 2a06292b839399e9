"""Reading decisions in tests; every reading makes sure that the trail tells the same story as the outcome."""

from __future__ import annotations

from typing import Any, TypeVar

from innkeeper.issuer.core.authorize import Turned
from innkeeper.issuer.core.decision import Decision
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Trail

Kind = TypeVar("Kind")


def refused(decision: Decision[Any]) -> Refusal:
    """The refusal that was decided. Its trail passes every check but the last, and ends in this very refusal."""
    outcome = decision.outcome
    refusal = outcome.refusal if isinstance(outcome, Turned) else outcome
    assert isinstance(refusal, Refusal), outcome
    assert ends_in(decision.trail, refusal)
    return refusal


def granted(decision: Decision[Any], kind: type[Kind]) -> Kind:
    """What was granted, after every check passed."""
    assert isinstance(decision.outcome, kind), decision.outcome
    assert decision.trail.steps, "nothing was checked"
    assert all(step.passed for step in decision.trail.steps)
    assert decision.trail.refusal is None
    return decision.outcome


def ends_in(trail: Trail, refusal: Refusal) -> bool:
    """Whether a trail stops at the refusal: passed up to there, nothing checked after it."""
    *before, last = trail.steps
    return last.outcome is refusal and all(step.passed for step in before)


def is_page(refusal: Refusal, page: Page) -> bool:
    """Whether a refusal is of a page and says in words why, beyond what the wire says."""
    return refusal.page is page and bool(refusal.reason) and refusal.reason != page.wire
