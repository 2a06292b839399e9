"""What is looked up: introspection, userinfo, keys and discovery, innkeeper beside npm oidc-provider.

    python -m bench lookups [ROUNDS]

The token looked up is a person's. innkeeper's is a signed JWT, checked and looked for among the revoked ones in SQLite;
oidc-provider looks up opaque tokens only, once in its memory and once in SQLite, by an adapter after its documentation.
"""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack

from bench import grants, servers
from bench.contest import ROUNDS, Contender, hold, served
from bench.load import Call, answer
from bench.rotation import made_by
from bench.servers import Server
from bench.token import CONCIERGE


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with ExitStack() as stack:
        house = stack.enter_context(servers.innkeeper())
        peers = [stack.enter_context(servers.oidc_provider(keeps=kept)) for kept in ("memory", "sqlite")]
        tokens = {house: persons_token(house)} | {peer: made_by(peer, "access-tokens", 1)[0] for peer in peers}
        introspection = {house: "/introspect"} | dict.fromkeys(peers, "/token/introspection")
        userinfo = {house: "/userinfo"} | dict.fromkeys(peers, "/me")
        hold("Introspection", [_introspected(one, introspection[one], token) for one, token in tokens.items()], rounds)
        hold("Userinfo", [_told(one, userinfo[one], token) for one, token in tokens.items()], rounds)
        both = (house, peers[0])
        hold("JWKS", [_read(one, "/jwks", '"keys":') for one in both], rounds)
        hold("Discovery", [_read(one, "/.well-known/openid-configuration", '"issuer":') for one in both], rounds)


def persons_token(house: Server) -> str:
    """An access token of a person's, good at userinfo."""
    refresh = grants.refresh_tokens(house.folder, house.url, 1, grants.PERSON)[0]
    body = f"grant_type=refresh_token&refresh_token={refresh}"
    token: str = json.loads(answer(Call("POST", f"{house.url}/token", CONCIERGE, body)))["access_token"]
    return token


def _introspected(server: Server, path: str, token: str) -> Contender:
    return served(server, Call("POST", server.url + path, CONCIERGE, f"token={token}", '"active":true'))


def _told(server: Server, path: str, token: str) -> Contender:
    return served(server, Call("GET", server.url + path, {"Authorization": f"Bearer {token}"}, answers='"email":'))


def _read(server: Server, path: str, answers: str) -> Contender:
    return served(server, Call("GET", server.url + path, answers=answers))
