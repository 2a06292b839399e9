"""Codes redeemed and refresh tokens rotated, innkeeper beside npm oidc-provider.

    python -m bench rotation [ROUNDS]

innkeeper remembers in SQLite with synchronous=FULL: each answer is on disk before it is sent. oidc-provider keeps its
tokens once in memory, where it loses them when it stops, and once in SQLite likewise, by an adapter after its documentation. Every request is answered with an access token in ES256 and a new
refresh token; there is no ID token.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from urllib.request import urlopen

from bench import grants, servers
from bench.contest import ROUNDS, Contender, hold, served
from bench.load import CONNECTIONS, TRIED, Call, Pool
from bench.servers import Server
from bench.token import CONCIERGE

FAST = 12_000
"""Codes made for a slice: more than anyone here redeems in one."""

Made = Callable[[int], Sequence[str]]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with ExitStack() as stack:
        house = stack.enter_context(servers.innkeeper())
        peers = [stack.enter_context(servers.oidc_provider(keeps=kept)) for kept in ("memory", "sqlite")]
        hold(
            "Refresh tokens rotated",
            [
                rotation(house, partial(grants.refresh_tokens, house.folder, house.url)),
                *(rotation(one, partial(made_by, one, "refresh-tokens")) for one in peers),
            ],
            rounds,
        )
        hold(
            "Codes redeemed, with PKCE",
            [
                redemption(house, partial(grants.codes, house.folder, house.url)),
                *(redemption(one, partial(made_by, one, "codes")) for one in peers),
            ],
            rounds,
        )


def rotation(server: Server, made: Made, path: str = "/token") -> Contender:
    """As many families as connections, each token of which is used for the next."""
    pool = Pool(made, CONNECTIONS + TRIED, '"refresh_token": ?"([^"]+)"')
    body = "grant_type=refresh_token&refresh_token=%s"
    return served(server, Call("POST", server.url + path, CONCIERGE, body, '"refresh_token":', pool))


def redemption(server: Server, made: Made) -> Contender:
    body = f"grant_type=authorization_code&code=%s&redirect_uri={grants.REDIRECT}&code_verifier={grants.VERIFIER}"
    return served(server, Call("POST", f"{server.url}/token", CONCIERGE, body, '"refresh_token":', Pool(made, FAST)))


def made_by(peer: Server, kind: str, count: int) -> Sequence[str]:
    """What oidc-provider makes for a bench."""
    with urlopen(f"{peer.url}/bench/{kind}?count={count}", timeout=60) as answer:
        values: list[str] = json.load(answer)
    return values
