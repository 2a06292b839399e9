"""Base 64 with the URL and filename safe alphabet, without padding, strictly canonical (RFC 4648 §5, §3.5)."""

from __future__ import annotations

from binascii import b2a_base64

import msgspec

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_TO_STANDARD = bytes(
    {ord("-"): ord("+"), ord("_"): ord("/")}.get(byte, byte if byte in ALPHABET else ord("!")) for byte in range(256)
)
"""What is not of this alphabet, padding included, becomes what no alphabet has."""
_TO_URL = bytes.maketrans(b"+/", b"-_")
_END = (b'"', b"", b'=="', b'="')
"""By length modulo 4: the padding, and the end of a JSON text."""
_LAST = (b"", b"", b"AQgw", b"AEIMQUYcgkosw048")
"""By length modulo 4: the last characters whose unused bits are zero."""


class NotBase64Url(ValueError):
    """The text is not canonical unpadded base64url; the message says which rule it breaks."""


def encode(data: bytes) -> bytes:
    """``data`` as unpadded base64url, ASCII bytes."""
    return b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URL)


def encode_text(data: bytes) -> str:
    """``data`` as unpadded base64url text."""
    return encode(data).decode("ascii")


def decode(text: str | bytes) -> bytes:
    """The bytes behind ``text``. Raises ``NotBase64Url`` for padding, white space, another alphabet, stray bits."""
    try:
        return decode_bytes(text.encode("ascii") if isinstance(text, str) else text)
    except UnicodeEncodeError:
        raise NotBase64Url(_FOREIGN) from None


def decode_bytes(data: bytes) -> bytes:
    """``decode`` for whoever has bytes already: a part of a token, which every request brings."""
    rest = len(data) & 3
    try:
        if not rest or data[-1] in _LAST[rest]:
            return _read(b'"' + data.translate(_TO_STANDARD) + _END[rest])
    except msgspec.ValidationError:
        raise NotBase64Url(_FOREIGN) from None
    if rest == 1:
        raise NotBase64Url("a length that no bytes encode to")
    raise NotBase64Url(_FOREIGN if data.translate(None, ALPHABET) else "a last character with stray bits")


_read = msgspec.json.Decoder(bytes).decode
"""Base 64 in a JSON text: half as slow as ``binascii`` is, which counts where every request brings a token."""

_FOREIGN = "a character outside the base64url alphabet"
