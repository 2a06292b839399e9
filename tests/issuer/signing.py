"""A client that signs what it says: assertions, request objects, DPoP proofs; and what a bank's house looks like."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec

from innkeeper.guard.unverified import read_unverified
from innkeeper.issuer.settings import SeedClient, Settings
from innkeeper.keys import jwk, shared
from innkeeper.keys.jws import PrivateKey, compact, encode_header
from innkeeper.protocol import base64url
from tests.issuer.house import ASKED, ORIGIN, SETTINGS, House
from tests.keys.keyring import private_key

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGS = ("ES256", "ES384", "EdDSA", "PS256", "RS256")
KEYS = {"keys": [jwk.public_document(private_key(alg).public_key(), alg, alg) for alg in ALGS]}
CALLBACK = "https://bank.example/callback"
SCOPES = ["openid", "profile", "offline_access", "room:enter", "gym:enter"]

_numbers = itertools.count()


def said(claims: Mapping[str, Any], alg: str = "ES256", key: PrivateKey | None = None, typ: str = "JWT") -> str:
    """Claims, signed; None leaves one out."""
    body = msgspec.json.encode({name: value for name, value in claims.items() if value is not None})
    header = {"alg": alg, "typ": typ, "kid": alg}
    return compact(encode_header(header).encode(), body, key or private_key(alg), alg)


def unsigned(claims: Mapping[str, Any]) -> str:
    """Claims under the algorithm none."""
    return f"{encode_header({'alg': 'none'})}.{base64url.encode_text(msgspec.json.encode(dict(claims)))}."


def with_mac(claims: Mapping[str, Any], secret: bytes, alg: str = "HS256") -> str:
    """Claims with a MAC by a secret."""
    import hmac

    start = f"{encode_header({'alg': alg})}.{base64url.encode_text(msgspec.json.encode(dict(claims)))}"
    digest = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}[alg]
    return f"{start}.{base64url.encode_text(hmac.digest(secret, start.encode(), digest))}"


def assertion_claims(house: House, client_id: str, **changes: Any) -> dict[str, Any]:
    now = house.clock()
    jti = f"a{next(_numbers)}"
    return {"iss": client_id, "sub": client_id, "aud": ORIGIN, "exp": now + 60, "iat": now, "jti": jti, **changes}


def proves(assertion: str) -> dict[str, str]:
    """The form fields of an assertion."""
    return {"client_assertion_type": ASSERTION, "client_assertion": assertion}


def by_key(house: House, client_id: str, alg: str = "ES256", **changes: Any) -> dict[str, str]:
    """The form fields of a good assertion, with some of its claims changed."""
    return proves(said(assertion_claims(house, client_id, **changes), alg))


def request_object(house: House, alg: str = "ES256", **changes: Any) -> str:
    """The good request, in an object that the client signed."""
    return said(request_claims(house, **changes), alg, typ="oauth-authz-req+jwt")


def request_claims(house: House, **changes: Any) -> dict[str, Any]:
    now, client_id = house.clock(), changes.get("client_id", "bank")
    frame = {"iss": client_id, "aud": ORIGIN, "nbf": now, "exp": now + 300}
    return {**ASKED, "client_id": client_id, "redirect_uri": CALLBACK, **frame, **changes}


def dpop(
    house: House,
    path: str,
    method: str = "POST",
    *,
    token: str = "",
    alg: str = "ES256",
    key: PrivateKey | None = None,
    origin: str = ORIGIN,
    nonce: str = "",
) -> str:
    """A proof for one request, by the key that the client keeps for this algorithm."""
    held = key or private_key(alg)
    document = jwk.public_document(held.public_key(), "", alg)
    shown = {name: document[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in document}
    claims = {"jti": f"p{next(_numbers)}", "htm": method, "htu": f"{origin}{path}", "iat": house.clock()}
    if nonce:
        claims["nonce"] = nonce
    if token:
        claims["ath"] = base64url.encode_text(sha256(token.encode()).digest())
    header = encode_header({"typ": "dpop+jwt", "alg": alg, "jwk": shown})
    return compact(header.encode(), msgspec.json.encode(claims), held, alg)


def thumbprint(alg: str = "ES256") -> str:
    return jwk.thumbprint(jwk.public_document(private_key(alg).public_key(), "", alg))


def bank(client_id: str = "bank", **changes: Any) -> SeedClient:
    """A client that signs with its keys."""
    metadata = {"token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS, **changes.pop("metadata", {})}
    grants = ("authorization_code", "refresh_token", "client_credentials")
    made = SeedClient(
        id=client_id, name="The bank", redirect_uris=[CALLBACK], grants=grants, scopes=SCOPES, metadata=metadata
    )
    return msgspec.structs.replace(made, **changes)


def settings_for(profile: str, *clients: SeedClient) -> Settings:
    """The test inn with a profile for all, and some more clients."""
    return msgspec.structs.replace(SETTINGS, profile=profile, client=[*SETTINGS.client, *clients])


LONG_SECRET = "a-secret-of-at-least-thirty-two-bytes-to-sign-with"
assert len(LONG_SECRET) >= shared.SHORTEST


def read(token: str) -> dict[str, Any]:
    """What a token says, unverified."""
    return dict(read_unverified(token).claims)
