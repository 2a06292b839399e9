"""Signing keys that come with a certificate of their own (x5c), and are named by its thumbprint (x5t)."""

from __future__ import annotations

import datetime
from base64 import b64encode
from hashlib import sha1

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from innkeeper.keys import jwk
from innkeeper.keys.ring import purpose_of
from innkeeper.keys.seal import Seal
from innkeeper.keys.stored import StoredKey
from innkeeper.protocol import base64url

YEARS = 5
"""How long the certificate says that it is good; nobody checks it, verifiers take the key set's word."""


def make_certified(name: str, seal: Seal, *, now: int, active_from: int) -> StoredKey:
    """A new RSA key with a self-signed certificate for ``name``, called by the certificate's SHA-1 thumbprint."""
    private = rsa.generate_private_key(65537, 2048)
    der = self_signed(name, private, now)
    kid = thumbprint(der)
    secret = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return StoredKey(
        kid=kid,
        alg="RS256",
        sealed=seal.close(secret, purpose_of(kid)),
        created_at=now,
        active_from=active_from,
        certificate=der,
    )


def self_signed(name: str, private: rsa.RSAPrivateKey, now: int) -> bytes:
    """A certificate in DER that a key signs for itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.datetime.fromtimestamp(now, datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - datetime.timedelta(days=1))
        .not_valid_after(start + datetime.timedelta(days=365 * YEARS))
        .sign(private, SHA256())
    )
    return made.public_bytes(Encoding.DER)


def thumbprint(der: bytes) -> str:
    """A certificate's x5t: SHA-1 of its DER, base64url. A name, and no proof of anything."""
    return base64url.encode_text(sha1(der, usedforsecurity=False).digest())


def certified_document(stored: StoredKey) -> dict[str, object]:
    """A key as a JWK with its certificate."""
    public = x509.load_der_x509_certificate(stored.certificate).public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise TypeError("certified keys are RSA")
    plain = jwk.public_document(public, stored.kid, stored.alg)
    return {
        "kty": plain["kty"],
        "use": plain["use"],
        "kid": stored.kid,
        "x5t": stored.kid,
        "n": plain["n"],
        "e": plain["e"],
        "x5c": [b64encode(stored.certificate).decode("ascii")],
    }
