"""What it costs to begin: to load the guard in a fresh interpreter, to open the issuer of the pytest plugin, to set it back.

    python -m bench beginnings [ROUNDS]

Modules are compiled already, as they are from the second start on. Loading is measured inside the interpreter, whose own start
is not ours; opening includes loading the server.
"""

from __future__ import annotations

import subprocess
import sys
from statistics import median, quantiles

ROUNDS = 11

_GUARD = """
import time; began = time.perf_counter()
from innkeeper.guard import Guard
loaded = time.perf_counter()
guard = Guard("https://issuer.example", "https://api.example")
assert guard.verify_blocking("no token").status == 401
used = time.perf_counter()
print(loaded - began, used - began)
"""

_ISSUER = """
import time; began = time.perf_counter()
from innkeeper.testing.issuer import serving, usual
with serving(usual()) as issuer:
    opened = time.perf_counter() - began
    assert issuer.token("machine", "machine-secret", scope="orders:read")
    took = []
    for _ in range(50):
        issuer.clock.move(5)
        began = time.perf_counter()
        issuer.reset()
        took.append(time.perf_counter() - began)
print(opened, sorted(took)[25])
"""


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    print(f"\nBeginnings: {rounds} fresh interpreters each, milliseconds (middle half)")
    for code, names in (
        (_GUARD, ("innkeeper.guard is loaded", "and a first token was refused")),
        (_ISSUER, ("the plugin's issuer is open", "and set back between two tests")),
    ):
        measured = [_seconds(code) for _ in range(rounds)]
        for name, column in zip(names, zip(*measured, strict=True), strict=True):
            low, _, high = quantiles(column, n=4)
            print(f"  {name:34} {median(column) * 1e3:8.1f}  {low * 1e3:.1f} to {high * 1e3:.1f}", flush=True)


def _seconds(code: str) -> list[float]:
    ran = subprocess.run([sys.executable, "-s", "-P", "-c", code], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(ran.stderr)
    return [float(one) for one in ran.stdout.split()]
