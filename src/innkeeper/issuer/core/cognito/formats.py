"""The shapes of a pool's identifiers, made of random bytes or, for a seed, of a name."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha512

from innkeeper.protocol import base64url

_LOWER = "abcdefghijklmnopqrstuvwxyz0123456789"
_MIXED = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + _LOWER

POOL_ID = re.compile(r"[a-z]{2}(-[a-z]+)+-\d_[0-9a-zA-Z]+")
CLIENT_ID = re.compile(r"[\w+]+")


def pool_id(region: str, chance: bytes) -> str:
    """A region, an underscore, nine letters and digits."""
    return f"{region}_{_written(chance, _MIXED, 9)}"


def client_id(chance: bytes) -> str:
    return _written(chance, _LOWER, 26)


def client_secret(chance: bytes) -> str:
    return _written(chance, _LOWER, 51)


def seeded(kind: str, pool: str, name: str) -> bytes:
    """Bytes that are the same wherever the same seed is planted."""
    return sha512(f"innkeeper seed\0{kind}\0{pool}\0{name}".encode()).digest()


def as_uuid(chance: bytes) -> str:
    """Sixteen bytes or more as the text of a version 4 UUID."""
    taken = bytearray(chance[:16])
    taken[6], taken[8] = taken[6] & 0x0F | 0x40, taken[8] & 0x3F | 0x80
    digits = taken.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def key_id(thumbprint: str) -> str:
    """A key's name: base64 with its padding, 44 characters."""
    return b64encode(base64url.decode(thumbprint)).decode("ascii")


_REFRESH_HEADER = base64url.encode_text(b'{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}')
_REFRESH_PARTS = (256, 12, 780, 16)


def refresh_token(chance: bytes) -> str:
    """A refresh token: five parts that look like an encrypted JWT and that nobody but its pool can make sense of."""
    parts, at = [_REFRESH_HEADER], 0
    stream = b"".join(sha512(chance + bytes((n,))).digest() for n in range(17))
    for length in _REFRESH_PARTS:
        parts.append(base64url.encode_text(stream[at : at + length]))
        at += length
    return ".".join(parts)


def temporary_password(chance: bytes) -> str:
    """A password that every policy of a pool takes as far as kinds of characters go."""
    return f"{_written(chance, _MIXED, 12)}-Aa7"


def confirmation_code(chance: bytes) -> str:
    """Six digits."""
    return f"{int.from_bytes(chance[:8]) % 1_000_000:06}"


def masked(attribute: str, value: str) -> str:
    """Where a code was sent, as its reader is told: enough to know the place again."""
    if attribute == "phone_number":
        return "+" + "*" * max(len(value) - 5, 0) + value[-4:]
    name, _, host = value.partition("@")
    return f"{name[:1]}***@{host[:1]}***"


def _written(chance: bytes, letters: str, length: int) -> str:
    number = int.from_bytes(chance if len(chance) >= 48 else sha512(chance).digest())
    out = []
    for _ in range(length):
        number, place = divmod(number, len(letters))
        out.append(letters[place])
    return "".join(out)
