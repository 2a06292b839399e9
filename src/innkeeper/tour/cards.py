"""The cards that can be held to a door: the real one, and the ones that must not open anything.

Pure: each forgery is made from a real token by editing it. Two bad cards are no forgeries, and have to be asked
for: the expired one and the one for another hotel are cut and signed by the issuer itself.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, get_args

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from innkeeper.keys.jws import PublicKey, compact, encode_header, parse
from innkeeper.protocol import base64url

CardName = Literal["real", "none", "expired", "tampered", "other", "unsigned", "identity", "homemade", "confused"]
CARDS: tuple[CardName, ...] = get_args(CardName)


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a token, unverified, for showing and for editing."""
    claims: dict[str, Any] = msgspec.json.decode(parse(token).claims)
    return claims


def header_of(token: str) -> Mapping[str, Any]:
    """The protected header of a token, unverified."""
    return parse(token).header


def tampered(token: str) -> str:
    """The token with a right scribbled onto it, under the signature of what it said before."""
    head, _, signature = token.split(".")
    return f"{head}.{_part(_greedy(claims_of(token)))}.{signature}"


def unsigned(token: str) -> str:
    """The token's claims with ``alg`` none and an empty signature (RFC 7518 §3.6)."""
    return f"{_part(dict(header_of(token)) | {'alg': 'none'})}.{_part(_greedy(claims_of(token)))}."


def homemade(token: str, key: ec.EllipticCurvePrivateKey) -> str:
    """The same claims signed with a P-256 key of one's own, naming the issuer's key in ``kid``."""
    header = encode_header(dict(header_of(token)) | {"alg": "ES256"})
    return compact(header.encode("ascii"), msgspec.json.encode(_greedy(claims_of(token))), key, "ES256")


def confused(token: str, public_key: PublicKey) -> str:
    """The same claims under HS256, with the issuer's public key in PEM form as the shared secret (RFC 8725 §2.1)."""
    header = _part(dict(header_of(token)) | {"alg": "HS256"})
    signing_input = f"{header}.{_part(_greedy(claims_of(token)))}"
    secret = public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return (
        f"{signing_input}.{base64url.encode_text(hmac.digest(secret, signing_input.encode('ascii'), hashlib.sha256))}"
    )


EDITS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {"real": str, "none": lambda _: "", "tampered": tampered, "unsigned": unsigned}
)
"""The cards that need nothing but the real one, by name. ``none`` is empty hands."""


def _greedy(claims: dict[str, Any]) -> dict[str, Any]:
    """More than was given: the VIP lounge, or, where that is given already, somebody else's name."""
    scope = str(claims.get("scope", ""))
    if "vip:enter" in scope.split():
        return claims | {"sub": "somebody-else"}
    return claims | {"scope": f"{scope} vip:enter".strip()}


def _part(document: Mapping[str, Any]) -> str:
    return base64url.encode_text(msgspec.json.encode(document))
