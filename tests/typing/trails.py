"""Read by mypy alone: checks and their case belong together, and an outcome cannot be used before it is known to be one.

A line marked with an ignored error must have that error: mypy reports an ignore that is not needed.
"""

from typing import assert_type

from innkeeper.issuer.core.decision import Decision
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Check, Seen, Trail, check, follow

NEGATIVE = Page("IK799", "invalid_request", "Negative", "It is below zero.", "Send a natural number.", "Not natural.")


@check("RFC 0000 §1")
def it_is_natural(case: int) -> Seen | Refusal:
    """It is not below zero."""
    return Seen(str(case)) if case >= 0 else Refusal(NEGATIVE, f"{case} is below zero")


@check("RFC 0000 §2")
def it_is_something(case: object) -> Seen | Refusal:
    """It is not None."""
    return Seen(repr(case))


def a_check_knows_its_case() -> None:
    assert_type(it_is_natural, Check[int])
    assert_type(it_is_natural(3), Seen | Refusal)
    it_is_natural("three")  # type: ignore[arg-type]


def a_table_takes_the_case_of_its_checks() -> None:
    assert_type(follow("number", (it_is_natural,), 3), Trail)
    follow("number", (it_is_natural, it_is_something), 3)
    follow("number", (it_is_natural,), "three")  # type: ignore[misc]


def an_outcome_is_used_once_it_is_no_refusal(decision: Decision[int]) -> None:
    decision.outcome + 1  # type: ignore[operator]
    if not isinstance(decision.outcome, Refusal):
        assert_type(decision.outcome, int)


def what_was_decided_stays(decision: Decision[int]) -> None:
    decision.outcome = 4  # type: ignore[misc]
