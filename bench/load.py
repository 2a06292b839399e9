"""Load: one kind of request sent over many connections for a short while by wrk, from a core of its own."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from bench.machine import BENCH, LOAD_CORE, cpu_seconds, pinned, wait_until_idle

CONNECTIONS = 32
TRIED = 1
"""Requests that wrk composes to look at before it sends any."""


class Pool(NamedTuple):
    """Values that may be sent once each: how to make that many, and the Lua pattern that finds the next in an answer."""

    made: Callable[[int], Sequence[str]]
    size: int
    follows: str = ""


class Call(NamedTuple):
    """A request, and a text that its answer must hold to count as one. A ``pool`` fills the %s in its body; ``turns``
    are lines of an Authorization header and a body each, which requests take in turn. ``core`` is the load's; None for any."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: str = ""
    answers: str = ""
    pool: Pool | None = None
    turns: Sequence[str] = ()
    core: int | None = LOAD_CORE


class Slice(NamedTuple):
    """What a server did in one slice: requests a second, CPU µs a request, latency in ms."""

    rate: float
    cpu: float
    p50: float
    p99: float


def answer(call: Call) -> str:
    """The answer to one call. Ends the run where it is an error, or not the answer that is measured."""
    body, headers = call.body % call.pool.made(1)[0] if call.pool else call.body, dict(call.headers)
    if call.turns:
        headers["Authorization"], body = (call.turns[0] % 0).split("\t")
    request = urllib.request.Request(call.url, body.encode() or None, headers, method=call.method)
    with urllib.request.urlopen(request, timeout=10) as reply:
        text: str = reply.read().decode()
    if call.answers not in text:
        raise SystemExit(f"{call.url} answered {text[:200]!r}, without {call.answers!r}")
    return text


def slice_of(call: Call, process: int, seconds: int) -> Slice:
    """Load a server with one call, and wait until it is idle again. Ends the run on any answer but a 2xx."""
    if call.turns:
        return _in_turn(call, process, seconds)
    if call.pool is None:
        return _slice_of(call, process, seconds, {})
    with NamedTemporaryFile("w", prefix="innkeeper-bench-") as values:
        values.write("\n".join(call.pool.made(call.pool.size)))
        values.flush()
        wait_until_idle(process)
        told = {"BENCH_POOL": values.name}
        return _slice_of(
            call, process, seconds, told | ({"BENCH_YIELD": call.pool.follows} if call.pool.follows else {})
        )


def _in_turn(call: Call, process: int, seconds: int) -> Slice:
    """A slice of requests of which no two are alike, nor like one of another slice."""
    with NamedTemporaryFile("w", prefix="innkeeper-bench-") as lines:
        lines.write("\n".join(call.turns))
        lines.flush()
        first = time.time_ns() // 1_000_000 * 100
        return _slice_of(call, process, seconds, {"BENCH_TURNS": lines.name, "BENCH_FIRST": str(first)})


def _slice_of(call: Call, process: int, seconds: int, told: Mapping[str, str]) -> Slice:
    before = cpu_seconds(process)
    found = _loaded(call, seconds, told)
    wait_until_idle(process)
    spent = cpu_seconds(process) - before
    requests, took = found["requests"], found["microseconds"] / 1e6
    return Slice(requests / took, spent / requests * 1e6, found["p50"] / 1e3, found["p99"] / 1e3)


def _loaded(call: Call, seconds: int, told: Mapping[str, str]) -> dict[str, int]:
    command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s"]
    script = ["--script", str(Path(BENCH) / "load.lua"), call.url]
    headers = "\n".join(f"{name}: {value}" for name, value in call.headers.items())
    environment = {"BENCH_METHOD": call.method, "BENCH_BODY": call.body, "BENCH_HEADERS": headers, **told}
    run = subprocess.run(
        pinned(call.core, [*command, *script]),
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    last = run.stdout.rpartition("\n{")[2]
    found: dict[str, int] = json.loads("{" + last) if last.endswith("}\n") else {}
    if run.returncode or not found or found["refused"] or found["broken"] or not found["requests"]:
        raise SystemExit(f"{call.url}: not every answer was a 2xx:\n{run.stdout}{run.stderr}")
    return found
