"""JSON Web Signature in its compact form, thin on ``cryptography`` (RFC 7515, RFC 7518 §3.3, §3.4, §3.5, RFC 8037 §3.1).

Asymmetric algorithms only. Each is bound to one kind of key, so a token cannot choose another meaning for a key:
there is no ``none`` and nothing that takes a public key for a shared secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256, sha384
from types import MappingProxyType
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from innkeeper.protocol import base64url
from innkeeper.protocol.base64url import ALPHABET, NotBase64Url, decode_bytes
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.protocol.values import Value

PublicKey = RSAPublicKey | ec.EllipticCurvePublicKey | Ed25519PublicKey
PrivateKey = RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey

LIMIT = 16_384
"""Longest token read, in bytes. HTTP servers refuse longer header lines anyway."""

_HEADER_DEPTH = 6
_TEXTS = ("alg", "kid", "typ", "cty")
_CACHED_HEADER = 1_024


class NotAToken(ValueError):
    """The text is no JWS in compact form; the message says why, and quotes none of it."""


class Parsed(Value, frozen=True, gc=False):
    """A token taken apart and not yet believed: nothing here is verified.

    ``header_b64`` is the header as it stood in the token: an issuer's tokens share few, which makes it a key to
    look things up by.
    """

    header: Mapping[str, Any]
    claims: bytes
    signature: bytes
    signing_input: bytes
    header_b64: bytes = b""


def parse(token: str | bytes, *, limit: int = LIMIT) -> Parsed:
    """Take a compact JWS apart (RFC 7515 §5.2, steps 1 to 7). Raises ``NotAToken``; ``limit`` is in bytes."""
    try:
        data = token.encode("ascii") if isinstance(token, str) else token
    except UnicodeEncodeError:
        raise NotAToken("a character outside ASCII") from None
    if len(data) > limit:
        raise NotAToken(f"{len(data)} bytes, more than the {limit} read")
    signing_input, _, signature = data.rpartition(b".")
    header, dot, claims = signing_input.partition(b".")
    if not dot:
        raise NotAToken(_shape(data))
    try:
        return Parsed(
            read_header(header) if len(header) <= _CACHED_HEADER else _read_header(header),
            decode_bytes(claims),
            decode_bytes(signature),
            signing_input,
            header,
        )
    except NotBase64Url as error:
        if data.translate(None, ALPHABET) != b"..":
            raise NotAToken(_shape(data)) from None
        raise NotAToken(f"a part is not base64url: {error}") from None


def _shape(data: bytes) -> str:
    dots = data.count(b".")
    if dots == 4:
        return "five parts: an encrypted token (JWE), not a signed one"
    if dots != 2:
        return f"{dots + 1} part{'s' if dots else ''} where a signed token has 3"
    return "a character outside the base64url alphabet (padding and white space included)"


def _read_header(data: bytes) -> Mapping[str, Any]:
    try:
        header = read_object(decode_bytes(data), depth=_HEADER_DEPTH)
    except NotStrict as error:
        raise NotAToken(f"header: {error}") from None
    if "crit" in header:
        raise NotAToken("header: 'crit' names extensions, and none is understood here")
    if header.get("b64", True) is not True:
        raise NotAToken("header: 'b64' says that the content is not base64url, as no JWT may (RFC 7797 §7)")
    if wrong := [name for name in _TEXTS if not isinstance(header.get(name, ""), str)]:
        raise NotAToken(f"header: {wrong[0]!r} is no string")
    return MappingProxyType(header)


read_header = lru_cache(maxsize=256)(_read_header)
"""An issuer's tokens share a few headers; each is read once. Bounded by count and by the length cached."""


def verify(parsed: Parsed, key: PublicKey, alg: str) -> bool:
    """Whether the signature is ``key``'s under ``alg``. False, too, for an unknown ``alg`` or a key of another kind."""
    algorithm = ALGORITHMS.get(alg)
    return (
        algorithm is not None and algorithm.fits(key) and algorithm.verify(key, parsed.signature, parsed.signing_input)
    )


def sign(signing_input: bytes, private_key: PrivateKey, alg: str) -> bytes:
    """The signature over ``signing_input``. Raises ``ValueError`` where key and ``alg`` do not belong together."""
    algorithm = ALGORITHMS.get(alg)
    if algorithm is None or not algorithm.fits(private_key):
        raise ValueError(
            f"{type(private_key).__name__} cannot sign {alg!r}; one of {', '.join(ALGORITHMS)} and its key"
        )
    return algorithm.sign(private_key, signing_input)


