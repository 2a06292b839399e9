"""Codes and refresh tokens by the thousand for a bench, put into a running innkeeper's state as it would put them.

What is measured is their redemption; what led to them is not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from innkeeper.issuer.core.effects import AddCode, AddGrant, AddRefreshToken, Effect
from innkeeper.issuer.core.records import Code, Grant, RefreshToken
from innkeeper.issuer.desk.realm import digest, random_id, random_value
from innkeeper.issuer.store.sqlite import SqliteStore
from innkeeper.protocol import pkce

VERIFIER = "bench-" * 10
REDIRECT = "http://127.0.0.1:8765/callback"
ROOM = frozenset({"room:enter", "offline_access"})
"""No ``openid``: an ID token is another signature."""
PERSON = frozenset({"openid", "profile", "email"})


def codes(folder: Path, origin: str, count: int) -> Sequence[str]:
    """Unspent codes of the concierge's, good for a few minutes."""
    values = [random_value() for _ in range(count)]
    expires = int(time.time()) + 300
    _commit(folder, [AddCode(_code(value, origin, expires)) for value in values])
    return values


def refresh_tokens(folder: Path, origin: str, count: int, scopes: frozenset[str] = ROOM) -> Sequence[str]:
    """Unspent refresh tokens of the concierge's, each of a grant of its own."""
    values = [random_value() for _ in range(count)]
    grants = [_grant(origin, scopes) for _ in values]
    expires = int(time.time()) + 86400
    tokens = [
        RefreshToken(digest=digest(value), grant_id=grant.id, expires_at=expires)
        for value, grant in zip(values, grants, strict=True)
    ]
    _commit(folder, [*map(AddGrant, grants), *map(AddRefreshToken, tokens)])
    return values


def _code(value: str, origin: str, expires: int) -> Code:
    return Code(
        digest=digest(value),
        grant=_grant(origin, ROOM),
        redirect_uri=REDIRECT,
        challenge=pkce.challenge(VERIFIER),
        nonce=None,
        expires_at=expires,
    )


def _grant(origin: str, scopes: frozenset[str]) -> Grant:
    now = int(time.time())
    return Grant(
        id=random_id(),
        client_id="concierge",
        sub="guest-204",
        scopes=scopes,
        audience=(f"{origin}/hotel",) if scopes is ROOM else (origin,),
        auth_time=now,
        acr="urn:innkeeper:acr:password",
        amr=("pwd",),
        session_id=random_id(),
        created_at=now,
    )


def _commit(folder: Path, effects: Sequence[Effect]) -> None:
    store = SqliteStore(folder / ".innkeeper" / "innkeeper.db")
    try:
        asyncio.run(_committed(store, effects))
    finally:
        store.close()


async def _committed(store: SqliteStore, effects: Sequence[Effect]) -> None:
    await store.realm("native").commit(effects)
