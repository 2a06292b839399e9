"""``python -m bench [NAME [ROUNDS]]``: one bench, or all of them."""

from __future__ import annotations

import sys
from importlib import import_module

import innkeeper.tokens.trail as every_request
from bench.machine import ready

BENCHES = ("token", "rs256", "rotation", "stored", "lookups", "verify", "beginnings", "workers", "witness")
ON_REQUEST = ("model", "size")
"""Those that count or fill for minutes, and compare with nobody."""


def main() -> None:
    names = sys.argv[1:2] or BENCHES
    if unknown := set(names) - {*BENCHES, *ON_REQUEST}:
        raise SystemExit(f"no bench {min(unknown)!r}; there are {', '.join(BENCHES + ON_REQUEST)}")
    ready()
    print(f"innkeeper is {'compiled' if is_compiled() else 'as Python has it'}", flush=True)
    del sys.argv[1:2]
    for name in names:
        import_module(f"bench.{name}").main()


def is_compiled() -> bool:
    """Whether what every request passes through is machine code here."""
    return not str(every_request.__file__).endswith(".py")


if __name__ == "__main__":
    main()
