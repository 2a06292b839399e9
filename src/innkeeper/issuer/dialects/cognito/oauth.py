"""The endpoints of a pool that programs call: discovery, keys, token, userInfo, revocation, registration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from innkeeper.issuer.core.cognito import endpoints as core
from innkeeper.issuer.core.cognito.attributes import BOOLEANS, told
from innkeeper.issuer.core.cognito.token import TOKEN_EXCHANGE
from innkeeper.issuer.desk.cognito.bearers import claims_of, user_info
from innkeeper.issuer.desk.cognito.declined import Declined, demand
from innkeeper.issuer.desk.cognito.faults import TOKEN, demand_none
from innkeeper.issuer.desk.cognito.registration import register
from innkeeper.issuer.desk.cognito.token import redeem, revoke_refresh_token
from innkeeper.issuer.desk.cognito.twin import OpenPool, proves, there
from innkeeper.issuer.dialects.cognito.metadata import document
from innkeeper.issuer.dialects.cognito.wire import (
    FRESH,
    JSON,
    ask_of,
    bearer_of,
    json_answer,
    refused,
    tokens_answer,
)
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.refusals import Refusal

PoolHandler = Callable[[OpenPool, Request], Awaitable[Reply]]

CACHEABLE = (("cache-control", "public, max-age=86400"),)
GET, POST, ANY = frozenset({"GET", "HEAD"}), frozenset({"POST"}), frozenset({"GET", "HEAD", "POST", "PUT", "DELETE"})


class PoolEndpoint(msgspec.Struct, frozen=True):
    """What answers at a path below a pool: as ``dialects.layout.Endpoint``, but told which pool is asked."""

    handler: PoolHandler
    methods: frozenset[str]
    cors: bool = False


def table() -> dict[str, PoolEndpoint]:
    """Paths below a pool."""
    return {
        "/.well-known/openid-configuration": PoolEndpoint(_discovery, GET, cors=True),
        "/.well-known/jwks.json": PoolEndpoint(_jwks, GET, cors=True),
        "/oauth2/token": PoolEndpoint(_token, ANY, cors=True),
        "/oauth2/userInfo": PoolEndpoint(_user_info, GET | POST, cors=True),
        "/oauth2/revoke": PoolEndpoint(_revoke, POST, cors=True),
        "/oauth2/register": PoolEndpoint(_register, POST, cors=True),
    }


async def _discovery(pool: OpenPool, _: Request) -> Reply:
    return Reply(200, (("content-type", "application/json"), *CACHEABLE), msgspec.json.encode(document(pool)))


async def _jwks(pool: OpenPool, _: Request) -> Reply:
    keys = [dict(sorted(key.items())) for key in pool.realm.ring.published(pool.now())]
    return Reply(200, (("content-type", "application/json"), *CACHEABLE), msgspec.json.encode({"keys": keys}))


async def _token(pool: OpenPool, request: Request) -> Reply:
    if request.method != "POST":
        return Reply(405, (("allow", "POST"), *FRESH))
    ask = ask_of(request)
    try:
        await demand_none(pool.twin.account, TOKEN)
        tokens = await redeem(pool, ask)
    except Declined as declined:
        pool.realm.observe(declined.trail)
        return refused(declined.refusal)
    return tokens_answer(tokens, exchanged=ask.sent.get("grant_type") == TOKEN_EXCHANGE)


async def _user_info(pool: OpenPool, request: Request) -> Reply:
    try:
        user, claims = await user_info(pool, bearer_of(request))
    except Declined as declined:
        pool.realm.observe(declined.trail)
        return _challenged(declined.refusal)
    kept = await pool.client(str(claims["client_id"]))
    scopes = frozenset(str(claims["scope"]).split())
    readable = told(user.attributes, kept.record, scopes) if kept else {}
    body = {
        "sub": user.sub,
        **{name: _text(name, value) for name, value in readable.items()},
        "username": user.username,
    }
    return json_answer(body)


def _text(name: str, value: str) -> str:
    return value.lower() if name in BOOLEANS else value


def _challenged(refusal: Refusal) -> Reply:
    """Cognito's challenge has no scheme word; its body says the same."""
    said = f'error="{refusal.error}", error_description="{refusal.wire}"'
    body = {"error": refusal.error, "error_description": refusal.wire}
    return Reply(refusal.page.status, (JSON, *FRESH, ("www-authenticate", said)), msgspec.json.encode(body))


async def _revoke(pool: OpenPool, request: Request) -> Reply:
    ask = ask_of(request)
    kept = await pool.client(ask.client_id)
    client, token = kept.record if kept else None, ask.sent.get("token", "")
    case = core.RevokeCase(ask, client, bool(client and proves(client, ask.secret)), bool(claims_of(pool, token)))
    try:
        pool.realm.observe(demand("revocation", core.REVOKE_CHECKS, case))
    except Declined as declined:
        pool.realm.observe(declined.trail)
        return refused(declined.refusal)
    await revoke_refresh_token(pool, there(client), token)
    return Reply(200, FRESH)


async def _register(pool: OpenPool, request: Request) -> Reply:
    if not pool.pool.registration:
        return Reply(404, (("content-type", "text/plain"),), b"Dynamic client registration is off for this pool.\n")
    try:
        body: dict[str, Any] = await register(pool, bearer_of(request), request.body)
    except Declined as declined:
        pool.realm.observe(declined.trail)
        refusal = declined.refusal
        return json_answer({"error": refusal.error, "error_description": refusal.wire}, refusal.page.status)
    return json_answer(body, 201)
