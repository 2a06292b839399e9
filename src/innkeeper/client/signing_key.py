"""A client's private key, as it is read from where people keep it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from innkeeper.keys.jws import ALGORITHMS, PrivateKey
from innkeeper.protocol.refusals import UsageError


class SigningKey(msgspec.Struct, frozen=True):
    """A private key that signs a fresh assertion for each request (``private_key_jwt``).

    ``alg`` one of ES256, ES384, RS256, PS256, EdDSA; ``kid`` as the issuer knows the key. The assertion's
    audience is the issuer; ``audience`` overrides it for issuers that still want their token endpoint there.
    """

    key: PrivateKey
    alg: str
    kid: str = ""
    audience: str = ""

    def __repr__(self) -> str:
        return f"SigningKey({self.alg}, {self.kid!r})"

    @classmethod
    def from_pem(cls, pem: bytes, *, kid: str = "", alg: str = "", audience: str = "") -> SigningKey:
        """A key from PEM, with the usual algorithm of its kind. Raises ``UsageError``, never quoting the key."""
        try:
            key = load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise UsageError("the signing key is not an unencrypted private key in PEM form") from None
        usual = next((name for name in _USUAL if ALGORITHMS[name].fits(key)), None)
        if usual is None or not isinstance(key, RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey):
            raise UsageError("the signing key must be EC P-256 or P-384, RSA of 2048 bits or more, or Ed25519")
        if alg and not (alg in ALGORITHMS and ALGORITHMS[alg].fits(key)):
            raise UsageError(f"alg {alg!r} does not fit the signing key; {usual} does")
        return cls(key, alg or usual, kid, audience)

    @classmethod
    def from_file(cls, path: Path, *, kid: str = "") -> SigningKey:
        """``from_pem`` of a file. Raises ``UsageError`` where it cannot be read."""
        try:
            return cls.from_pem(path.read_bytes(), kid=kid)
        except OSError as error:
            raise UsageError(f"signing key {path}: {error.strerror}") from None


_USUAL = ("ES256", "ES384", "RS256", "EdDSA")
