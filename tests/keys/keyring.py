"""Keys made once for the tests of this folder; making an RSA key takes a second."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from innkeeper.keys.jws import PrivateKey

ALGS = ("ES256", "ES384", "RS256", "PS256", "EdDSA")


@cache
def private_key(alg: str, which: int = 0) -> PrivateKey:
    """The private key number ``which`` for an algorithm; RS256 and PS256 share theirs."""
    if alg == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if alg == "ES384":
        return ec.generate_private_key(ec.SECP384R1())
    if alg == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa_key(which)


@cache
def rsa_key(which: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)
