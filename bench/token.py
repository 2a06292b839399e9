"""The token endpoint, client credentials: innkeeper beside npm oidc-provider and Authlib, one core each.

    python -m bench token [ROUNDS]

All sign RFC 9068 access tokens in ES256 for clients that authenticate with HTTP Basic: first fifty machines that take
turns and ask for different scopes, no request like another one; then one that asks for the same thing each time.
innkeeper remembers its clients in SQLite as always; the peers keep theirs in memory. It writes an audit log, which they do
not: once more without.
"""

from __future__ import annotations

import base64
import sys
from contextlib import ExitStack

from bench import servers
from bench.contest import ROUNDS, Contender, hold, served
from bench.fleet import turns
from bench.load import Call
from bench.servers import Server

NO_AUDIT = "[audit]\nenabled = false\n"

CONCIERGE = {
    "Authorization": f"Basic {base64.b64encode(b'concierge:concierge-secret').decode()}",
    "Content-Type": "application/x-www-form-urlencoded",
}


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with ExitStack() as stack:
        peers = [stack.enter_context(start()) for start in (servers.oidc_provider, servers.authlib)]
        alike = stack.enter_context(servers.innkeeper(settings=NO_AUDIT))._replace(name="innkeeper without audit log")
        running = [stack.enter_context(servers.innkeeper()), *peers]
        hold("Client credentials, ES256, no two requests alike", [fleet(one) for one in running], rounds)
        hold("The same, as little written down as the peers write", [fleet(one) for one in (alike, *peers)], rounds)
        hold("Client credentials, ES256, the same request each time", [machine(one) for one in running], rounds)


def fleet(server: Server) -> Contender:
    """Fifty clients in turn, each for itself."""
    headers = {"Content-Type": CONCIERGE["Content-Type"]}
    return served(server, Call("POST", f"{server.url}/token", headers, answers='"access_token":', turns=turns()))


def machine(server: Server) -> Contender:
    """A client asking for itself."""
    body = "grant_type=client_credentials&scope=room%3Aenter"
    return served(server, Call("POST", f"{server.url}/token", CONCIERGE, body, '"access_token":'))
