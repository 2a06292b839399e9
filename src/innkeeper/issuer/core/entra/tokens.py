"""What Entra's tokens say: access tokens of version 1 and 2, for applications and for people, and ID tokens."""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core.entra.directory import Application, Group
from innkeeper.issuer.core.entra.names import GRAPH_ID, V1, V2, Names
from innkeeper.issuer.core.entra.parties import Party, is_guest
from innkeeper.issuer.core.records import Person
from innkeeper.protocol import base64url

BACKDATED = 300
"""Seconds by which issue times lie in the past, so that exp - iat is 3900 where expires_in is 3599."""

LIFETIME = 3600
LONG_LIFETIME = 86400
"""Seconds that a token lives for a client that handles continuous access evaluation, at a resource that does."""

MOST_GROUPS = 200
"""Group ids that a token holds; with more it says where to ask instead."""

PUBLIC, SECRET, CERTIFICATE = "0", "1", "2"
"""How the client proved itself: appidacr and azpacr."""


class Stamp(msgspec.Struct, frozen=True):
    """What a token bears that nobody decides: the time, its own id, opaque values, and a lifetime in seconds."""

    now: int
    uti: str
    aio: str
    rh: str
    ftd: str
    lifetime: int = LIFETIME


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """The person of a token. ``subject`` is their pairwise identifier for the client."""

    person: Person
    subject: str
    amr: tuple[str, ...]
    auth_time: int
    session: str
    address: str = ""
    groups: tuple[Group, ...] = ()


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a token is cut for: always a client, and a person where it acts for one."""

    names: Names
    tenant: str
    client: Party
    strength: str
    signed: Signed | None = None


def access(
    subject: Subject, resource: Party, audience: str, scopes: tuple[str, ...], roles: tuple[str, ...], stamp: Stamp
) -> dict[str, Any]:
    """An access token's claims. The resource's registration picks the version; ``audience`` is what it was called."""
    version = V1 if resource.id == GRAPH_ID else resource.application.token_version
    claims: dict[str, Any] = {
        "aud": _audience(resource.application, audience, version),
        "iss": subject.names.issuer(version, subject.tenant),
        "iat": stamp.now - BACKDATED,
        "nbf": stamp.now - BACKDATED,
        "exp": stamp.now + stamp.lifetime,
    }
    if subject.signed is None:
        claims |= _of_application(subject, roles, version, stamp)
    else:
        claims |= _of_person(subject, subject.signed, version, stamp)
        claims |= {"roles": list(roles)} if roles else {}
        claims["scp"] = " ".join(scopes)
        claims |= _groups(subject, resource.application, subject.signed)
    claims |= {"tid": subject.tenant, "uti": stamp.uti, "ver": f"{version}.0", "xms_ftd": stamp.ftd}
    return claims | _chosen(subject, resource)


def _audience(application: Application, asked: str, version: int) -> str:
    """Version 2 always names the application's id; version 1 what the client called it, unless the API says otherwise."""
    by_guid = application.optional("aud")
    if version == V2 or (by_guid and "use_guid" in by_guid.additional_properties):
        return application.app_id
    return asked


def _of_application(subject: Subject, roles: tuple[str, ...], version: int, stamp: Stamp) -> dict[str, Any]:
    object_id = subject.client.object_id
    claims: dict[str, Any] = {"aio": stamp.aio} | _client(subject, version)
    if version == V1:
        claims["idp"] = subject.names.issuer(V1, subject.tenant)
    claims |= {"oid": object_id, "rh": stamp.rh}
    if roles:
        claims["roles"] = list(roles)
    return claims | {"sub": object_id}


def _of_person(subject: Subject, signed: Signed, version: int, stamp: Stamp) -> dict[str, Any]:
    said, person = signed.person.claims, signed.person
    claims: dict[str, Any] = {"aio": stamp.aio} | _client(subject, version)
    if version == V1:
        claims |= {"acr": "1", "amr": list(signed.amr)}
        claims |= {name: said[name] for name in ("family_name", "given_name") if name in said}
        claims |= {"ipaddr": signed.address} if signed.address else {}
    claims["name"] = said.get("name", person.username)
    claims |= {"oid": person.sub, "rh": stamp.rh, "sub": signed.subject}
    if version == V1:
        return claims | {"unique_name": person.username, "upn": person.username}
    return claims | {"preferred_username": person.username}


