"""A contest: every server is up all the time and they take turns in short slices, in an order that rotates.

So a slow moment of the machine falls on everyone. What counts is the median of the rounds' ratios; the spread
behind it is the middle half of the rounds. Differences under 15 % are nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from statistics import median, quantiles
from typing import NamedTuple

from bench.load import Call, Slice, answer, slice_of
from bench.servers import Server

ROUNDS = 9
SECONDS = 2
WARM = 10
"""Slices that each works before it is measured: a Node is half as fast in its first few seconds."""

Slices = Mapping[str, list[Slice]]


class Contender(NamedTuple):
    """Someone who is measured for that many seconds at a time, after so many slices that do not count."""

    name: str
    measure: Callable[[int], Slice]
    warm: int = WARM


def served(server: Server, call: Call) -> Contender:
    """A server and the call that is made to it, which is seen to be answered as it should be."""
    answer(call)
    return Contender(server.name, partial(slice_of, call, server.process))


def hold(title: str, contenders: list[Contender], rounds: int = ROUNDS) -> Slices:
    """Measure the contenders side by side and print the table; the first one is compared to each other one."""
    for before in range(max(one.warm for one in contenders), 0, -1):
        for one in contenders:
            if before <= one.warm:
                one.measure(SECONDS)
    slices: dict[str, list[Slice]] = {one.name: [] for one in contenders}
    for turn in range(rounds):
        shift = turn % len(contenders)
        for one in contenders[shift:] + contenders[:shift]:
            slices[one.name].append(one.measure(SECONDS))
    _print(title, slices)
    return slices


def _print(title: str, slices: Slices) -> None:
    names = list(slices)
    ours = slices[names[0]]
    print(f"\n{title}: {len(ours)} rounds of {SECONDS} s each")
    print(f"  {'':34} {'req/s':>8} {'CPU µs':>8} {'p50 ms':>7} {'p99 ms':>7}   {names[0]} is")
    for name, theirs in slices.items():
        rate, cpu, p50, p99 = (median(column) for column in zip(*theirs, strict=True))
        print(f"  {name:34} {rate:8.0f} {cpu:8.1f} {p50:7.2f} {p99:7.2f}   {_compared(ours, theirs)}", flush=True)


def _compared(ours: list[Slice], theirs: list[Slice]) -> str:
    if ours is theirs:
        return ""
    ratios = [mine.rate / other.rate for mine, other in zip(ours, theirs, strict=True)]
    low, _, high = quantiles(ratios, n=4)
    cpu = median(other.cpu / mine.cpu for mine, other in zip(ours, theirs, strict=True))
    return f"{median(ratios):.2f} times as fast ({low:.2f} to {high:.2f}), by CPU {cpu:.2f}"
