"""Things as administrators see them: documents without secrets, hashes or sealed bytes, whose members are what changes take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from innkeeper.issuer.core.admin.rules import NAMES
from innkeeper.issuer.core.client_metadata import describe
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client, Person, Resource
from innkeeper.issuer.core.token import SHORT_NAMES
from innkeeper.issuer.desk import factors
from innkeeper.issuer.desk.open_sessions import live
from innkeeper.issuer.desk.realm import Realm
from innkeeper.keys import jwe
from innkeeper.keys.stored import StoredKey

_SAID_BY_NAME = frozenset(
    {
        "client_id", "client_id_issued_at", "client_name", "redirect_uris", "post_logout_redirect_uris", "grant_types",
        "scope", "application_type",
    }
)  # fmt: skip

_LONG_TO_SHORT = {long: short for short, long in SHORT_NAMES.items()}


def client_document(client: Client) -> dict[str, Any]:
    """A client. ``metadata`` is what else is registered, under the names of RFC 7591."""
    said = {name: value for name, value in describe(client).items() if name not in _SAID_BY_NAME}
    return {
        "id": client.id,
        "name": client.name,
        "public": client.public,
        "grants": sorted(_LONG_TO_SHORT.get(one, one) for one in client.grants),
        "scopes": sorted(client.scopes),
        "resources": list(client.resources),
        "redirect_uris": list(client.redirect_uris),
        "post_logout_redirect_uris": list(client.post_logout_redirect_uris),
        "profile": client.profile,
        "pkce": client.pkce,
        "may_act": client.may_act,
        "trusted": client.trusted,
        "native": client.native,
        "metadata": said,
        "secrets": [{"created_at": one.created_at, "expires_at": one.expires_at} for one in client.secrets],
        "registered_by": {"dynamic": "itself", "document": "its own document"}.get(client.origin, "an operator"),
        "created_at": client.created_at,
    }


def agent_document(client: Client) -> dict[str, Any]:
    """An agent: the client that it is, who answers for it, what it is for, whether it may act."""
    agent = client.agent
    said = {"owner": agent.owner, "purpose": agent.purpose, "status": agent.status} if agent else {}
    return {**client_document(client), **said}


def person_record(person: Person) -> dict[str, Any]:
    """A person, as far as their own record goes."""
    return {
        "sub": person.sub,
        "username": person.username,
        "claims": dict(person.claims),
        "roles": sorted(person.roles),
        "locked": person.disabled,
        "password": "set" if person.password else "none",
        "created_at": person.created_at,
    }


async def person_document(realm: Realm, person: Person) -> dict[str, Any]:
    """A person, with what they sign in with and where they are signed in."""
    grants = [one for one in await realm.store.grants(person.sub) if one.revoked_at is None]
    return {
        **person_record(person),
        "second_factors": sorted(await factors.factors_of(realm, person.sub)),
        "sessions": len(await live(realm, person.sub)),
        "grants": len(grants),
    }


def resource_document(resource: Resource) -> dict[str, Any]:
    return {
        "uri": resource.uri,
        "name": resource.name,
        "scopes": dict(resource.scopes),
        "details": sorted(resource.details),
    }


def key_document(key: StoredKey, now: int) -> dict[str, Any]:
    """A key: what it does now, never its private half."""
    return {
        "kid": key.kid,
        "alg": key.alg,
        "purpose": key.purpose,
        "does": key_state(key, now),
        "created_at": key.created_at,
        "signs_from": key.active_from,
        "published_until": key.expires_at,
    }


def key_state(key: StoredKey, now: int) -> str:
    """What a key does now: ``next`` and ``retired`` ones are published and sign nothing."""
    if key.expires_at is not None and key.expires_at <= now:
        return "withdrawn"
    if key.expires_at is not None:
        return "leaving" if key.active_from <= now else "retired"
    if key.alg in jwe.ALGORITHMS:
        return "decrypts"
    return "next" if key.active_from > now else "signs"


def rules_document(policy: Policy) -> dict[str, Any]:
    """The rules that can be set, as they are in force."""
    return {name: getattr(policy, name) for name in NAMES}


def realm_document(realm: Realm, keys: int) -> Mapping[str, Any]:
    policy = realm.policy
    dialect = "native" if policy.administered else "entra" if realm.name.startswith("entra-") else "cognito"
    return {"name": realm.name, "issuer": policy.issuer, "title": policy.title, "dialect": dialect, "keys": keys}
