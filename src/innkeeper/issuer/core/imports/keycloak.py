"""Keycloak: the JSON that ``kc.sh export --users realm_file`` writes, or the admin console without its users. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator

from innkeeper.issuer.core.imports import hashes
from innkeeper.issuer.core.imports.arriving import (
    Arrivals,
    Document,
    Joining,
    Left,
    Newcomer,
    behind,
    kept,
    registrable,
    sorted_out,
    text,
    texts,
)
from innkeeper.protocol.refusals import UsageError

OWN = frozenset({"account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console"})
"""Clients that every Keycloak realm has for itself."""

_MASKED = "**********"
_DEVICE = "oauth2.device.authorization.grant.enabled"
_CIBA = "oidc.ciba.grant.enabled"


def read(document: object) -> Arrivals:
    """The people and clients of a realm's export. Raises ``UsageError`` where it is none."""
    if not isinstance(document, dict) or "realm" not in document:
        raise UsageError("this is no realm of Keycloak: its export has a member 'realm'")
    return sorted_out([*_realm(document), *_people(document), *_clients(document)])


def _realm(document: Document) -> Iterator[Left]:
    for member, what in _NOT_TAKEN.items():
        if document.get(member):
            yield Left(what[0], what[1])


_NOT_TAKEN = {
    "identityProviders": ("identity providers", "set each up as an [[upstream]]; their people sign in there again"),
    "components": ("key providers and user federation", "this issuer signs with keys of its own"),
    "authenticationFlows": ("authentication flows", "there is one way to sign in here"),
    "groups": ("groups", "people here have claims and no groups"),
    "roles": ("roles", "an API here has scopes; who may do what is its own rule"),
}


def _people(document: Document) -> Iterator[Newcomer | Left]:
    for user in document.get("users") or ():
        name = text(user.get("username"))
        if user.get("serviceAccountClientId"):
            continue  # the account that Keycloak keeps for a client; here the client itself is the subject
        if not name or not text(user.get("id")):
            yield Left(f"a user {name!r}", "it has no id or no name")
            continue
        yield _person(user, name)
        yield from _left_of(user, name)


def _person(user: Document, name: str) -> Newcomer:
    names = {"given_name": text(user.get("firstName")), "family_name": text(user.get("lastName"))}
    claims = {key: value for key, value in names.items() if value}
    if full := " ".join(claims.values()):
        claims = {"name": full, **claims}
    address = {"email": user["email"], "email_verified": bool(user.get("emailVerified"))} if user.get("email") else {}
    locale = texts((user.get("attributes") or {}).get("locale"))
    return Newcomer(
        sub=user["id"],
        username=name,
        password=next(filter(None, map(_password, user.get("credentials") or ())), ""),
        claims={**claims, "preferred_username": name, **address, **({"locale": locale[0]} if locale else {})},
        created_at=int(user.get("createdTimestamp") or 0) // 1000,
        disabled=not user.get("enabled", True),
    )


def _left_of(user: Document, name: str) -> Iterator[Left]:
    for credential in user.get("credentials") or ():
        kind = text(credential.get("type"))
        if kind == "password" and not _password(credential):
            algorithm = text(_json(credential, "credentialData").get("algorithm")) or "an unknown algorithm"
            yield Left(f"{name}: the password", f"it is stored by {algorithm}; a new one has to be set")
        elif kind != "password":
            yield Left(f"{name}: a credential of type {kind!r}", "it has to be set up anew")
    for linked in user.get("federatedIdentities") or ():
        yield Left(
            f"{name}: the link to {linked.get('identityProvider')!r}", "they connect it anew on their account page"
        )


def _password(credential: Document) -> str:
    """The stored password in a spelling that is verified here, or ""."""
    if credential.get("type") != "password":
        return ""
    how, what = _json(credential, "credentialData"), _json(credential, "secretData")
    algorithm, rounds = text(how.get("algorithm")), int(how.get("hashIterations") or 0)
    salt, value = text(what.get("salt")), text(what.get("value"))
    if algorithm == "argon2":
        more = how.get("additionalParameters") or {}
        kind, memory = next(iter(texts(more.get("type"))), ""), hashes.first_number(more, "memory")
        return hashes.argon2(kind, memory, rounds, hashes.first_number(more, "parallelism"), salt, value)
    digest = algorithm.removeprefix("pbkdf2").removeprefix("-") or "sha1"
    return hashes.pbkdf2(digest, rounds, salt, value) if algorithm.startswith("pbkdf2") else ""


def _json(credential: Document, member: str) -> Document:
    """A part of a credential that is JSON in a text."""
    try:
        found = json.loads(credential.get(member) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _clients(document: Document) -> Iterator[Joining | Left]:
    for client in document.get("clients") or ():
        name = text(client.get("clientId"))
        why = _why_not(client, name)
        if why:
            yield Left(f"client {name!r}", why)
        elif name not in OWN and not client.get("bearerOnly"):
            yield from _client(client, name)


def _why_not(client: Document, name: str) -> str:
    if client.get("protocol", "openid-connect") != "openid-connect":
        return f"it speaks {client['protocol']}"
    if name not in OWN and not client.get("enabled", True):
        return "it is disabled"
    return ""


def _client(client: Document, name: str) -> Iterator[Joining | Left]:
    extra = client.get("attributes") or {}
    redirects = list(registrable(f"client {name!r}", texts(client.get("redirectUris"))))
    listed = text(extra.get("post.logout.redirect.uris")).split("##")
    own = client.get("redirectUris") if "+" in listed else []
    ways_back = list(
        registrable(
            f"client {name!r}, after signing out", [*texts(own), *(u for u in listed if u not in {"", "+", "-"})]
        )
    )
    secret = text(client.get("secret"))
    public = bool(client.get("publicClient"))
    yield Joining(
        id=name,
        name=_shown(client, name),
        public=public,
        secret="" if public or secret == _MASKED else secret,
        redirect_uris=kept(redirects),
        post_logout_redirect_uris=kept(ways_back),
        grants=tuple(_grants(client, extra, has_way_back=bool(kept(redirects)))),
        scopes=("openid", *texts(client.get("defaultClientScopes")), *texts(client.get("optionalClientScopes"))),
    )
    yield from behind(redirects)
    yield from (one for one in behind(ways_back) if "+" not in listed)
    for flag, what in (
        ("implicitFlowEnabled", "the implicit flow"),
        ("directAccessGrantsEnabled", "the password grant"),
    ):
        if client.get(flag):
            yield Left(f"client {name!r}: {what}", "OAuth 2.1 has none; use code with PKCE")


def _shown(client: Document, name: str) -> str:
    said = text(client.get("name"))
    return name if not said or said.startswith("${") else said


def _grants(client: Document, extra: Document, *, has_way_back: bool) -> Iterator[str]:
    if client.get("standardFlowEnabled", True) and has_way_back:
        yield from ("authorization_code", "refresh_token")
    if client.get("serviceAccountsEnabled"):
        yield "client_credentials"
    if extra.get(_DEVICE) == "true":
        yield "device_code"
    if extra.get(_CIBA) == "true":
        yield "ciba"
