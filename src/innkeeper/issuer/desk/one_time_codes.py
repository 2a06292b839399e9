"""One-time codes from a person's app (TOTP, RFC 6238), and the recovery codes that stand in for it."""

from __future__ import annotations

import secrets
from hmac import compare_digest

import pyotp

STEP = 30
"""Seconds that one code lasts (RFC 6238 §5.2)."""

DRIFT = 1
"""Steps that an app's clock may be off, either way."""

DIGITS = 6

RECOVERY_CODES = 10
_ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""Letters and digits that nobody mistakes for each other."""

_PARTS, _PART = 3, 4


def random_secret() -> str:
    """A new shared secret: 160 bits, as 32 characters of base32 (RFC 4226 §4, R6)."""
    return pyotp.random_base32(32)


def address(secret: str, username: str, issuer: str) -> str:
    """The ``otpauth:`` URI that apps take a secret from."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=issuer)


def step_of(secret: str, typed: str, now: int) -> int | None:
    """The time step whose code this is, now or one step off; None for no code of now. Takes as long for any."""
    current, found = now // STEP, None
    for step in range(current - DRIFT, current + DRIFT + 1):
        if compare_digest(pyotp.TOTP(secret, interval=STEP).at(step * STEP).encode(), typed.encode()):
            found = step
    return found


def random_recovery_code() -> str:
    """A recovery code as it is stored: twelve characters, 58 random bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_PARTS * _PART))


def canonical(typed: str) -> str:
    """What was typed without the spaces and dashes that people add, in capitals."""
    return "".join(typed.split()).replace("-", "").upper()


def shown(code: str) -> str:
    """A recovery code as people read it."""
    return "-".join(code[at : at + _PART] for at in range(0, len(code), _PART))


def looks_like_a_code(typed: str) -> bool:
    """Whether this is a code of the app's and not a recovery code."""
    return len(typed) == DIGITS and typed.isascii() and typed.isdigit()
