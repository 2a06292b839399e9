"""A world for the guard to stand in: a clock that is moved by hand, issuers whose documents and failures are set by
hand and whose fetches are counted, and any token one can think of."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from innkeeper.guard.decision import Refused, Verified
from innkeeper.guard.guard import Guard
from innkeeper.keys import jwk, jws
from innkeeper.protocol import base64url
from innkeeper.protocol.exchange import Reply, json_reply
from innkeeper.protocol.refusals import Unreachable
from innkeeper.tokens.access import build
from tests.keys.keyring import private_key

ISSUER = "https://issuer.example"
HOTEL = "https://hotel.example/doors"
NOW = 1_800_000_000
KID = "k1"

Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


def public(kid: str = KID, alg: str = "ES256", which: int = 0) -> dict[str, str]:
    return jwk.public_document(private_key(alg, which).public_key(), kid, alg)


class World:
    """One issuer (or several, by ``add``) and the time. ``fetched`` lists every address asked for."""

    def __init__(self) -> None:
        self.now: float = NOW
        self.pages: dict[str, Reply] = {}
        self.fetched: list[str] = []
        self.down = False
        self.slow: asyncio.Event | None = None
        self.add(ISSUER, [public()])

    def add(self, issuer: str, keys: Sequence[Mapping[str, Any]]) -> None:
        self.pages[f"{issuer}/.well-known/oauth-authorization-server"] = json_reply(
            {"issuer": issuer, "jwks_uri": f"{issuer}/jwks"}
        )
        self.publish(keys, issuer)

    def publish(self, keys: Sequence[Mapping[str, Any]], issuer: str = ISSUER) -> None:
        self.pages[f"{issuer}/jwks"] = json_reply({"keys": list(keys)})

    def get(self, url: str) -> Reply:
        self.fetched.append(url)
        if self.down:
            raise Unreachable(f"{url} cannot be reached: connection refused")
        return self.pages.get(url, Reply(404))

    async def aget(self, url: str) -> Reply:
        if self.slow:
            await self.slow.wait()
        return self.get(url)

    def guard(self, issuer: Any = ISSUER, audience: Any = HOTEL, **more: Any) -> Guard:
        more = {"clock": lambda: self.now, "fetch": self.aget, "fetch_blocking": self.get, **more}
        return Guard(issuer, audience, **more)

    def jwks_fetches(self) -> int:
        return sum(url.endswith("/jwks") for url in self.fetched)


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good token; ``...`` leaves a claim out."""
    said = build(
        issuer=ISSUER,
        subject="guest-204",
        audience=[HOTEL],
        client_id="guest-app",
        now=NOW,
        lifetime=600,
        jti="t1",
        scope=["room:enter", "gym:enter"],
    )
    return {name: value for name, value in (said | changes).items() if value is not ...}


def forge(
    said: Mapping[str, Any] | bytes | None = None,
    *,
    alg: str = "ES256",
    which: int = 0,
    header: Mapping[str, Any] | None = None,
) -> str:
    """A signed token; ``header`` changes or, with ``...``, leaves out header members."""
    head = {"alg": alg, "typ": "at+jwt", "kid": KID} | dict(header or {})
    payload = said if isinstance(said, bytes) else msgspec.json.encode(dict(said if said is not None else claims()))
    encoded = jws.encode_header({name: value for name, value in head.items() if value is not ...})
    return jws.compact(encoded.encode(), payload, private_key(alg, which), alg)


def unsigned(header: Mapping[str, Any], said: Mapping[str, Any] | None = None, signature: bytes = b"") -> str:
    parts = (msgspec.json.encode(dict(header)), msgspec.json.encode(dict(said or claims())), signature)
    return ".".join(map(base64url.encode_text, parts))


def number(outcome: Verified | Refused) -> str:
    """The number of the refusal, or "verified"."""
    return outcome.refusal.page.number if isinstance(outcome, Refused) else "verified"


def last_check(outcome: Verified | Refused) -> str:
    return outcome.trail.steps[-1].check.name
