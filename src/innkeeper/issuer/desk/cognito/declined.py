"""A refusal on its way out of the desk: the JSON API's operations are deep, and each ends at its first refusal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Check, Trail, follow

Case = TypeVar("Case")


class Declined(Exception):
    """The operation was refused; ``trail`` says by which check. Nothing that it asked for was done."""

    def __init__(self, trail: Trail, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.trail = trail
        self.refusal = refusal


def demand(about: str, checks: Sequence[Check[Case]], case: Case) -> Trail:
    """The trail of checks that all passed. Raises ``Declined`` at the first that does not."""
    trail = follow(about, checks, case)
    if trail.refusal is not None:
        raise Declined(trail, trail.refusal)
    return trail
