"""Secure remote password, a pool's side: prove a password without seeing it (RFC 5054's 3072-bit group, Cognito's variant).

Cognito hashes with SHA-256, pads integers as two's complement does, and derives the key with an expansion of its own.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from hashlib import sha256
from re import compile as pattern

import msgspec

_HEX = (
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"
)
PRIME = int(_HEX, 16)
GENERATOR = 2
_NUMBER = pattern(r"[0-9a-fA-F]{1,770}")


class Challenge(msgspec.Struct, frozen=True):
    """What is sent, in hexadecimal (``salt``, ``public``), and what is kept for the answer."""

    salt: str
    public: str
    secret: bytes
    client_public: str


def padded(number: int) -> bytes:
    """The shortest big-endian two's complement of a number that is not negative."""
    return number.to_bytes(number.bit_length() // 8 + 1)


MULTIPLIER = int.from_bytes(sha256(padded(PRIME) + padded(GENERATOR)).digest())


def verifier(pool: str, username: str, password: str, salt: str) -> bytes:
    """What a pool remembers of a password: enough to check a proof of it. ``pool`` is the short name of the pool."""
    inner = sha256(f"{pool}{username}:{password}".encode()).digest()
    x = int.from_bytes(sha256(padded(int(salt, 16)) + inner).digest())
    return padded(pow(GENERATOR, x, PRIME))


def public_of(text: str) -> int | None:
    """A caller's public value A, or None for one that is no hexadecimal or gives the secret away (0 modulo the prime)."""
    if not _NUMBER.fullmatch(text):
        return None
    number = int(text, 16)
    return None if number % PRIME == 0 else number


def server_public(kept: bytes, secret: bytes) -> str:
    """B, in hexadecimal, for what is remembered and a secret of at least 256 random bits."""
    v, b = int.from_bytes(kept), int.from_bytes(secret)
    return format((MULTIPLIER * v + pow(GENERATOR, b, PRIME)) % PRIME, "x")


def key(kept: bytes, challenge: Challenge) -> bytes | None:
    """The key that both sides share where the password is the same; None where the exchange gives secrets away."""
    a, big_b = public_of(challenge.client_public), int(challenge.public, 16)
    if a is None:
        return None
    u = int.from_bytes(sha256(padded(a) + padded(big_b)).digest())
    if u == 0:
        return None
    shared = pow(a * pow(int.from_bytes(kept), u, PRIME) % PRIME, int.from_bytes(challenge.secret), PRIME)
    extracted = hmac.digest(padded(u), padded(shared), "sha256")
    return hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]


def signature(key: bytes, pool: str, username: str, block: bytes, timestamp: str) -> str:
    """What proves the key: base64 of a MAC over who, the echoed block and the time."""
    said = pool.encode() + username.encode() + block + timestamp.encode()
    return b64encode(hmac.digest(key, said, "sha256")).decode("ascii")


def block_of(text: str) -> bytes | None:
    """The bytes of an echoed block."""
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError):
        return None


def secret_hash(secret: str, username: str, client_id: str) -> str:
    """SECRET_HASH: base64 of a MAC over user name and client id, under the client's secret."""
    return b64encode(hmac.digest(secret.encode(), f"{username}{client_id}".encode(), "sha256")).decode("ascii")
