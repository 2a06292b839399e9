"""What a tenant starts with: the same resources, clients and people as the native realm, in the cloud's shape.

Ids and secrets follow from the tenant's id and the settings' names, so that they are the same on every start. A role's
value is a scope's with ``.all`` behind it: in a tenant, roles and scopes of one API share one namespace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

import msgspec

from innkeeper.issuer.core.effects import RemovePerson
from innkeeper.issuer.core.entra.directory import GRAPH_OBJECT, GRAPH_ROLES
from innkeeper.issuer.core.entra.parties import GLOBAL_ADMINISTRATOR
from innkeeper.issuer.core.records import Person
from innkeeper.issuer.desk.entra.books import (
    APPLICATIONS,
    ASSIGNMENTS,
    GRAPH_PRINCIPAL,
    PRINCIPALS,
    Change,
    Kept,
    Page,
    written,
)
from innkeeper.issuer.desk.entra.cloud import Desk
from innkeeper.issuer.desk.passwords import hash_seed
from innkeeper.issuer.desk.realm import digest
from innkeeper.issuer.settings import SeedClient, SeedPerson, SeedResource, Settings
from innkeeper.protocol.base64url import encode_text

_NOTE = "entra seed"
_ACTS_FOR = "token_exchange"
CARETAKER, CARETAKER_SEED = "caretaker", "caretaker-secret"
"""The application that may change the directory: for Terraform, the Azure CLI and Graph clients."""


def guid(tenant: str, what: str, name: str) -> str:
    """An id that follows from the tenant, a kind and a name."""
    return str(uuid5(UUID(tenant), f"{what}\0{name}"))


def secret_of(tenant: str, client: str, seed: str) -> str:
    """A secret of forty letters in the cloud's shape, that follows from the tenant and the settings' own secret."""
    drawn = encode_text(sha256(f"{tenant}\0{client}\0{seed}".encode()).digest())
    return f"{drawn[:3].replace('-', 'x').replace('_', 'y')}8Q~{drawn[3:37]}"


class Seeds:
    """The settings as documents of one tenant."""

    def __init__(self, tenant: str, settings: Settings, now: int) -> None:
        self._tenant = tenant
        self._settings = settings
        self._made = written(now)

    def changes(self) -> list[Change]:
        resources = [one for seed in self._settings.resource for one in self._resource(seed)]
        clients = [one for seed in self._settings.client for one in self._client(seed)]
        return [*resources, *clients, *self._caretaker()]

    def _resource(self, seed: SeedResource) -> Iterator[Change]:
        app_id, uri = guid(self._tenant, "application", seed.uri), seed.uri.replace("{origin}", self._settings.origin)
        document = self._application(seed.uri, seed.name) | {
            "identifierUris": [f"api://{app_id}", uri],
            "api": self._api(seed),
            "appRoles": [self._role(seed.uri, value, sentence) for value, sentence in seed.scopes.items()],
        }
        yield from self._registered(document, {})

    def _api(self, seed: SeedResource) -> dict[str, Any]:
        scopes = [
            {
                "id": guid(self._tenant, "scope", f"{seed.uri} {value}"),
                "value": value,
                "type": "User",
                "isEnabled": True,
                "adminConsentDisplayName": sentence,
                "adminConsentDescription": sentence,
                "userConsentDisplayName": sentence,
                "userConsentDescription": sentence,
            }
            for value, sentence in seed.scopes.items()
        ]
        return _EMPTY_API | {"requestedAccessTokenVersion": 2, "oauth2PermissionScopes": scopes}

    def _role(self, uri: str, scope: str, sentence: str) -> dict[str, Any]:
        value = f"{scope}.all"
        return {
            "id": guid(self._tenant, "role", f"{uri} {value}"),
            "value": value,
            "displayName": f"{sentence}, for everybody",
            "description": f"{sentence}, for everybody",
            "allowedMemberTypes": ["Application", "User"],
            "isEnabled": True,
            "origin": "Application",
        }

    def _client(self, seed: SeedClient) -> Iterator[Change]:
        document = self._application(seed.id, seed.name) | {"requiredResourceAccess": list(self._required(seed))}
        redirects = [uri.replace("{origin}", self._settings.origin) for uri in seed.redirect_uris]
        back = [uri.replace("{origin}", self._settings.origin) for uri in seed.post_logout_redirect_uris]
        if seed.secret:
            document["web"] = _EMPTY_WEB | {"redirectUris": [*redirects, *back]}
        else:
            document["publicClient"] = {"redirectUris": [*redirects, *back]}
            document["isFallbackPublicClient"] = True
        if _ACTS_FOR in seed.grants:
            document |= self._middle_tier(seed, document["appId"])
        yield from self._registered(document, self._secret(seed.id, seed.secret) if seed.secret else {})
        if "client_credentials" in seed.grants:
            yield from self._assigned(seed)

    def _middle_tier(self, seed: SeedClient, app_id: str) -> dict[str, Any]:
        """An API of its own, so that other clients can get tokens for it that it trades on behalf of people."""
        scope = {
            "id": guid(self._tenant, "scope", f"{seed.id} user_impersonation"),
            "value": "user_impersonation",
            "type": "User",
            "isEnabled": True,
            "adminConsentDisplayName": f"Ask {seed.name} to act for you",
            "adminConsentDescription": f"Ask {seed.name} to act for you",
            "userConsentDisplayName": f"Ask {seed.name} to act for you",
            "userConsentDescription": f"Ask {seed.name} to act for you",
        }
        known = [guid(self._tenant, "application", one.id) for one in self._settings.client if not one.secret]
        api = {"requestedAccessTokenVersion": 2, "oauth2PermissionScopes": [scope], "knownClientApplications": known}
        return {"identifierUris": [f"api://{app_id}"], "api": _EMPTY_API | api}

    def _required(self, seed: SeedClient) -> Iterator[dict[str, Any]]:
        for resource in self._settings.resource:
            named = [one for one in resource.scopes if one in seed.scopes]
            scopes = [{"id": guid(self._tenant, "scope", f"{resource.uri} {one}"), "type": "Scope"} for one in named]
            if scopes:
                yield {"resourceAppId": guid(self._tenant, "application", resource.uri), "resourceAccess": scopes}

    def _assigned(self, seed: SeedClient) -> Iterator[Change]:
        for resource in self._settings.resource:
            for scope in resource.scopes:
                if scope in seed.scopes:
                    role = guid(self._tenant, "role", f"{resource.uri} {scope}.all")
                    yield self._assignment(seed.id, seed.name, role, resource.uri, resource.name)

    def _assignment(self, client: str, name: str, role: str, resource: str, resource_name: str) -> Change:
        of_graph = resource == GRAPH_OBJECT
        document = {
            "id": encode_text(sha256(f"{client} {role}".encode()).digest()),
            "appRoleId": role,
            "principalId": guid(self._tenant, "principal", client),
            "principalDisplayName": name,
            "principalType": "ServicePrincipal",
            "resourceId": GRAPH_PRINCIPAL.id if of_graph else guid(self._tenant, "principal", resource),
            "resourceDisplayName": resource_name,
            "createdDateTime": self._made,
        }
        return Change(ASSIGNMENTS, document["id"], Kept(document))

    def _caretaker(self) -> Iterator[Change]:
        document = self._application(CARETAKER, "The caretaker")
        yield from self._registered(document, self._secret(CARETAKER, CARETAKER_SEED))
        for role in ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Directory.ReadWrite.All"):
            yield self._assignment(CARETAKER, "The caretaker", GRAPH_ROLES[role], GRAPH_OBJECT, "Microsoft Graph")

    def _secret(self, client: str, seed: str) -> dict[str, str]:
        return {guid(self._tenant, "secret", client): secret_of(self._tenant, client, seed)}

    def _application(self, name: str, title: str) -> dict[str, Any]:
        return {
            "id": guid(self._tenant, "object", name),
            "appId": guid(self._tenant, "application", name),
            "displayName": title,
            "createdDateTime": self._made,
            "signInAudience": "AzureADMyOrg",
            "principal": guid(self._tenant, "principal", name),
        }

    def _registered(self, document: dict[str, Any], secrets: dict[str, str]) -> Iterator[Change]:
        principal_id = document.pop("principal")
        passwords = [
            {
                "keyId": key,
                "displayName": "seed",
                "hint": secret[:3],
                "startDateTime": self._made,
                "endDateTime": "2299-12-31T00:00:00Z",
                "secretText": None,
                "customKeyIdentifier": None,
            }
            for key, secret in secrets.items()
        ]
        digests = {key: digest(secret) for key, secret in secrets.items()}
        yield Change(APPLICATIONS, document["id"], Kept({**document, "passwordCredentials": passwords}, digests))
        principal = {
            "id": principal_id,
            "appId": document["appId"],
            "displayName": document["displayName"],
            "accountEnabled": True,
            "appRoleAssignmentRequired": False,
            "appOwnerOrganizationId": self._tenant,
            "servicePrincipalType": "Application",
            "createdDateTime": self._made,
        }
        yield Change(PRINCIPALS, principal_id, Kept(principal))


_EMPTY_API: dict[str, Any] = {
    "acceptMappedClaims": None,
    "knownClientApplications": [],
    "requestedAccessTokenVersion": None,
    "oauth2PermissionScopes": [],
    "preAuthorizedApplications": [],
}
_EMPTY_WEB: dict[str, Any] = {
    "homePageUrl": None,
    "logoutUrl": None,
    "redirectUris": [],
    "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
}


async def plant(desk: Desk, settings: Settings) -> None:
    """Put the settings' resources, clients and people into a tenant, again only once these settings change."""
    seeds = (settings.origin, settings.resource, settings.client, settings.guests, desk.domains)
    mark = sha256(msgspec.json.encode(seeds)).hexdigest()
    store = desk.realm.store
    if await store.note(_NOTE) == mark:
        return
    changes = Seeds(desk.id, settings, desk.realm.now()).changes()
    await desk.books.change(lambda _: (None, changes))
    for person in _people(desk, settings.guests):
        await store.put_person(person)
    await store.put_note(_NOTE, mark)


