"""What can be prepared before an act: random values, challenges, proofs of a key, signatures of OAuth 1.0.

Pure but for chance; bad cards come from ``forge``.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from oauthlib.oauth1 import Client as OldClient

from innkeeper.keys import jwk
from innkeeper.keys.jws import compact, encode_header
from innkeeper.protocol import base64url, pkce
from innkeeper.tokens.dpop import TYPE

Values = Mapping[str, str]

_LETTERS = "BCDFGHKLMNPRSTVWXZ"
"""Of what is read aloud: no vowels, and nothing that looks like a digit."""


def proof(key: ec.EllipticCurvePrivateKey, method: str, url: str, now: int, token: str = "") -> str:
    """A DPoP proof for one request (RFC 9449 §4.2); with a token, its hash too."""
    document = jwk.public_document(key.public_key(), "", "ES256")
    shown = {name: document[name] for name in ("kty", "crv", "x", "y")}
    claims: dict[str, object] = {"jti": secrets.token_urlsafe(12), "htm": method, "htu": url.partition("?")[0]}
    claims["iat"] = now
    if token:
        claims["ath"] = base64url.encode_text(hashlib.sha256(token.encode()).digest())
    header = encode_header({"typ": TYPE, "alg": "ES256", "jwk": shown})
    return compact(header.encode("ascii"), msgspec.json.encode(claims), key, "ES256")


def signed(url: str, values: Values) -> str:
    """The Authorization header of an OAuth 1.0 GET, signed with both secrets (RFC 5849 §3.4.2) by oauthlib."""
    client = OldClient(
        values["consumer_key"],
        client_secret=values["consumer_secret"],
        resource_owner_key=values["old_token"],
        resource_owner_secret=values["old_token_secret"],
    )
    _, headers, _ = client.sign(url, http_method="GET")
    return str(headers["Authorization"])


def _wrong(verifier: str) -> str:
    """A verifier of the right form that hashes to something else."""
    return verifier[:-1] + ("A" if verifier[-1] != "A" else "B")


MAKINGS: Mapping[str, Callable[..., str]] = MappingProxyType(
    {
        "random": lambda: secrets.token_urlsafe(32),
        "pin": lambda: f"{secrets.choice(_LETTERS)}{secrets.randbelow(10)}-{secrets.randbelow(900) + 100}",
        "challenge": pkce.challenge,
        "copy": str,
        "guess": _wrong,
    }
)
"""Recipes by their first word; the others name the values they are given."""
