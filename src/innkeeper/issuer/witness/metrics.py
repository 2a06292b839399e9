"""Counts and durations for Prometheus: per endpoint, grant, outcome and refusal number.

A request adds to plain numbers, which costs a microsecond; they are put into words when Prometheus asks. Where several workers
serve, each saves its numbers in a file of a shared folder every second, and whichever is asked adds up all of them, those of
workers that are gone included.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from innkeeper.issuer.witness.tally import BUCKETS, Asked, Made, Tally
from innkeeper.protocol.refusals import UsageError

if TYPE_CHECKING:
    from prometheus_client.core import Metric


class Numbers(msgspec.Struct):
    """What is counted. ``requests`` by endpoint, method and status; ``decisions`` by what they were about, grant and refusal;
    ``times`` by endpoint, one number for each bucket; ``seconds`` by endpoint, all in all."""

    requests: list[tuple[Asked, int]] = []
    decisions: list[tuple[Made, int]] = []
    times: dict[str, list[int]] = {}
    seconds: dict[str, float] = {}


class Metrics:
    """One process's numbers. ``folder`` is where it meets the other workers'; None where it is alone."""

    def __init__(self, folder: Path | None = None) -> None:
        self.tally = Tally()
        self._file = folder / f"{os.getpid()}.json" if folder else None
        self._saved = -1

    def save(self) -> None:
        """Let the other workers know, if there is news."""
        if self._file is None or (total := self.tally.total) == self._saved:
            return
        draft = self._file.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(self._numbers()))
        draft.replace(self._file)
        self._saved = total

    def text(self) -> tuple[bytes, str]:
        """Everything in the exposition format, with its content type."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.exposition import CONTENT_TYPE_LATEST

        registry = CollectorRegistry()
        registry.register(_Collected(_summed([self._numbers(), *self._others()])))
        return generate_latest(registry), CONTENT_TYPE_LATEST

    def figures(self) -> dict[str, Any]:
        """The numbers of all workers in short: how many requests were answered, and how, and what was refused most."""
        total = _summed([self._numbers(), *self._others()])
        statuses: Counter[str] = Counter()
        refusals: Counter[str] = Counter()
        for (_, _, status), count in total.requests:
            statuses[f"{status // 100}xx"] += count
        for (_, _, refusal), count in total.decisions:
            if refusal:
                refusals[refusal] += count
        decided = sum(count for _, count in total.decisions)
        return {
            "requests": {"total": sum(statuses.values()), **dict(sorted(statuses.items()))},
            "decisions": {"total": decided, "refused": sum(refusals.values())},
            "refused_most": dict(refusals.most_common(5)),
        }

    def _numbers(self) -> Numbers:
        tally = self.tally
        times = {name: list(one) for name, one in tally.times.copy().items()}
        requests, decisions = tally.requests.copy(), tally.decisions.copy()
        return Numbers(list(requests.items()), list(decisions.items()), times, tally.seconds.copy())

    def _others(self) -> Iterator[Numbers]:
        for path in self._file.parent.glob("*.json") if self._file else ():
            if path != self._file:
                with suppress(OSError, msgspec.MsgspecError):
                    yield msgspec.json.decode(path.read_bytes(), type=Numbers)


def share(folder: Path) -> None:
    """Make the folder in which workers meet, and empty it of what earlier ones left. Raises ``UsageError``."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in folder.glob("*.json"):
            old.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"numbers cannot be kept in {folder}: {error.strerror}. Choose another STATE.") from None


def _summed(all_of_them: Iterable[Numbers]) -> Numbers:
    requests: Counter[Asked] = Counter()
    decisions: Counter[Made] = Counter()
    total = Numbers()
    for one in all_of_them:
        requests.update(dict(one.requests))
        decisions.update(dict(one.decisions))
        for name, times in one.times.items():
            before = total.times.get(name, [0] * len(times))
            total.times[name] = [mine + other for mine, other in zip(before, times, strict=True)]
            total.seconds[name] = total.seconds.get(name, 0.0) + one.seconds[name]
    return Numbers(list(requests.items()), list(decisions.items()), total.times, total.seconds)


class _Collected:
    """Numbers in Prometheus' words."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        requests = CounterMetricFamily(
            "innkeeper_requests", "Requests answered.", labels=("endpoint", "method", "status")
        )
        for (endpoint, method, status), count in sorted(self._numbers.requests):
            requests.add_metric((endpoint, method, str(status)), count)
        decisions = CounterMetricFamily(
            "innkeeper_decisions",
            "Decisions by what they were about, the grant, the outcome and the refusal's number.",
            labels=("about", "grant", "outcome", "refusal"),
        )
        for (about, grant, refusal), count in sorted(self._numbers.decisions):
            decisions.add_metric((about, grant, "refused" if refusal else "passed", refusal), count)
        seconds = HistogramMetricFamily("innkeeper_request_seconds", "Time to answer.", labels=("endpoint",))
        for endpoint, times in sorted(self._numbers.times.items()):
            seconds.add_metric((endpoint,), list(_cumulated(times)), self._numbers.seconds[endpoint])
        yield from (requests, decisions, seconds)


def _cumulated(times: list[int]) -> Iterator[tuple[str, int]]:
    total = 0
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), times, strict=True):
        total += count
        yield bound, total