async def sow(desk: Desk, settings: Settings) -> None:
    """Put the settings' resources, clients and people back as they were at first; all else stays."""
    await desk.realm.store.put_note(_NOTE, "")
    await plant(desk, settings)


async def reset(desk: Desk, settings: Settings) -> None:
    """Begin anew: everything in the directory goes, everybody is signed out, and the settings are planted again."""
    people, now = await desk.realm.store.people(), desk.realm.now()

    def everything(page: Page) -> tuple[None, list[Change]]:
        return None, [Change(family, key, None) for family, key in page.kept]

    await desk.books.change(everything, lambda _: [RemovePerson(one.sub, now) for one in people])
    await sow(desk, settings)


def _people(desk: Desk, seeds: Sequence[SeedPerson]) -> Iterator[Person]:
    now, administrator = desk.realm.now(), f"admin@{desk.domains[-1]}"
    named = [(seed.sub, seed.username, seed.password, seed.claims) for seed in seeds]
    if seeds and administrator not in [seed.username for seed in seeds]:
        claims = {"name": "The manager", "given_name": "Max", "family_name": "Manager", "wids": [GLOBAL_ADMINISTRATOR]}
        named.append(("manager", administrator, seeds[0].password, claims))
    for sub, username, password, claims in named:
        yield Person(
            sub=guid(desk.id, "person", sub),
            username=username,
            password=hash_seed(password),
            claims=claims,
            created_at=now,
            development=True,
        )