def encode_header(header: Mapping[str, Any]) -> str:
    """The header as it stands in a token, to be made once per key and type."""
    return base64url.encode_text(msgspec.json.encode(dict(header)))


def compact(header_b64: bytes, claims: bytes, private_key: PrivateKey, alg: str) -> str:
    """A whole token: ``header_b64`` from ``encode_header``, ``claims`` as JSON bytes (RFC 7515 §7.1)."""
    signing_input = header_b64 + b"." + base64url.encode(claims)
    return (signing_input + b"." + base64url.encode(sign(signing_input, private_key, alg))).decode("ascii")


class Algorithm(Value, frozen=True, gc=False):
    """One algorithm: which keys it ``fits``, how it verifies a signature over bytes with one that does, and signs."""

    name: str
    fits: Callable[[Any], bool]
    verify: Callable[[Any, bytes, bytes], bool]
    sign: Callable[[Any, bytes], bytes]


_Hash = Callable[[bytes], Any]
"""Of ``hashlib``, and ``cryptography`` is given the digest: to choose a hash by an object costs it a sixth of a signature in ES256."""


def _ecdsa(name: str, curve: type[ec.EllipticCurve], hashed: _Hash, known: SHA256 | SHA384, size: int) -> Algorithm:
    """ECDSA with r and s side by side, ``size`` bytes each (RFC 7518 §3.4)."""
    scheme = ec.ECDSA(Prehashed(known))
    integer = int.from_bytes

    of_kind = _kind(ec.EllipticCurvePublicKey, ec.EllipticCurvePrivateKey)

    def fits(key: Any) -> bool:
        return of_kind(key) and type(key.curve) is curve

    def verify_raw(key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes) -> bool:
        if len(signature) != 2 * size:
            return False
        der = encode_dss_signature(integer(signature[:size]), integer(signature[size:]))
        try:
            key.verify(der, hashed(data).digest(), scheme)
        except InvalidSignature:
            return False
        return True

    def sign_raw(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
        der = key.sign(hashed(data).digest(), scheme)
        end = 4 + der[3]
        return _unsigned(der[4:end], size) + _unsigned(der[end + 2 :], size)

    return Algorithm(name, fits, verify_raw, sign_raw)


def _unsigned(integer: bytes, size: int) -> bytes:
    """A DER integer's content at a fixed size: without its sign octet, with its leading zeros (X.690 §8.3)."""
    return integer[-size:].rjust(size, b"\0")


def _rsa(name: str, scheme: padding.AsymmetricPadding) -> Algorithm:
    """RSA with SHA-256, keys of 2048 bits and more (RFC 7518 §3.3, §3.5)."""
    digest = Prehashed(SHA256())
    of_kind = _kind(RSAPublicKey, RSAPrivateKey)

    def fits(key: Any) -> bool:
        return of_kind(key) and key.key_size >= 2048

    def verify_rsa(key: RSAPublicKey, signature: bytes, data: bytes) -> bool:
        try:
            key.verify(signature, sha256(data).digest(), scheme, digest)
        except InvalidSignature:
            return False
        return True

    def sign_rsa(key: RSAPrivateKey, data: bytes) -> bytes:
        return key.sign(sha256(data).digest(), scheme, digest)

    return Algorithm(name, fits, verify_rsa, sign_rsa)


def _ed25519(name: str) -> Algorithm:
    """Ed25519, under the name of RFC 8037 §3.1 and under that of RFC 9864 §2.2, which says the curve, too."""

    def verify_ed(key: Ed25519PublicKey, signature: bytes, data: bytes) -> bool:
        try:
            key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    return Algorithm(name, _kind(Ed25519PublicKey, Ed25519PrivateKey), verify_ed, lambda key, data: key.sign(data))


def _kind(*kinds: type) -> Callable[[Any], bool]:
    """Whether a key is of one of these kinds; asked once a class, since the kinds are abstract and slow to ask."""
    known: dict[type, bool] = {}

    def is_of_kind(key: Any) -> bool:
        kind = type(key)
        if kind not in known:
            known[kind] = issubclass(kind, kinds)
        return known[kind]

    return is_of_kind


ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType(
    {
        one.name: one
        for one in (
            _ecdsa("ES256", ec.SECP256R1, sha256, SHA256(), 32),
            _ecdsa("ES384", ec.SECP384R1, sha384, SHA384(), 48),
            _rsa("RS256", padding.PKCS1v15()),
            _rsa("PS256", padding.PSS(padding.MGF1(SHA256()), SHA256.digest_size)),
            _ed25519("EdDSA"),
            _ed25519("Ed25519"),
        )
    }
)
