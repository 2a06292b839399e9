"""A pool that is there from the start: the people, clients and scopes of the settings, with ids that are always the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec

from innkeeper.issuer.core.cognito import formats
from innkeeper.issuer.core.cognito.records import (
    ADMIN_AUTH,
    CHOICE_AUTH,
    CLIENT_CREDENTIALS,
    CODE,
    OWN_ACCOUNT,
    PASSWORD_AUTH,
    REFRESH_AUTH,
    SRP_AUTH,
    STANDARD_SCOPES,
    Account,
    AppClient,
    Domain,
    Pool,
    ResourceServer,
    User,
)
from innkeeper.issuer.core.records import Person
from innkeeper.issuer.desk.cognito.clients import new_secret, save_client
from innkeeper.issuer.desk.cognito.twin import CLIENTS, DOMAINS, POOLS, SERVERS, OpenPool, Place
from innkeeper.issuer.desk.cognito.users import put, user_by_sub, with_password
from innkeeper.issuer.settings import SeedClient, SeedPerson, SeedResource, Settings

_NOTE = "cognito seed"
_FLOWS = [PASSWORD_AUTH, SRP_AUTH, REFRESH_AUTH, ADMIN_AUTH, CHOICE_AUTH]


async def plant_pool(place: Place, pool_id: str, settings: Settings) -> None:
    """Put a pool with the settings' records into the store, again only once these settings change."""
    memory, now = place.twin.account, place.twin.now()
    told = (settings.origin, settings.resource, settings.client, settings.guests, settings.title)
    mark = sha256(msgspec.json.encode(told)).hexdigest()
    if await memory.note(f"{_NOTE} {pool_id}") == mark:
        return
    kept = await POOLS.find(memory, pool_id)
    domain = pool_id.lower().replace("_", "")
    said = {"AutoVerifiedAttributes": ["email"]}
    pool = Pool(
        id=pool_id,
        name=settings.title,
        created_at=kept.record.created_at if kept else now,
        modified_at=now,
        said=kept.record.said if kept else said,
        domain=domain,
        development=True,
    )
    await memory.commit((POOLS.put(pool_id, pool, kept.version if kept else 0),))
    found = await DOMAINS.find(memory, domain)
    if found is None:
        await memory.commit((DOMAINS.put(domain, Domain(name=domain, pool_id=pool_id, version=str(now))),))
    opened = await place.pool(pool_id)
    for resource in settings.resource:
        await _plant_server(opened, resource, settings.origin)
    for client in settings.client:
        await _plant_client(opened, client, settings)
    for person in settings.guests:
        await _plant_person(opened, person)
    await memory.put_note(f"{_NOTE} {pool_id}", mark)


async def sow(place: Place, pool_id: str, settings: Settings) -> None:
    """Put the settings' resources, clients and people back as they were at first; all else stays."""
    await place.twin.account.put_note(f"{_NOTE} {pool_id}", "")
    await plant_pool(place, pool_id, settings)


async def _plant_server(pool: OpenPool, seed: SeedResource, origin: str) -> None:
    identifier = seed.uri.replace("{origin}", origin)
    key = f"{pool.pool.id}|{identifier}"
    kept = await SERVERS.find(pool.twin.account, key)
    server = ResourceServer(pool_id=pool.pool.id, identifier=identifier, name=seed.name, scopes=seed.scopes)
    await pool.twin.account.commit((SERVERS.put(key, server, kept.version if kept else 0),))


async def _plant_client(pool: OpenPool, seed: SeedClient, settings: Settings) -> None:
    client_id = seeded_client_id(pool.pool.id, seed.id)
    kept, now = await CLIENTS.find(pool.twin.account, client_id), pool.now()
    secret = seeded_client_secret(pool.pool.id, seed.id) if seed.secret else ""
    client = AppClient(
        id=client_id,
        pool_id=pool.pool.id,
        name=seed.id,
        created_at=kept.record.created_at if kept else now,
        modified_at=now,
        said=_members(seed, settings),
        secrets=(new_secret(pool, client_id, secret),) if secret else (),
        any_port=seed.native,
        development=True,
    )
    await save_client(pool, client, kept)


def seeded_client_id(pool_id: str, name: str) -> str:
    return formats.client_id(formats.seeded("client", pool_id, name))


def seeded_client_secret(pool_id: str, name: str) -> str:
    return formats.client_secret(formats.seeded("secret", pool_id, name))


def _members(seed: SeedClient, settings: Settings) -> dict[str, Any]:
    """What the API would say of a seeded client. It may have people's and machines' flows at once, which the API refuses."""
    flows = {"authorization_code": CODE, "client_credentials": CLIENT_CREDENTIALS}
    urls = {"CallbackURLs": seed.redirect_uris, "LogoutURLs": seed.post_logout_redirect_uris}
    return {
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthFlows": [flows[one] for one in seed.grants if one in flows],
        "AllowedOAuthScopes": seeded_scopes(seed, settings),
        "ExplicitAuthFlows": list(_FLOWS),
        "SupportedIdentityProviders": ["COGNITO"],
        "PreventUserExistenceErrors": "ENABLED",
        **{name: [uri.replace("{origin}", settings.origin) for uri in uris] for name, uris in urls.items() if uris},
    }


def seeded_scopes(seed: SeedClient, settings: Settings) -> list[str]:
    """A seeded client's scopes as the pool spells them: a resource's stand behind its identifier."""
    own = [
        f"{resource.uri.replace('{origin}', settings.origin)}/{scope}"
        for resource in settings.resource
        for scope in resource.scopes
        if scope in seed.scopes
    ]
    return [*(one for one in seed.scopes if one in STANDARD_SCOPES), OWN_ACCOUNT, *own]


async def _plant_person(pool: OpenPool, seed: SeedPerson) -> None:
    sub = formats.as_uuid(formats.seeded("person", pool.pool.id, seed.sub))
    before = await user_by_sub(pool, sub)
    person = Person(
        sub=sub,
        username=seed.username,
        claims=attributes_of(seed.claims),
        created_at=before.person.created_at if before else pool.now(),
        development=True,
    )
    user = await with_password(pool, User(person, before.account if before else Account()), seed.password)
    await pool.store.commit(put(user, before, pool.now()))


def attributes_of(claims: Mapping[str, Any]) -> dict[str, str]:
    """OpenID claims as attributes: texts all of them, an address on one line, a telephone number without spaces."""
    return {name: _attribute(name, value) for name, value in claims.items()}


def _attribute(name: str, value: Any) -> str:
    if name == "phone_number":
        return str(value).replace(" ", "")
    if isinstance(value, Mapping):
        return str(value.get("formatted") or json.dumps(value))
    return str(value).lower() if isinstance(value, bool) else str(value)
