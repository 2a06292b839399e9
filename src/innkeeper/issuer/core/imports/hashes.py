"""Stored passwords of other issuers in one spelling each (the PHC string format). Pure.

What cannot be verified here gives "", and its person needs a new password.
"""

from __future__ import annotations

import base64
import binascii
import re

from innkeeper.issuer.core.imports.arriving import Document, text

MOST_ROUNDS = 10_000_000
"""Iterations that a stored password may ask for; more would hold up everybody's sign-in."""

BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}")


def bcrypt(stored: str) -> str:
    """A bcrypt string of a cost that is bearable."""
    return stored if BCRYPT.fullmatch(stored) else ""


def pbkdf2(digest: str, rounds: int, salt: str, value: str) -> str:
    """PBKDF2 (RFC 8018 §5.2) with salt and value in base64, as ``$pbkdf2-sha256$i=27500$SALT$VALUE``."""
    if digest not in {"sha1", "sha256", "sha512"} or not 0 < rounds <= MOST_ROUNDS:
        return ""
    parts = [_unpadded(salt), _unpadded(value)]
    return f"$pbkdf2-{digest}$i={rounds}${'$'.join(parts)}" if all(parts) else ""


def argon2(kind: str, memory: int, rounds: int, lanes: int, salt: str, value: str) -> str:
    """argon2 1.3 (RFC 9106) with salt and value in base64."""
    if kind not in {"id", "i", "d"} or not (0 < memory <= 1 << 21 and 0 < rounds <= 1000 and 0 < lanes <= 64):
        return ""
    parts = [_unpadded(salt), _unpadded(value)]
    return f"$argon2{kind}$v=19$m={memory},t={rounds},p={lanes}${'$'.join(parts)}" if all(parts) else ""


def first_number(parameters: Document, name: str) -> int:
    """A number that an export keeps as a list of one text; 0 where there is none."""
    listed = parameters.get(name)
    said = text(listed[0]) if isinstance(listed, list) and listed else ""
    return int(said) if said.isdecimal() else 0


def _unpadded(encoded: str) -> str:
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return base64.b64encode(decoded).decode("ascii").rstrip("=")
