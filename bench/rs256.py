"""The token endpoint signing in RS256, beside npm oidc-provider and beside one bare RS256 signature.

    python -m bench rs256 [ROUNDS]

The bare signature is ``cryptography``'s, in a process of its own on the servers' core: the least that a token can cost.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from statistics import median

from bench import servers
from bench.contest import ROUNDS, Contender, hold
from bench.load import Slice
from bench.machine import SERVER_CORE, pinned
from bench.token import fleet

BARE = "one bare RS256 signature"
_SIGN = """
import sys, time
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

key, scheme, digest = rsa.generate_private_key(65537, 2048), padding.PKCS1v15(), SHA256()
count, began = 0, time.process_time()
while (spent := time.process_time() - began) < float(sys.argv[1]):
    key.sign(b"x" * 400, scheme, digest)
    count += 1
print(spent / count)
"""


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with ExitStack() as stack:
        running = [stack.enter_context(start("RS256")) for start in (servers.innkeeper, servers.oidc_provider)]
        contenders = [*(fleet(one) for one in running), Contender(BARE, bare)]
        slices = hold("Client credentials, RS256, no two requests alike", contenders, rounds)
    ours, least = slices[contenders[0].name], slices[BARE]
    ratio = median(mine.cpu / other.cpu for mine, other in zip(ours, least, strict=True))
    print(f"  a token costs {ratio:.2f} times the CPU of one bare RS256 signature")


def bare(seconds: int) -> Slice:
    """Signatures of RSA-2048 with SHA-256, one after the other."""
    command = pinned(SERVER_CORE, [sys.executable, "-c", _SIGN, str(seconds)])
    cost = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return Slice(1 / cost, cost * 1e6, cost * 1e3, cost * 1e3)
