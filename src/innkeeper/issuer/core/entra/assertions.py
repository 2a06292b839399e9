"""Client assertions as real clients write them: padded, wrapped, with dates as fractions; read leniently, once.

Nothing here is believed: the desk verifies the signature over the very bytes that came.
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64decode
from binascii import Error as NotBase64
from hashlib import sha1, sha256
from typing import Any

import msgspec

from innkeeper.protocol.strict_json import NotStrict, read_object

LIMIT = 32_768
"""Longest assertion read, in characters: some carry a chain of certificates in their header."""

ALGORITHMS = ("RS256", "PS256", "ES256")


class Unreadable(ValueError):
    """The text is no signed JWT, however leniently it is read; the message says why."""


class Assertion(msgspec.Struct, frozen=True):
    """An assertion taken apart. ``signing_input`` is what was signed, padding and all."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signature: bytes
    signing_input: bytes

    @property
    def algorithm(self) -> str:
        return str(self.header.get("alg", ""))

    def text(self, name: str) -> str:
        value = self.claims.get(name)
        return value if isinstance(value, str) else ""

    def moment(self, name: str) -> int | None:
        """A time claim in whole seconds; some clients send fractions."""
        value = self.claims.get(name)
        return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    @property
    def audiences(self) -> tuple[str, ...]:
        found = self.claims.get("aud")
        return tuple(found) if isinstance(found, list) else (found,) if isinstance(found, str) else ()


def read(text: str) -> Assertion:
    """Take an assertion apart. Raises ``Unreadable``."""
    if len(text) > LIMIT:
        raise Unreadable(f"{len(text)} characters, more than the {LIMIT} read")
    parts = text.strip().split(".")
    if len(parts) != 3:
        raise Unreadable(f"{len(parts)} parts where a signed JWT has three")
    try:
        header, claims = (read_object(_decoded(part)) for part in parts[:2])
        signature = _decoded(parts[2])
    except (NotStrict, NotBase64, ValueError) as error:
        raise Unreadable(f"a part cannot be read: {error}") from None
    if "crit" in header:
        raise Unreadable("its header names extensions (crit), and none is understood here")
    return Assertion(header, claims, signature, f"{parts[0]}.{parts[1]}".encode("ascii"))


def names(assertion: Assertion, der: bytes) -> bool:
    """Whether the header points at this certificate: by SHA-1 or SHA-256 thumbprint, by a kid made of one, or by x5c."""
    header, short, long = assertion.header, sha1(der, usedforsecurity=False).digest(), sha256(der).digest()
    pointers = [(header.get("x5t#S256"), (long,)), (header.get("x5t"), (short,)), (header.get("kid"), (short, long))]
    given = [(value, prints) for value, prints in pointers if isinstance(value, str)]
    if given:
        return any(_thumbprint(value) in prints for value, prints in given)
    return _first_of_chain(header.get("x5c")) == der


def _thumbprint(text: str) -> bytes:
    """The digest that a pointer spells: base64url, padded or not, or hexadecimal."""
    try:
        return bytes.fromhex(text) if len(text) in (40, 64) else _decoded(text)
    except (NotBase64, ValueError):
        return b""


def _first_of_chain(chain: Any) -> bytes:
    """The signer's certificate in x5c, whose base64 some clients break into lines."""
    if not isinstance(chain, list) or not chain or not isinstance(chain[0], str):
        return b""
    try:
        return b64decode("".join(chain[0].split()))
    except NotBase64:
        return b""


def _decoded(part: str) -> bytes:
    bare = part.rstrip("=")
    return urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
