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
from innkeeper.issuer.store.opening import open_store
from innkeeper.protocol import pkce

VERIFIER = "bench-" * 10
REDIRECT = "http://127.0.0.1:8765/callback"
ROOM = frozenset({"room:enter", "offline_access"})
"""No ``openid``: an ID token is another signature."""
PERSON = frozenset({"openid", "profile", "email"})


def codes(folder: Path | str, origin: str, count: int) -> Sequence[str]:
    """Unspent codes of the concierge's, good for a few minutes."""
    values = [random_value() for _ in range(count)]
    expires = int(time.time()) + 300
    asyncio.run(_commit(folder, [AddCode(_code(value, origin, expires)) for value in values]))
    return values


def refresh_tokens(folder: Path | str, origin: str, count: int, scopes: frozenset[str] = ROOM) -> Sequence[str]:
    """Unspent refresh tokens of the concierge's, each of a grant of its own."""
    values = [random_value() for _ in range(count)]
    grants = [_grant(origin, scopes) for _ in values]
    expires = int(time.time()) + 86400
    tokens = [
        RefreshToken(digest=digest(value), grant_id=grant.id, expires_at=expires)
        for value, grant in zip(values, grants, strict=True)
    ]
    asyncio.run(_commit(folder, [*map(AddGrant, grants), *map(AddRefreshToken, tokens)]))
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


async def _commit(folder: Path | str, effects: Sequence[Effect]) -> None:
    """``folder`` is that of a server with a file in it, or the URL of a database."""
    store = await open_store(folder if isinstance(folder, str) else str(folder / ".innkeeper" / "innkeeper.db"))
    try:
        await store.realm("native").commit(effects)
    finally:
        store.close()
