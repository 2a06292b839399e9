"""What it costs to be watched: client credentials with and without the audit log and metrics.

    python -m bench witness [ROUNDS]

Four innkeepers on one core, in turn, and no two requests alike. Refusals are logged in all of them; there are none here.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack

from bench import servers
from bench.contest import ROUNDS, hold
from bench.machine import free_port
from bench.token import NO_AUDIT, fleet


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    kinds = {
        "audit log and metrics": _metrics(),
        "audit log": "",
        "metrics": NO_AUDIT + _metrics(),
        "neither": NO_AUDIT,
    }
    with ExitStack() as stack:
        running = [
            stack.enter_context(servers.innkeeper(settings=more))._replace(name=name) for name, more in kinds.items()
        ]
        hold("Client credentials, ES256, watched", [fleet(one) for one in running], rounds)


def _metrics() -> str:
    return f'[server]\nmetrics = "127.0.0.1:{free_port()}"\n'
