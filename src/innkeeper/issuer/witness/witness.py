"""The witness: sees every request, decision and change, and tells metrics, log, audit log and traces of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from innkeeper.issuer.core.admin.plan import difference_document
from innkeeper.issuer.desk.matter import Matter, current
from innkeeper.issuer.witness import traces
from innkeeper.issuer.witness.audit import Batch, Chain
from innkeeper.issuer.witness.changes import complete, told
from innkeeper.issuer.witness.line import Checked, Line
from innkeeper.issuer.witness.metrics import Metrics
from innkeeper.tokens.trail import Trail

GIVES = frozenset({"token", "authorize"})
"""Decisions that give somebody something even where nothing is remembered of it: they are in the audit log in any case."""

log = logging.getLogger("innkeeper.decisions")


class Witness:
    """What is not wanted is None: ``metrics`` to count in, ``chain`` to keep the books in, ``tracer`` to tell spans to.
    ``logs`` says whether refusals are logged, too."""

    def __init__(
        self,
        clock: Callable[[], int],
        *,
        metrics: Metrics | None = None,
        chain: Chain | None = None,
        tracer: Any = None,
        logs: bool = True,
    ) -> None:
        self._clock = clock
        self.metrics = metrics
        self._tally = metrics.tally if metrics is not None else None
        self._chain = chain
        self._tracer = tracer
        self._logs = logs

    def observe(self, trail: Trail) -> None:
        """Take note of a decision: in the matter at hand, or by itself where nobody waits for an answer."""
        matter = current.get()
        if matter is not None and not matter.over:
            matter.trails.append(trail)
            return
        alone = Matter(matter.what if matter else "by itself")
        alone.trails.append(trail)
        _kept(self._tell(alone))

    def begin(self, what: str, network: str) -> tuple[Matter, float]:
        """Open the matter of a request."""
        matter = Matter(what, network)
        current.set(matter)
        return matter, time.perf_counter()

    def end(self, matter: Matter, began: float, method: str, status: int) -> Batch | None:
        """Close it, before its answer is sent: that may leave once the batch with its line is kept; None where it left none."""
        seconds = time.perf_counter() - began
        if self._tally is not None:
            self._tally.answered(matter.what, method, status, seconds)
        if self._tracer is not None:
            ended = time.time_ns()
            traces.span(self._tracer, matter, method, status, ended - int(seconds * 1e9), ended)
        return self._tell(matter)

    @contextmanager
    def command(self, what: str, who: str = "") -> Iterator[Matter]:
        """The matter of something that no request asked for: a command, the start of a server."""
        matter = Matter(what, who)
        before = current.set(matter)
        try:
            yield matter
        finally:
            current.reset(before)
            _kept(self._tell(matter))

    def sync(self) -> None:
        """Have the disk take what the audit log has, and other workers the numbers."""
        if self.metrics is not None:
            self.metrics.save()
        if self._chain is not None:
            self._chain.sync()

    def close(self) -> None:
        """Let go of the audit log. Twice does no harm: several issuers of a process may have one witness."""
        chain, self._chain = self._chain, None
        if chain is not None:
            chain.close()

    def _tell(self, matter: Matter) -> Batch | None:
        matter.over = True
        for trail in matter.trails:
            refusal = trail.refusal
            if self._tally is not None:
                self._tally.decided(trail.about, matter.grant, refusal.page.number if refusal else "")
            if refusal is not None and self._logs:
                log.info("refused", extra={"told": _refused(matter, trail)})
        if self._chain is None or (line := self._line(matter)) is None:
            return None
        return self._chain.add(line)

    def _line(self, matter: Matter) -> Line | None:
        """The line for the audit log: of what was refused, given or changed. Looking something up leaves none."""
        trail = next((one for one in matter.trails if one.refusal), matter.trails[-1] if matter.trails else None)
        refusal = trail.refusal if trail else None
        if refusal is None and not matter.changes and (trail is None or trail.about not in GIVES):
            return None
        changes = told(matter.changes) if matter.changes else ()
        if refusal is None and not changes and (trail is None or trail.about not in GIVES):
            return None
        if matter.changes:
            complete(matter)
        return Line(
            at=self._clock(),
            realm=matter.realm,
            what=matter.what,
            about=trail.about if trail else "change",
            outcome="refused" if refusal else "passed",
            client=matter.client,
            subject=matter.subject,
            grant=matter.grant,
            actor=matter.actor,
            parent=matter.parent,
            token=matter.token,
            network=matter.network,
            refusal=refusal.page.number if refusal else "",
            why=refusal.reason if refusal else "",
            checks=len(trail.outcomes) if trail else 0,
            changes=changes,
            trail=_checked(trail) if trail and refusal else (),
            by=matter.by,
            edits=tuple(map(difference_document, matter.edits)),
        )


def _kept(batch: Batch | None) -> None:
    if batch is not None:
        batch.keep()


def _checked(trail: Trail) -> tuple[Checked, ...]:
    """The checks of a refusal, in their order. A long list of names is cut: the log is for people."""
    steps = ((one.check, one.outcome, one.passed) for one in trail.steps)
    return tuple(
        Checked(check.name, check.spec, passed, _cut(outcome.expected), _cut(outcome.found))
        for check, outcome, passed in steps
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


_LONGEST = 300


def _refused(matter: Matter, trail: Trail) -> dict[str, Any]:
    """A refusal for the log. What it says is what the trail says, in which there is no secret."""
    refusal = trail.refusal
    said = {
        "about": trail.about,
        "refusal": refusal.page.number if refusal else "",
        "why": refusal.reason if refusal else "",
        "endpoint": matter.what,
        "realm": matter.realm,
        "client": matter.client,
        "subject": matter.subject,
        "grant": matter.grant,
        "network": matter.network,
    }
    return {name: value for name, value in said.items() if value}
