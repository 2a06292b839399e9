"""ID tokens: who signed in, when and how, told to one client (OpenID Connect Core §2)."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256, sha384, sha512
from types import MappingProxyType
from typing import Any

from innkeeper.protocol import base64url

TYPE = "JWT"


def build(
    *,
    issuer: str,
    subject: str,
    client_id: str,
    now: int,
    lifetime: int,
    auth_time: int,
    acr: str,
    amr: tuple[str, ...],
    access_token: str = "",
    nonce: str | None = None,
    session_id: str = "",
    alg: str = "RS256",
    extra: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """The claims of a new ID token; ``now`` and ``lifetime`` in seconds. ``nonce`` and ``sid`` only where given.

    ``alg`` is what it will be signed with: the access token's hash is made with the same hash function.
    """
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": subject,
        "aud": client_id,
        "exp": now + lifetime,
        "iat": now,
        "auth_time": auth_time,
        "acr": acr,
        "amr": list(amr),
    }
    if nonce is not None:
        claims["nonce"] = nonce
    if access_token:
        claims["at_hash"] = half_hash(access_token, alg)
    if session_id:
        claims["sid"] = session_id
    return {**claims, **extra}


def half_hash(token: str, alg: str) -> str:
    """``at_hash`` and ``c_hash``: the left half of the token's hash, base64url (§3.1.3.6).

    The hash is that of the signature ``alg``; Ed25519 hashes with SHA-512 inside, so that one is taken.
    """
    digest = {"ES384": sha384, "EdDSA": sha512, "Ed25519": sha512}.get(alg, sha256)(token.encode("ascii")).digest()
    return base64url.encode_text(digest[: len(digest) // 2])
