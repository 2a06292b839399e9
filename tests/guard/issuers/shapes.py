"""Tokens as the providers write them: the claims, their order and their header, signed with keys of our own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from innkeeper.keys import jws
from innkeeper.protocol.exchange import json_reply
from tests.guard.world import NOW, World, public
from tests.keys.keyring import private_key

REGION = "us-east-1"
POOL = "us-east-1_8KX012Qnq"
POOL_ISSUER = f"https://cognito-idp.{REGION}.amazonaws.com/{POOL}"
POOL_ISSUER_UPDATED = f"https://issuer-cognito-idp.{REGION}.amazonaws.com/{POOL}"
APP_CLIENT = "1example23456789abcdefghij"
USER = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

TENANT = "11111111-2222-4333-8444-555555555555"
OTHER_TENANT = "99999999-2222-4333-8444-555555555555"
LOGIN = "https://login.microsoftonline.com"
ENTRA = f"{LOGIN}/{TENANT}/v2.0"
ENTRA_V1 = f"https://sts.windows.net/{TENANT}/"
API_ID = "aaaaaaaa-0000-4000-8000-00000000a001"
API_URI = f"api://{TENANT}/orders"
DAEMON = "bbbbbbbb-0000-4000-8000-00000000b001"
PRINCIPAL = "cccccccc-0000-4000-8000-00000000c001"


def told(said: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**said, **changes}.items() if value is not ...}


def sealed(header: Mapping[str, Any], said: Mapping[str, Any], which: int = 0, alg: str = "RS256") -> str:
    encoded = jws.encode_header({name: value for name, value in header.items() if value is not ...})
    return jws.compact(encoded.encode(), msgspec.json.encode(dict(said)), private_key(alg, which), alg)


# --- Amazon Cognito ------------------------------------------------------------------------------------------------


def cognito_machine(**changes: Any) -> dict[str, Any]:
    """A client's own access token."""
    said = {
        "sub": APP_CLIENT,
        "token_use": "access",
        "scope": "my-api/write my-api/read",
        "auth_time": NOW,
        "iss": POOL_ISSUER,
        "exp": NOW + 3600,
        "iat": NOW,
        "version": 2,
        "jti": "6a6f1c3e-0a0a-4b0b-8c0c-0d0d0d0d0d0d",
        "client_id": APP_CLIENT,
    }
    return told(said, changes)


def cognito_person(**changes: Any) -> dict[str, Any]:
    """A person's access token from the authorize and token endpoints."""
    said = {
        "sub": USER,
        "cognito:groups": ["guests", "vip"],
        "iss": POOL_ISSUER,
        "version": 2,
        "client_id": APP_CLIENT,
        "origin_jti": "0c0c0c0c-0a0a-4b0b-8c0c-0d0d0d0d0d0d",
        "event_id": "0e0e0e0e-0a0a-4b0b-8c0c-0d0d0d0d0d0d",
        "token_use": "access",
        "scope": "openid my-api/read",
        "auth_time": NOW - 60,
        "exp": NOW + 3600,
        "iat": NOW,
        "jti": "0f0f0f0f-0a0a-4b0b-8c0c-0d0d0d0d0d0d",
        "username": "guest",
    }
    return told(said, changes)


def cognito_id(**changes: Any) -> dict[str, Any]:
    """A person's ID token."""
    said = {
        "at_hash": "sTEkVmCJvkEVmCJvkEVmCQ",
        "sub": USER,
        "cognito:groups": ["guests"],
        "email_verified": True,
        "iss": POOL_ISSUER,
        "cognito:username": "guest",
        "origin_jti": "0c0c0c0c-0a0a-4b0b-8c0c-0d0d0d0d0d0d",
        "aud": APP_CLIENT,
        "event_id": "0e0e0e0e-0a0a-4b0b-8c0c-0d0d0d0d0d0d",
        "token_use": "id",
        "auth_time": NOW,
        "exp": NOW + 3600,
        "iat": NOW,
        "jti": "0f0f0f0f-0a0a-4b0b-8c0c-0d0d0d0d0d0e",
        "email": "guest@hotel.example",
    }
    return told(said, changes)


COGNITO_KIDS = ("W0tcj1aJY3wzPyHzKXLBzUcaYYnyjMWYqk1aPHzYt/w=", "mCG7bTvJs/mM8ss1IqzkVi9yfqRRvPJt+BfnzzPv7T0=")
"""The key for access tokens, the key for ID tokens."""


def cognito_token(said: Mapping[str, Any], which: int = 0) -> str:
    return sealed({"kid": COGNITO_KIDS[which], "alg": "RS256"}, said, which)


def cognito_world(issuer: str = POOL_ISSUER) -> World:
    """A pool with its discovery document and its two keys; nothing else of its host answers."""
    world = World()
    add_pool(world, issuer)
    return world


def add_pool(world: World, issuer: str) -> None:
    jwks = f"{issuer}/.well-known/jwks.json"
    world.pages[f"{issuer}/.well-known/openid-configuration"] = json_reply({"issuer": issuer, "jwks_uri": jwks})
    world.pages[jwks] = json_reply({"keys": [public(kid, "RS256", n) for n, kid in enumerate(COGNITO_KIDS)]})


# --- Microsoft Entra ID --------------------------------------------------------------------------------------------


