"""JSON Web Keys: public keys as documents and back (RFC 7517, RFC 7518 §6, RFC 8037 §2; thumbprints RFC 7638)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from innkeeper.keys.jws import PublicKey
from innkeeper.protocol import base64url

RSA_BITS = 2048
"""Smallest RSA key read (RFC 7518 §3.3)."""

_RSA_BITS_MOST = 8192
_CURVES: Mapping[str, tuple[type[ec.EllipticCurve], int]] = {"P-256": (ec.SECP256R1, 32), "P-384": (ec.SECP384R1, 48)}
_REQUIRED = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x"), "oct": ("k", "kty")}


class UnusableKey(ValueError):
    """A key document that cannot verify signatures here; the message says which member and why."""


class VerifyingKey(msgspec.Struct, frozen=True):
    """A public key as published: ``kid`` ("" where none was given), the one ``alg`` it is for (None: any that fits), and
    the ``issuer`` it is for where one set serves several ("": whoever published it)."""

    kid: str
    alg: str | None
    key: PublicKey
    issuer: str = ""


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The key's SHA-256 thumbprint, base64url (RFC 7638 §3). Raises ``UnusableKey`` for an unknown kind."""
    kty = _text(jwk, "kty")
    if kty not in _REQUIRED:
        raise UnusableKey(f"kty {kty!r}: known kinds are {', '.join(_REQUIRED)}")
    return base64url.encode_text(
        sha256(msgspec.json.encode({name: _text(jwk, name) for name in _REQUIRED[kty]})).digest()
    )


def public_document(key: PublicKey, kid: str, alg: str, use: str = "sig") -> dict[str, str]:
    """The public key as it is published in a JWK set."""
    return {**_parameters(key), "use": use, "alg": alg, "kid": kid}


def _parameters(key: PublicKey) -> dict[str, str]:
    if isinstance(key, RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "n": _integer_text(numbers.n), "e": _integer_text(numbers.e)}
    if isinstance(key, Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url.encode_text(key.public_bytes_raw())}
    point = key.public_numbers()
    crv, size = next((crv, size) for crv, (curve, size) in _CURVES.items() if type(key.curve) is curve)
    x, y = (base64url.encode_text(value.to_bytes(size)) for value in (point.x, point.y))
    return {"kty": "EC", "crv": crv, "x": x, "y": y}


def read_public(document: Mapping[str, Any]) -> VerifyingKey:
    """The verifying key in a document; private parts, should someone have published them, are ignored.

    Raises ``UnusableKey``: another use than signatures, an unknown kind or curve, RSA under 2048 bits,
    a point off its curve, a member of the wrong form.
    """
    if document.get("use", "sig") not in ("sig", "jwt-svid"):  # the second is what SPIFFE's bundles say
        raise UnusableKey(f"use {document['use']!r}: not for signatures")
    operations = document.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise UnusableKey("key_ops without 'verify'")
    read = _KINDS.get(_text(document, "kty"))
    if read is None:
        raise UnusableKey(f"kty {document['kty']!r}: {', '.join(_KINDS)} can be read")
    kid = _text(document, "kid") if "kid" in document else ""
    alg = _text(document, "alg") if "alg" in document else None
    issuer = _text(document, "issuer") if "issuer" in document else ""
    try:
        return VerifyingKey(kid, alg, read(document), issuer)
    except UnusableKey:
        raise
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnusableKey(f"key {kid!r}: {error}") from None


def read_set(document: Mapping[str, Any]) -> tuple[tuple[VerifyingKey, ...], tuple[str, ...]]:
    """The usable keys of a JWK set, and for each other one why it is left out (RFC 7517 §5 says: ignore those).

    Raises ``UnusableKey`` where there is no ``keys`` list at all.
    """
    entries = document.get("keys")
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise UnusableKey("no list under 'keys': not a JWK set")
    keys: list[VerifyingKey] = []
    left_out: list[str] = []
    for entry in entries:
        try:
            keys.append(read_public(entry if isinstance(entry, Mapping) else {}))
        except UnusableKey as error:
            left_out.append(str(error))
    return tuple(keys), tuple(left_out)


def _read_rsa(document: Mapping[str, Any]) -> PublicKey:
    n, e = (int.from_bytes(_octets(document, name)) for name in ("n", "e"))
    if not RSA_BITS <= n.bit_length() <= _RSA_BITS_MOST:
        raise UnusableKey(f"RSA of {n.bit_length()} bits: {RSA_BITS} to {_RSA_BITS_MOST} are read")
    return RSAPublicNumbers(e, n).public_key()


def _read_ec(document: Mapping[str, Any]) -> PublicKey:
    crv = _text(document, "crv")
    if crv not in _CURVES:
        raise UnusableKey(f"crv {crv!r}: {', '.join(_CURVES)} can be read")
    curve, size = _CURVES[crv]
    x, y = (_octets(document, name) for name in ("x", "y"))
    if len(x) != size or len(y) != size:
        raise UnusableKey(f"x and y of {crv} have {size} bytes each, not {len(x)} and {len(y)}")
    return ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), curve()).public_key()


def _read_okp(document: Mapping[str, Any]) -> PublicKey:
    crv = _text(document, "crv")
    if crv != "Ed25519":
        raise UnusableKey(f"crv {crv!r}: Ed25519 can be read")
    return Ed25519PublicKey.from_public_bytes(_octets(document, "x"))


_KINDS = {"EC": _read_ec, "RSA": _read_rsa, "OKP": _read_okp}


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise UnusableKey(f"{name!r} is {'missing' if value is None else 'no string'}")
    return value


def _octets(document: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64url.decode(_text(document, name))
    except base64url.NotBase64Url as error:
        raise UnusableKey(f"{name!r} is not base64url: {error}") from None


def _integer_text(value: int) -> str:
    return base64url.encode_text(value.to_bytes((value.bit_length() + 7) // 8))
