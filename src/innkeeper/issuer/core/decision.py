"""A decision: what comes of a request, what is to be remembered, and the trail that led there."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from innkeeper.issuer.core.effects import Effect
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Trail

Outcome = TypeVar("Outcome", covariant=True)


class Decision(msgspec.Struct, Generic[Outcome], frozen=True, gc=False):
    """``outcome`` is what to do, or the ``Refusal``. A refusal has effects too: a replayed code revokes."""

    outcome: Outcome | Refusal
    trail: Trail
    effects: tuple[Effect, ...] = ()
