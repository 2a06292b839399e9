"""Operations that refresh and revoke, and those by which a client gets tokens without a domain."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core.cognito import calling
from innkeeper.issuer.core.cognito import machine as core
from innkeeper.issuer.core.cognito import token as oauth
from innkeeper.issuer.core.cognito.records import AppClient
from innkeeper.issuer.desk.cognito.bearers import claims_of
from innkeeper.issuer.desk.cognito.cutting import Tokens
from innkeeper.issuer.desk.cognito.declined import Declined, demand
from innkeeper.issuer.desk.cognito.exchange import Wanted, derive
from innkeeper.issuer.desk.cognito.sign_in import demand_hash
from innkeeper.issuer.desk.cognito.token import for_client, refresh, revoke_refresh_token
from innkeeper.issuer.desk.cognito.twin import OpenPool, Place, proves
from innkeeper.issuer.desk.cognito.users import user_by_sub
from innkeeper.issuer.desk.realm import digest
from innkeeper.issuer.dialects.cognito.api.operation import Input, Operation, Output, operation
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Step, made_of

REWORDED: dict[Page, Page] = {
    oauth.REFRESH_BAD: calling.REFRESH_TOKEN_BAD,
    oauth.REFRESH_REVOKED: calling.REFRESH_TOKEN_BAD,
    oauth.REFRESH_EXPIRED: calling.REFRESH_TOKEN_BAD,
    oauth.REFRESH_REUSED: calling.REUSED,
}
"""The OAuth endpoints' refusals as the JSON API words them."""


async def refresh_by_api(pool: OpenPool, client: AppClient, token: str, secret_hash: str | None) -> Output:
    """REFRESH_TOKEN_AUTH: its hash is made over the user name, and it gives no refresh token. Raises ``Declined``."""
    demand("refresh", core.REFRESH_CHECKS, client)
    found = await pool.store.refresh_token(digest(token))
    user = await user_by_sub(pool, found.grant.sub) if found else None
    names = (user.username, user.sub, *user.attributes.values()) if user else ("",)
    demand_hash(pool, client, secret_hash, *names)
    return {"AuthenticationResult": _result(await reworded(pool, client, token)), "ChallengeParameters": {}}


async def reworded(pool: OpenPool, client: AppClient, token: str) -> Tokens:
    """New tokens; a refusal in the API's words. Raises ``Declined``."""
    try:
        return await refresh(pool, client, token)
    except Declined as declined:
        raise spoken(declined, REWORDED) from None


def spoken(declined: Declined, pages: dict[Page, Page]) -> Declined:
    """The same refusal under another page, its sentence kept where the page has one for it."""
    before, last = declined.refusal, declined.trail.steps[-1]
    page = pages.get(before.page, before.page)
    said = before.page.wire if page is not before.page else before.said
    refusal = Refusal(page, before.reason, before.expected, before.found, before.hint, said)
    return Declined(made_of(declined.trail.about, (*declined.trail.steps[:-1], Step(last.check, refusal))), refusal)


def _result(tokens: Tokens) -> dict[str, Any]:
    told: dict[str, Any] = {"AccessToken": tokens.access, "ExpiresIn": tokens.expires_in, "TokenType": "Bearer"}
    if tokens.refresh:
        told["RefreshToken"] = tokens.refresh
    return {**told, "IdToken": tokens.identity} if tokens.identity else told


class OfSecret(Input, frozen=True, kw_only=True):
    client_id: str
    client_secret: str | None = None


async def _client(place: Place, client_id: str, secret: str | None) -> tuple[OpenPool, AppClient]:
    """The client, which brought its secret itself. Raises ``Declined``."""
    pool, client = await place.client(client_id)
    demand("app client", core.SECRET_CHECKS, core.SecretCase(client, secret, proves(client, secret)))
    return pool, client


class GetTokensFromRefreshToken(OfSecret, frozen=True, kw_only=True):
    refresh_token: str


async def refreshed(place: Place, ask: GetTokensFromRefreshToken) -> Output:
    pool, client = await _client(place, ask.client_id, ask.client_secret)
    return {"AuthenticationResult": _result(await reworded(pool, client, ask.refresh_token))}


class RevokeToken(OfSecret, frozen=True, kw_only=True):
    token: str


async def revoke(place: Place, ask: RevokeToken) -> Output:
    pool, client = await _client(place, ask.client_id, ask.client_secret)
    demand("revocation", core.REVOKE_CHECKS, core.RevokeCase(client, bool(claims_of(pool, ask.token))))
    await revoke_refresh_token(pool, client, ask.token)
    return {}


class GetClientToken(Input, frozen=True, kw_only=True):
    client_id: str
    secret: str
    scopes: list[str] = []


async def client_token(place: Place, ask: GetClientToken) -> Output:
    pool, client = await _client(place, ask.client_id, ask.secret)
    demand("client token", core.CLIENT_TOKEN_CHECKS, client)
    try:
        tokens = await for_client(pool, client, tuple(ask.scopes))
    except Declined as declined:
        raise spoken(declined, {oauth.SCOPE_BAD: core.SCOPE_REFUSED}) from None
    told = {"AccessToken": tokens.access, "ExpiresIn": tokens.expires_in, "TokenType": "Bearer"}
    return {"ClientAuthenticationResult": told}


class GetDerivedToken(OfSecret, frozen=True, kw_only=True):
    subject_token: str
    subject_token_type: str
    actor_token: str = ""
    actor_token_type: str = ""
    scopes: list[str] = []
    audiences: list[str] = []
    resources: list[str] = []


async def derived(place: Place, ask: GetDerivedToken) -> Output:
    pool, client = await _client(place, ask.client_id, ask.client_secret)
    wanted = Wanted(
        subject=ask.subject_token,
        subject_type=ask.subject_token_type,
        actor=ask.actor_token,
        actor_type=ask.actor_token_type,
        scopes=tuple(ask.scopes),
        targets=(*ask.audiences, *ask.resources),
    )
    try:
        tokens = await derive(pool, client, wanted)
    except Declined as declined:
        raise spoken(declined, core.EXCHANGE_PAGES) from None
    told = {"IssuedToken": tokens.access, "IssuedTokenType": "ACCESS_TOKEN", "TokenType": "Bearer"}
    return {**told, "ExpiresIn": tokens.expires_in, "Scopes": list(tokens.scopes)}


OPERATIONS: dict[str, Operation] = {
    "GetTokensFromRefreshToken": operation(GetTokensFromRefreshToken, refreshed),
    "RevokeToken": operation(RevokeToken, revoke),
    "GetClientToken": operation(GetClientToken, client_token),
    "GetDerivedToken": operation(GetDerivedToken, derived),
}
