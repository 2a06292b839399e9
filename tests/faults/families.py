"""Families of refresh tokens for faults to work on, put into a database as the issuer itself would put them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from innkeeper.issuer.core.effects import AddCode, AddGrant, AddRefreshToken
from innkeeper.issuer.core.records import Client, Code, Grant, RefreshToken, Secret
from innkeeper.issuer.desk.realm import digest, random_id, random_value
from innkeeper.issuer.store.opening import open_store
from innkeeper.issuer.store.upgrading import upgrade
from innkeeper.protocol import pkce

SECRET = "the-secret-of-the-shop-in-these-tests"
SHOP = {"client_id": "shop", "client_secret": SECRET}
REDIRECT = "https://shop.example/callback"
VERIFIER = "the-verifier-of-these-tests-is-43-letters-long"


async def furnish(database: str) -> None:
    """Make a database with our tables and the shop in it."""
    await upgrade(database)
    store = await open_store(database)
    shop = Client(
        id="shop",
        name="The shop",
        auth_methods=frozenset({"client_secret_post"}),
        secrets=(Secret(digest(SECRET), int(time.time())),),
        redirect_uris=(REDIRECT,),
        grants=frozenset({"authorization_code", "refresh_token", "client_credentials"}),
        scopes=frozenset({"openid", "offline_access", "room:enter"}),
    )
    await store.realm("native").put_client(shop)
    store.close()


class Family:
    """What a client holds: the newest refresh token that it was given."""

    def __init__(self, token: str) -> None:
        self.token = token

    def next_request(self) -> dict[str, str]:
        return refreshing(self.token)

    def take(self, answer: dict[str, Any]) -> None:
        self.token = answer["refresh_token"]


def refreshing(token: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": token, **SHOP}


def redeeming(code: str) -> dict[str, str]:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    return {**form, **SHOP}


async def begin_families(database: str, count: int) -> list[Family]:
    """As many families of the shop's, each with its first token."""
    values = [random_value() for _ in range(count)]
    grants = [_grant() for _ in values]
    expires = int(time.time()) + 86_400
    tokens = [
        RefreshToken(digest=digest(value), grant_id=grant.id, expires_at=expires)
        for value, grant in zip(values, grants, strict=True)
    ]
    await _commit(database, [*map(AddGrant, grants), *map(AddRefreshToken, tokens)])
    return [Family(value) for value in values]


async def cut_codes(database: str, count: int) -> list[str]:
    """As many codes of the shop's, good for ten minutes."""
    values = [random_value() for _ in range(count)]
    expires = int(time.time()) + 600
    await _commit(database, [AddCode(_code(value, expires)) for value in values])
    return values


def _code(value: str, expires: int) -> Code:
    return Code(
        digest=digest(value),
        grant=_grant(),
        redirect_uri=REDIRECT,
        challenge=pkce.challenge(VERIFIER),
        nonce=None,
        expires_at=expires,
    )


def _grant() -> Grant:
    now = int(time.time())
    return Grant(
        id=random_id(),
        client_id="shop",
        sub="ada-1",
        scopes=frozenset({"room:enter", "offline_access"}),
        audience=("https://api.example",),
        auth_time=now,
        acr="urn:innkeeper:acr:password",
        amr=("pwd",),
        session_id="",
        created_at=now,
    )


async def _commit(database: str, effects: Sequence[Any]) -> None:
    store = await open_store(database)
    try:
        await store.realm("native").commit(effects)
    finally:
        store.close()
