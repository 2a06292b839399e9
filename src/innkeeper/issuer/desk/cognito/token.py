"""A pool's token endpoint at work, and what it shares with the JSON API: redeeming, refreshing, revoking."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from innkeeper.issuer.core.cognito import formats
from innkeeper.issuer.core.cognito import token as core
from innkeeper.issuer.core.cognito.records import AppClient, User
from innkeeper.issuer.core.cognito.token import Ask
from innkeeper.issuer.core.effects import (
    AddGrant,
    AddRefreshToken,
    Effect,
    Lost,
    RevokeGrant,
    SpendCode,
    SpendRefreshToken,
)
from innkeeper.issuer.core.records import Grant, RefreshToken
from innkeeper.issuer.desk.cognito.cutting import Giving, Tokens, cut, cut_for_client
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.exchange import exchange
from innkeeper.issuer.desk.cognito.twin import OpenPool, proves, there
from innkeeper.issuer.desk.cognito.users import user_by_sub
from innkeeper.issuer.desk.realm import digest


async def redeem(pool: OpenPool, ask: Ask) -> Tokens:
    """What a token request comes to. Raises ``Declined``."""
    kept = await pool.client(ask.client_id)
    client = kept.record if kept else None
    case = core.Case(ask, client, bool(client and proves(client, ask.secret)))
    passed = demand("token", core.CHECKS, case)
    tokens = await REDEEM[ask.sent["grant_type"]](pool, ask, there(client))
    pool.realm.observe(passed)
    return tokens


def new_refresh_token(pool: OpenPool, client: AppClient, grant: Grant) -> tuple[str, Effect]:
    """A refresh token of a sign-in, and the effect that makes it good."""
    token = formats.refresh_token(secrets.token_bytes(32))
    record = RefreshToken(digest=digest(token), grant_id=grant.id, expires_at=pool.now() + client.refresh_lifetime)
    return token, AddRefreshToken(record)


async def _code(pool: OpenPool, ask: Ask, client: AppClient) -> Tokens:
    key = digest(ask.sent["code"])
    while True:
        code = await pool.store.code(key)
        user = await user_by_sub(pool, code.grant.sub) if code else None
        demand("code", core.CODE_CHECKS, core.CodeCase(ask, client, code, user, pool.now()))
        grant = there(code).grant
        refresh, keep = new_refresh_token(pool, client, grant)
        try:
            await pool.store.commit((SpendCode(key, pool.now()), AddGrant(grant), keep))
        except Lost:
            continue
        giving = Giving(
            client=client,
            user=there(user),
            grant=grant,
            scopes=grant.scopes,
            source="TokenGeneration_HostedAuth",
            identity="openid" in grant.scopes,
            nonce=there(code).nonce,
            refresh=refresh,
        )
        return await cut(pool, giving)


async def _refresh(pool: OpenPool, ask: Ask, client: AppClient) -> Tokens:
    return await refresh(pool, client, ask.sent["refresh_token"])


async def refresh(pool: OpenPool, client: AppClient, token: str) -> Tokens:
    """New tokens of a sign-in, with a new refresh token where the client's rotate. Raises ``Declined``."""
    while True:
        grant, user, effects, successor = await _judged(pool, client, token)
        try:
            await pool.store.commit(effects)
        except Lost:
            continue
        giving = Giving(
            client=client,
            user=user,
            grant=grant,
            scopes=grant.scopes,
            source="TokenGeneration_RefreshTokens",
            identity="openid" in grant.scopes or " ".join(grant.scopes) == "aws.cognito.signin.user.admin",
            refresh=successor,
        )
        return await cut(pool, giving)


async def _judged(pool: OpenPool, client: AppClient, token: str) -> tuple[Grant, User, list[Effect], str]:
    """The sign-in and its user; where tokens rotate, the effects and the token that follows: the same one each time."""
    now, key = pool.now(), digest(token)
    found = await pool.store.refresh_token(key)
    user = await user_by_sub(pool, found.grant.sub) if found else None
    record, grant = (found.token, found.grant) if found else (None, None)
    demand("refresh token", core.REFRESH_CHECKS, core.RefreshCase(client, record, grant, user, now))
    if not client.rotates:
        return there(grant), there(user), [], ""
    successor = formats.refresh_token(pool.realm.mac("refresh successor", token))
    follows = RefreshToken(digest=digest(successor), grant_id=there(grant).id, expires_at=there(record).expires_at)
    spend = [SpendRefreshToken(key, follows.digest, now), AddRefreshToken(follows)]
    return there(grant), there(user), [] if there(record).spent_at else list[Effect](spend), successor


async def _client_credentials(pool: OpenPool, ask: Ask, client: AppClient) -> Tokens:
    return await for_client(pool, client, tuple(ask.sent.get("scope", "").split()))


async def for_client(pool: OpenPool, client: AppClient, asked: tuple[str, ...]) -> Tokens:
    """A client's own token. Raises ``Declined``."""
    case = core.ScopeCase(client, asked, await pool.custom_scopes())
    if pool.ways.switches.lenient_scopes:
        case = core.leniently(case)
    demand("client credentials", core.SCOPE_CHECKS, case)
    return await cut_for_client(pool, client, core.granted(case))


async def revoke_refresh_token(pool: OpenPool, client: AppClient, token: str) -> None:
    """End the sign-in of a refresh token; nothing happens for one that is another client's or nobody's."""
    found = await pool.store.refresh_token(digest(token))
    if found is not None and found.grant.client_id == client.id:
        await pool.store.commit((RevokeGrant(found.grant.id, pool.now()),))


async def _exchange(pool: OpenPool, ask: Ask, client: AppClient) -> Tokens:
    return await exchange(pool, client, ask.sent)


REDEEM: dict[str, Callable[[OpenPool, Ask, AppClient], Awaitable[Tokens]]] = {
    "authorization_code": _code,
    "refresh_token": _refresh,
    "client_credentials": _client_credentials,
    core.TOKEN_EXCHANGE: _exchange,
}
