"""Tokens of a pool are cut: of a sign-in, of a refresh, of a client on its own behalf."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from innkeeper.issuer.core.cognito.attributes import told
from innkeeper.issuer.core.cognito.records import AppClient, User
from innkeeper.issuer.core.cognito.triggers import Changes, Override, override_of, rescoped
from innkeeper.issuer.core.records import Client, Grant, Secret
from innkeeper.issuer.core.token import Issue
from innkeeper.issuer.desk.cognito.triggers import Event, call
from innkeeper.issuer.desk.cognito.twin import OpenPool, random_uuid
from innkeeper.issuer.desk.shape import Stamp

OAUTH, API, CLIENTS_OWN = "oauth", "api", "client"
"""Ways to a token: the OAuth endpoints, the JSON API, client credentials."""


class Tokens(msgspec.Struct, frozen=True):
    """What is handed out; "" for what is not. ``expires_in`` in seconds, of the access token."""

    access: str
    expires_in: int
    identity: str = ""
    refresh: str = ""
    scopes: tuple[str, ...] = ()


class Giving(msgspec.Struct, frozen=True, kw_only=True):
    """What to cut for a user. ``source`` is why, as the pre token generation function is told."""

    client: AppClient
    user: User
    grant: Grant
    scopes: frozenset[str]
    source: str
    identity: bool = True
    nonce: str | None = None
    refresh: str = ""
    actor: dict[str, Any] | None = None


def way_of(grant: Grant) -> str:
    """How the sign-in was made: by the OAuth endpoints or by the JSON API."""
    return str(grant.details[0]["way"]) if grant.details else OAUTH


def new_grant(
    pool: OpenPool, client: AppClient, user: User, scopes: frozenset[str], way: str, audience: str = ""
) -> Grant:
    """A sign-in that happens now. Its id is the tokens' origin_jti: by that they are revoked together."""
    now = pool.now()
    return Grant(
        id=random_uuid(),
        client_id=client.id,
        sub=user.sub,
        scopes=scopes,
        audience=(audience,) if audience else (),
        auth_time=now,
        acr="",
        amr=(),
        session_id="",
        created_at=now,
        details=({"way": way, "event_id": random_uuid()},),
    )


async def cut(pool: OpenPool, giving: Giving) -> Tokens:
    """Sign what a user is given, after the pool's function had its say. Raises ``Declined`` where that refuses."""
    override, grant = await _override(pool, giving), giving.grant
    scopes = tuple(rescoped(sorted(giving.scopes), override.access))
    user, client, way = giving.user, giving.client, way_of(grant)
    groups = user.account.groups if override.groups is None else override.groups
    more = {
        "way": way,
        "scopes": scopes,
        "groups": list(groups),
        "username": user.username,
        "origin_jti": grant.id,
        "revocable": client.revocable,
        "event_id": grant.details[0].get("event_id", "") if grant.details else random_uuid(),
        "attributes": told(user.attributes, client, giving.scopes if way == OAUTH else None),
        "id_lifetime": client.id_lifetime,
        "access": override.access,
        "identity": override.identity,
    }
    issue = Issue(
        client=as_client(client),
        subject=user.sub,
        scopes=giving.scopes,
        audience=grant.audience,
        grant=grant,
        nonce=giving.nonce,
        actor=giving.actor,
        lifetime=client.access_lifetime,
        more=more,
    )
    access, lifetime = await _sign_access(pool, issue)
    identity = await _sign_identity(pool, issue, user, access) if giving.identity else ""
    return Tokens(access, lifetime, identity, giving.refresh, scopes)


async def cut_for_client(pool: OpenPool, client: AppClient, scopes: Sequence[str]) -> Tokens:
    """Sign what a client is given on its own behalf."""
    override = await _override_of_client(pool, client, scopes)
    given = rescoped(scopes, override.access)
    more = {"way": CLIENTS_OWN, "scopes": given, "access": override.access}
    issue = Issue(
        client=as_client(client),
        subject=client.id,
        scopes=frozenset(given),
        audience=(),
        lifetime=client.access_lifetime,
        more=more,
    )
    return Tokens(*await _sign_access(pool, issue))


def as_client(client: AppClient) -> Client:
    """The app client as the house's own record: what is listed, and what tokens are cut for."""
    return Client(
        id=client.id,
        name=client.name,
        auth_methods=frozenset({"client_secret_basic", "client_secret_post"} if client.confidential else {"none"}),
        secrets=tuple(Secret(one.digest, one.created_at) for one in client.secrets),
        redirect_uris=client.callbacks,
        post_logout_redirect_uris=client.ways_out,
        grants=frozenset(client.grants),
        scopes=frozenset(client.scopes),
        created_at=client.created_at,
        development=client.development and client.confidential,
    )


async def _sign_access(pool: OpenPool, issue: Issue) -> tuple[str, int]:
    realm, stamp = pool.realm, Stamp(pool.now(), random_uuid())
    draft = realm.shape.access(issue, realm.policy, stamp)
    return await realm.ring.cut(draft.alg, draft.typ, draft.claims, stamp.now, draft.purpose), draft.lifetime


async def _sign_identity(pool: OpenPool, issue: Issue, user: User, access: str) -> str:
    realm, stamp = pool.realm, Stamp(pool.now(), random_uuid())
    draft = realm.shape.identity(issue, user.person, access, realm.policy, stamp)
    return await realm.ring.cut(draft.alg, draft.typ, draft.claims, stamp.now, draft.purpose)


async def _override(pool: OpenPool, giving: Giving) -> Override:
    groups = {"groupsToOverride": list(giving.user.account.groups), "iamRolesToOverride": [], "preferredRole": None}
    request = {"groupConfiguration": groups, "scopes": sorted(giving.scopes)}
    event = Event(
        trigger="PreTokenGeneration",
        source=giving.source,
        client_id=giving.client.id,
        user=giving.user,
        request=request,
        response={"claimsOverrideDetails": None, "claimsAndScopeOverrideDetails": None},
    )
    answer = await call(pool, event)
    return override_of(answer) if answer else Override()


async def _override_of_client(pool: OpenPool, client: AppClient, scopes: Sequence[str]) -> Override:
    """Only the third version of the function is asked about clients on their own behalf."""
    config = (pool.pool.said.get("LambdaConfig") or {}).get("PreTokenGenerationConfig") or {}
    if config.get("LambdaVersion") != "V3_0":
        return Override(Changes())
    event = Event(
        trigger="PreTokenGeneration",
        source="TokenGeneration_ClientCredentials",
        client_id=client.id,
        username=client.id,
        request={"userAttributes": {}, "scopes": list(scopes)},
        response={"claimsAndScopeOverrideDetails": None},
    )
    answer = await call(pool, event)
    return override_of(answer) if answer else Override()
