"""Load: one request sent over many connections for a short while by wrk, from a core of its own."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Mapping
from typing import NamedTuple

from bench.machine import BENCH, LOAD_CORE, cpu_seconds, pinned, wait_until_idle

CONNECTIONS = 16


class Call(NamedTuple):
    """One request, and a text that its answer must hold to count as one."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: str = ""
    answers: str = ""


class Slice(NamedTuple):
    """What a server did in one slice: requests a second, CPU µs a request, latency in ms."""

    rate: float
    cpu: float
    p50: float
    p99: float


def answer(call: Call) -> str:
    """The answer to one call. Ends the run where it is an error, or not the answer that is measured."""
    request = urllib.request.Request(call.url, call.body.encode() or None, dict(call.headers), method=call.method)
    with urllib.request.urlopen(request, timeout=10) as reply:
        text: str = reply.read().decode()
    if call.answers not in text:
        raise SystemExit(f"{call.url} answered {text[:200]!r}, without {call.answers!r}")
    return text


def slice_of(call: Call, process: int, seconds: float) -> Slice:
    """Load a server with one call, and wait until it is idle again. Ends the run on any answer but a 2xx."""
    command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds:.0f}s"]
    script = ["--script", str(BENCH / "load.lua"), call.url]
    before = cpu_seconds(process)
    run = subprocess.run(
        pinned(LOAD_CORE, [*command, *script]), env=_told(call), capture_output=True, text=True, check=True
    )
    wait_until_idle(process)
    told = json.loads(run.stdout.splitlines()[-1])
    if told["refused"] or told["broken"] or not told["requests"]:
        raise SystemExit(
            f"{call.url}: {told['refused']} answers were refusals, {told['broken']} broke off: {run.stdout}"
        )
    spent = cpu_seconds(process) - before
    requests, took = told["requests"], told["microseconds"] / 1e6
    return Slice(requests / took, spent / requests * 1e6, told["p50"] / 1e3, told["p99"] / 1e3)


def _told(call: Call) -> dict[str, str]:
    headers = "\n".join(f"{name}: {value}" for name, value in call.headers.items())
    return {**os.environ, "BENCH_METHOD": call.method, "BENCH_BODY": call.body, "BENCH_HEADERS": headers}
