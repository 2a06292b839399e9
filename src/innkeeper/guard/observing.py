"""Where a guard's decisions go: one line each into the program's log, counts for its metrics. Nothing secret is in either.

refused, counted = Logged(), Counted()
guard = Guard(issuer, audience, observe=together(refused, counted))
prometheus_client.REGISTRY.register(counted)
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Trail, together

if TYPE_CHECKING:
    from prometheus_client.core import CounterMetricFamily

__all__ = ["Counted", "Logged", "together"]


class Logged:
    """Writes every refusal into a log of the standard library, and every yes, too, where ``everything`` is wished for.

    A refusal is ``INFO``: callers make mistakes. Where the issuer is at fault, and 503 is told, it is ``WARNING``. The record
    has the whole trail as ``record.trail``, for loggers that write JSON.
    """

    def __init__(self, logger: logging.Logger | None = None, *, everything: bool = False) -> None:
        self._logger = logger or logging.getLogger("innkeeper.guard")
        self._everything = everything

    def __call__(self, trail: Trail) -> None:
        refusal = trail.refusal
        if refusal is not None:
            level = logging.WARNING if refusal.page.status >= 500 else logging.INFO
            self._write(level, _line(refusal, trail), trail)
        elif self._everything:
            self._write(logging.INFO, f"let in after {len(trail.steps)} checks", trail)

    def _write(self, level: int, text: str, trail: Trail) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", text, extra={"trail": trail.as_document()})


class Counted:
    """Counts decisions by outcome and refusal number. It is a collector, too: ``REGISTRY.register(Counted())`` publishes
    ``innkeeper_guard_decisions_total`` by ``prometheus-client``."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def __call__(self, trail: Trail) -> None:
        refusal = trail.refusal
        self.counts["refused" if refusal else "let in", refusal.page.number if refusal else ""] += 1

    def collect(self) -> Iterator[CounterMetricFamily]:
        """What a registry of ``prometheus-client`` asks for."""
        from prometheus_client.core import CounterMetricFamily

        family = CounterMetricFamily(
            "innkeeper_guard_decisions", "Decisions of the guard.", labels=["outcome", "number"]
        )
        for labels, count in sorted(self.counts.items()):
            family.add_metric(labels, count)
        yield family


def _line(refusal: Refusal, trail: Trail) -> str:
    page, last = refusal.page, trail.steps[-1].check
    return f"refused [{page.number}] {page.title}: {_plain(refusal.reason)} (check: {last.name}, {last.spec})"


def _plain(reason: str) -> str:
    """What a caller had a hand in, on one line and without control characters, so that nobody writes lines of their own."""
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in reason)[:300]
