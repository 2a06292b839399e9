"""Tokens in the shapes that the clouds really cut, signed by a key of ours, and that key's set."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from innkeeper.keys import jwk, jws
from tests.keys.keyring import private_key

KID = "k1"
KEYS = {"keys": [jwk.public_document(private_key("RS256", 0).public_key(), KID, "RS256")]}
POOL = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf123"
APP_CLIENT = "1example23456789012345678a"
TENANT = "3f1c2c3e-4c4b-4a50-9a52-0d6ff0a3a111"
API = "0b3e1f7e-98a2-4c0c-9d55-3b3c3ec6a001"
CALLER = "7f0c9a51-5d11-4b3b-8e0a-5a6a0e4f2002"
V1 = f"https://sts.windows.net/{TENANT}/"
V2 = f"https://login.microsoftonline.com/{TENANT}/v2.0"


def signed(claims: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
    head = {"alg": "RS256", "kid": KID} | dict(header or {})
    said = {"iat": int(time.time()) - 10, "exp": int(time.time()) + 3590} | dict(claims)
    encoded = jws.encode_header(head).encode()
    return jws.compact(encoded, msgspec.json.encode(said), private_key("RS256", 0), "RS256")


def cognito_machine(**more: Any) -> str:
    claims = {
        "sub": APP_CLIENT,
        "token_use": "access",
        "scope": "agents/invoke agents/read",
        "auth_time": 1_700_000_000,
        "iss": POOL,
        "version": 2,
        "jti": "5f1d9c5e-1111-2222-3333-444455556666",
        "client_id": APP_CLIENT,
    }
    return signed(claims | more)


def cognito_identity() -> str:
    claims = {"sub": "a-person", "iss": POOL, "aud": APP_CLIENT, "token_use": "id", "cognito:username": "guest"}
    return signed(claims | {"email_verified": True, "at_hash": "x", "origin_jti": "1"})


def entra_v1(**more: Any) -> str:
    claims = {"aud": f"api://{API}", "iss": V1, "appid": CALLER, "appidacr": "1", "idp": V1, "oid": "o", "sub": "o"}
    return signed(claims | {"roles": ["Agents.Invoke"], "tid": TENANT, "ver": "1.0"} | more, {"typ": "JWT"})


def entra_v2(**more: Any) -> str:
    claims = {"aud": API, "iss": V2, "azp": CALLER, "azpacr": "1", "oid": "o", "sub": "o", "tid": TENANT, "ver": "2.0"}
    return signed(claims | {"roles": ["Agents.Invoke"]} | more, {"typ": "JWT"})


def discovery(issuer: str) -> str:
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"