def _client(subject: Subject, version: int) -> dict[str, str]:
    name, strength = ("appid", "appidacr") if version == V1 else ("azp", "azpacr")
    return {name: subject.client.id, strength: subject.strength}


def identity(
    subject: Subject, signed: Signed, version: int, nonce: str | None, scopes: frozenset[str], stamp: Stamp
) -> dict[str, Any]:
    """An ID token's claims. The endpoint picks the version. ``nonce`` is told only to who sent one."""
    person, said = signed.person, signed.person.claims
    claims: dict[str, Any] = {
        "aud": subject.client.id,
        "iss": subject.names.issuer(version, subject.tenant),
        "iat": stamp.now - BACKDATED,
        "nbf": stamp.now - BACKDATED,
        "exp": stamp.now + LIFETIME,
        "aio": stamp.aio,
    }
    if version == V1:
        claims |= {"amr": list(signed.amr)}
        claims |= {name: said[name] for name in ("family_name", "given_name") if name in said}
        claims |= {"ipaddr": signed.address} if signed.address else {}
    if is_guest(person):
        claims["idp"] = str(said.get("idp", subject.names.issuer(V1, subject.tenant)))
    claims |= {"email": said["email"]} if "email" in scopes and "email" in said else {}
    claims |= {"nonce": nonce} if nonce is not None else {}
    claims |= {"rh": stamp.rh, "sub": signed.subject, "sid": signed.session}
    if version == V1 or "profile" in scopes:
        claims |= {"name": said.get("name", person.username), "oid": person.sub}
        claims |= _user_name(person, version)
    claims |= _groups(subject, subject.client.application, signed)
    return claims | {"tid": subject.tenant, "uti": stamp.uti, "ver": f"{version}.0"}


def _user_name(person: Person, version: int) -> dict[str, str]:
    if version == V1:
        return {"unique_name": person.username, "upn": person.username}
    return {"preferred_username": person.username}


def _groups(subject: Subject, application: Application, signed: Signed) -> dict[str, Any]:
    """Group ids where the registration asks for them; where they are too many, the address that lists them."""
    if application.group_membership_claims in (None, "None") or not signed.groups:
        return {}
    found = [one.id for one in signed.groups if one.security_enabled or application.group_membership_claims == "All"]
    if len(found) <= MOST_GROUPS:
        return {"groups": found}
    where = f"https://graph.windows.net/{subject.tenant}/users/{signed.person.sub}/getMemberObjects"
    return {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": where}}}


def _chosen(subject: Subject, resource: Party) -> dict[str, Any]:
    """The optional claims that the resource's registration asks for, as far as something is known for them."""
    asked, signed = resource.application.optional, subject.signed
    of_graph = resource.id == GRAPH_ID
    claims: dict[str, Any] = {"app_displayname": subject.client.name} if of_graph else {}
    kind = asked("idtyp")
    if of_graph or kind:
        if signed is None:
            claims["idtyp"] = "app"
        elif of_graph or (kind and "include_user_token" in kind.additional_properties):
            claims["idtyp"] = "user"
    if signed is not None:
        known = _known_of(signed)
        claims |= {name: value for name, value in known.items() if asked(name) and value not in (None, "")}
    return claims


def _known_of(signed: Signed) -> dict[str, Any]:
    said = signed.person.claims
    return {
        "acct": 1 if is_guest(signed.person) else 0,
        "auth_time": signed.auth_time,
        "email": said.get("email"),
        "family_name": said.get("family_name"),
        "given_name": said.get("given_name"),
        "ipaddr": signed.address,
        "login_hint": signed.person.username,
        "sid": signed.session,
        "upn": signed.person.username,
    }


def client_info(oid: str, tenant: str) -> str:
    """Who signed in and where they are at home, for the cache of Microsoft's libraries."""
    return base64url.encode_text(msgspec.json.encode({"uid": oid, "utid": tenant}))