def entra_app_v1(**changes: Any) -> dict[str, Any]:
    """An application's own token of version 1."""
    said = {
        "aud": API_URI,
        "iss": ENTRA_V1,
        "iat": NOW - 300,
        "nbf": NOW - 300,
        "exp": NOW + 3600,
        "aio": "k2RgYDj5",
        "appid": DAEMON,
        "appidacr": "1",
        "idp": ENTRA_V1,
        "oid": PRINCIPAL,
        "rh": "1.AAAA",
        "roles": ["Orders.Read", "Orders.Write"],
        "sub": PRINCIPAL,
        "tid": TENANT,
        "uti": "q1w2e3r4t5y6u7i8o9p0AA",
        "ver": "1.0",
        "xms_ftd": "opaque",
    }
    return told(said, changes)


def entra_app_v2(**changes: Any) -> dict[str, Any]:
    """An application's own token of version 2."""
    said = {
        "aud": API_ID,
        "iss": ENTRA,
        "iat": NOW - 300,
        "nbf": NOW - 300,
        "exp": NOW + 3600,
        "aio": "k2RgYDj5",
        "azp": DAEMON,
        "azpacr": "1",
        "oid": PRINCIPAL,
        "rh": "1.AAAA",
        "roles": ["Orders.Read", "Orders.Write"],
        "sub": PRINCIPAL,
        "tid": TENANT,
        "uti": "q1w2e3r4t5y6u7i8o9p0AA",
        "ver": "2.0",
        "xms_ftd": "opaque",
    }
    return told(said, changes)


def entra_person_v2(**changes: Any) -> dict[str, Any]:
    """A person's token of version 2, got by an application for them."""
    said = {
        "aud": API_ID,
        "iss": ENTRA,
        "iat": NOW - 300,
        "nbf": NOW - 300,
        "exp": NOW + 4200,
        "azp": DAEMON,
        "azpacr": "0",
        "name": "A Guest",
        "oid": USER,
        "preferred_username": "guest@hotel.example",
        "rh": "1.AAAA",
        "scp": "orders.read orders.write",
        "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
        "tid": TENANT,
        "uti": "q1w2e3r4t5y6u7i8o9p0AB",
        "ver": "2.0",
    }
    return told(said, changes)


def entra_person_v1(**changes: Any) -> dict[str, Any]:
    """The same of version 1."""
    said = {
        "aud": API_URI,
        "iss": ENTRA_V1,
        "iat": NOW - 300,
        "nbf": NOW - 300,
        "exp": NOW + 4200,
        "acr": "1",
        "amr": ["pwd", "mfa"],
        "appid": DAEMON,
        "appidacr": "0",
        "family_name": "Guest",
        "given_name": "A",
        "ipaddr": "203.0.113.7",
        "name": "A Guest",
        "oid": USER,
        "scp": "orders.read",
        "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
        "tid": TENANT,
        "unique_name": "guest@hotel.example",
        "upn": "guest@hotel.example",
        "uti": "q1w2e3r4t5y6u7i8o9p0AC",
        "ver": "1.0",
    }
    return told(said, changes)


ENTRA_KID = "nOo3ZDrODXEK1jKWhXslHR_KXEg"
CUSTOM_KID = "OneTenantsOwnKeyAAAAAAAAAAA"


def entra_token(said: Mapping[str, Any], which: int = 0, **header: Any) -> str:
    kid = CUSTOM_KID if which else ENTRA_KID
    first = {"typ": "JWT", "alg": "RS256"} | ({"x5t": kid} if said.get("ver") == "1.0" else {}) | {"kid": kid}
    return sealed(first | header, said, which)


def entra_key(kid: str, which: int, issuer: str) -> dict[str, str]:
    """A key as Entra publishes it: no alg, and in the document of version 2 an issuer."""
    known = public(kid, "RS256", which)
    del known["alg"]
    return known | ({"issuer": issuer} if issuer else {})


def entra_world(segment: str = TENANT, login: str = LOGIN, first: str = "https://sts.windows.net") -> World:
    """A tenant, or ``organizations``, with its documents of both versions: one key is everybody's, one another tenant's."""
    world = World()
    add_tenant(world, segment, login, first)
    return world


def add_tenant(world: World, segment: str, login: str = LOGIN, first: str = "https://sts.windows.net") -> None:
    named = "{tenantid}" if segment in {"organizations", "common"} else segment
    keys = {1: f"{login}/common/discovery/keys", 2: f"{login}/{segment}/discovery/v2.0/keys"}
    world.pages[f"{login}/{segment}/v2.0/.well-known/openid-configuration"] = json_reply(
        {"issuer": f"{login}/{named}/v2.0", "jwks_uri": keys[2]}
    )
    world.pages[f"{login}/{segment}/.well-known/openid-configuration"] = json_reply(
        {"issuer": f"{first}/{named}/", "jwks_uri": keys[1]}
    )
    own = f"{login}/{OTHER_TENANT}/v2.0"
    world.pages[keys[2]] = json_reply(
        {"keys": [entra_key(ENTRA_KID, 0, f"{login}/{{tenantid}}/v2.0"), entra_key(CUSTOM_KID, 1, own)]}
    )
    world.pages[keys[1]] = json_reply({"keys": [entra_key(ENTRA_KID, 0, ""), entra_key(CUSTOM_KID, 1, own)]})
