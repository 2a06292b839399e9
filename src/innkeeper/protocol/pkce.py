"""Proof Key for Code Exchange, S256 only (RFC 7636)."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode

METHOD = "S256"

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9\-_]{43}")


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier: BASE64URL(SHA256(ASCII(verifier))), 43 characters (§4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")


def is_verifier(text: str) -> bool:
    """Whether ``text`` is 43 to 128 unreserved characters (§4.1)."""
    return _VERIFIER.fullmatch(text) is not None


def is_challenge(text: str) -> bool:
    """Whether ``text`` can be an S256 challenge: 43 base64url characters (§4.2)."""
    return _CHALLENGE.fullmatch(text) is not None
