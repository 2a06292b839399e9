"""ID tokens: who signed in, when and how, told to one client (OpenID Connect Core §2)."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
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
    extra: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """The claims of a new ID token; ``now`` and ``lifetime`` in seconds. ``nonce`` and ``sid`` only where given."""
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
        claims["at_hash"] = half_hash(access_token)
    if session_id:
        claims["sid"] = session_id
    return {**claims, **extra}


def half_hash(token: str) -> str:
    """``at_hash`` and ``c_hash``: the left half of the token's SHA-256, base64url (§3.1.3.6)."""
    return base64url.encode_text(sha256(token.encode("ascii")).digest()[:16])
