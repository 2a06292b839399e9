"""A small world for tests of the tour: a house that nobody runs, a token, and exchanges made by hand."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from innkeeper.keys.jws import compact, encode_header
from innkeeper.tour.house import House
from innkeeper.tour.record import Hop
from innkeeper.tour.visit import Visit

NOW = 1_800_000_000
LAPTOP = tomllib.loads((files("innkeeper.issuer") / "laptop.toml").read_text("utf-8"))
SEEDED = frozenset(one["dialect"] for one in LAPTOP["twin"]) | ({"agents"} if LAPTOP["agent"] else set())
"""What chapters may need that a house has from the start: the clouds' desks, and agents."""
BASE = "http://127.0.0.1:8400"
KEY = ec.derive_private_key(20_261_123, ec.SECP256R1())

HOUSE = House(
    base_url=BASE,
    client_id="guest-app",
    agent=("concierge", "concierge-secret"),
    resource=f"{BASE}/hotel",
    other_resource=f"{BASE}/hotel/mcp",
    scopes=("openid", "room:enter", "gym:enter"),
    agent_scopes=("room:enter", "gym:enter"),
    agents={
        "concierge_agent": "concierge-agent",
        "concierge_agent_secret": "concierge-agent-secret",
        "spa_agent": "spa-agent",
        "spa_agent_secret": "spa-agent-secret",
    },
)


def token(**changes: Any) -> str:
    """An access token as an issuer would cut it, signed by ``KEY``."""
    claims = {"iss": BASE, "exp": NOW + 600, "aud": f"{BASE}/hotel", "sub": "guest-204", "client_id": "guest-app"}
    claims |= {"iat": NOW, "jti": "j1", "scope": "gym:enter room:enter"} | changes
    header = encode_header({"alg": "ES256", "kid": "k1", "typ": "at+jwt"})
    return compact(header.encode("ascii"), msgspec.json.encode(claims), KEY, "ES256")


def visit(**changes: Any) -> Visit:
    return Visit(**({"id": "v1", "flow": "guest", "started_at": NOW} | changes))


def hop(**changes: Any) -> Hop:
    return Hop(**({"n": 1, "carrier": "app", "to": "desk", "method": "GET", "path": "/jwks", "status": 200} | changes))
