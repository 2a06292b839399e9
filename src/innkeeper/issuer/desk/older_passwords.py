"""Passwords as other issuers stored them: compared here once, and stored as ours when that person signs in.

bcrypt by the library of that name, PBKDF2 (RFC 8018 §5.2) by the standard library's OpenSSL.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

import bcrypt

_PBKDF2 = "$pbkdf2-"
_BCRYPT = "$2"
_BCRYPT_READS = 72
"""Bytes of a password that bcrypt looks at; those who stored it cut it there."""


def is_older(stored: str) -> bool:
    """Whether a stored password is of another issuer's kind."""
    return stored.startswith((_PBKDF2, _BCRYPT))


def verify(stored: str, password: str) -> bool:
    """Whether the password is the stored one."""
    compare = _pbkdf2 if stored.startswith(_PBKDF2) else _bcrypt
    try:
        return compare(stored, password.encode("utf-8"))
    except ValueError:  # a string that only looks like one of these, or a password with a NUL in it
        return False


def _bcrypt(stored: str, password: bytes) -> bool:
    return bcrypt.checkpw(password[:_BCRYPT_READS], stored.encode("ascii"))


def _pbkdf2(stored: str, password: bytes) -> bool:
    _, kind, rounds, salt, value = stored.split("$")
    expected = _decoded(value)
    digest = kind.removeprefix("pbkdf2-")
    found = hashlib.pbkdf2_hmac(digest, password, _decoded(salt), int(rounds.removeprefix("i=")), len(expected))
    return hmac.compare_digest(found, expected)


def _decoded(unpadded: str) -> bytes:
    return base64.b64decode(unpadded + "=" * (-len(unpadded) % 4))
