"""Signatures by a shared secret: HMAC with SHA-256, for clients that prove themselves so (RFC 7518 §3.2).

It stands apart from ``keys.jws`` on purpose: there a public key can never be taken for a secret, here nothing but a
secret is ever taken.
"""

from __future__ import annotations

import hmac

from innkeeper.keys.jws import Parsed
from innkeeper.protocol import base64url

ALGORITHM = "HS256"

SHORTEST = 32
"""Bytes that a secret must have at least: as many as the hash gives (§3.2)."""


def compact(header: str, claims: bytes, secret: bytes) -> str:
    """A token with its MAC; ``header`` is encoded already. Raises ``ValueError`` for a secret that is too short."""
    if len(secret) < SHORTEST:
        raise ValueError(f"a secret of {len(secret)} bytes is too short to sign with")
    start = f"{header}.{base64url.encode_text(claims)}"
    return f"{start}.{base64url.encode_text(hmac.digest(secret, start.encode('ascii'), 'sha256'))}"


def verify(parsed: Parsed, secret: bytes) -> bool:
    """Whether this secret signed the token with HS256. False for a secret that is too short, or another algorithm."""
    if parsed.header.get("alg") != ALGORITHM or len(secret) < SHORTEST:
        return False
    return hmac.compare_digest(hmac.digest(secret, parsed.signing_input, "sha256"), parsed.signature)
