"""JSON Web Encryption in its compact form, on joserfc: to a stranger's key, and with ours (RFC 7516, RFC 7518 §4, §5).

What is compressed is not read (``zip``), nor what was encrypted with RSA1_5, a shared secret or a password.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from innkeeper.keys.jws import PrivateKey
from innkeeper.protocol import base64url
from innkeeper.protocol.strict_json import NotStrict, read_object

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, OKPKey, RSAKey

DecryptionKey = RSAPrivateKey | ec.EllipticCurvePrivateKey

ALGORITHMS = ("RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW")
"""How a content key reaches its reader."""

ENCRYPTIONS = ("A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM")
"""How content is encrypted; the first is taken where a client names none."""

LIMIT = 32_768
"""Longest encrypted token read, in characters: a signed one of the longest size, encrypted."""

_HEADER_LIMIT = 1_024
_HEADER_DEPTH = 4
_RSA_BITS = (2_048, 8_192)
_PARTS = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y"), "OKP": ("kty", "crv", "x")}
_CURVES = {"EC": ("P-256", "P-384", "P-521"), "OKP": ("X25519",)}


class NoKeyFits(ValueError):
    """None of the keys can be encrypted to with this algorithm; the message says why."""


class NotDecrypted(ValueError):
    """The text is no encrypted token that is read here; the message says why, and tells no two failed keys apart."""


def is_encrypted(token: str) -> bool:
    """Whether the text has the five parts of an encrypted token."""
    return token.count(".") == 4


def encrypt(content: bytes, keys: Iterable[Mapping[str, Any]], alg: str, enc: str, cty: str = "") -> str:
    """``content`` for whoever holds one of ``keys`` (JWKs). ``cty`` is ``JWT`` around a signed token (RFC 7519 §5.2).

    Of several keys that fit, the first that is published for encryption is taken. Raises ``NoKeyFits``.
    """
    from joserfc.errors import JoseError
    from joserfc.jwe import encrypt_compact

    if alg not in ALGORITHMS or enc not in ENCRYPTIONS:
        raise NoKeyFits(f"nothing is encrypted with {alg} and {enc} here")
    fitting = sorted((one for one in keys if _fits(one, alg)), key=lambda one: one.get("use") != "enc")
    for document in fitting:
        header = {"alg": alg, "enc": enc, **({"cty": cty} if cty else {}), **_kid(document)}
        try:
            return encrypt_compact(header, content, _import(document), algorithms=[alg, enc])
        except (JoseError, ValueError, TypeError, UnsupportedAlgorithm):
            continue
    raise NoKeyFits(f"none of the client's keys can be encrypted to with {alg}")


def read_header(token: str) -> Mapping[str, Any]:
    """The header of an encrypted token, nothing of it believed yet. Raises ``NotDecrypted``."""
    if len(token) > LIMIT:
        raise NotDecrypted(f"{len(token)} characters, more than the {LIMIT} read")
    first, _, _ = token.partition(".")
    if not is_encrypted(token) or len(first) > _HEADER_LIMIT:
        raise NotDecrypted("not five parts, or a header longer than any needs to be")
    try:
        header = read_object(base64url.decode(first), depth=_HEADER_DEPTH)
    except (base64url.NotBase64Url, NotStrict) as error:
        raise NotDecrypted(f"header: {error}") from None
    if refused := {"zip", "crit"} & header.keys():
        raise NotDecrypted(f"header: {min(refused)!r} is not read here")
    if header.get("alg") not in ALGORITHMS or header.get("enc") not in ENCRYPTIONS:
        raise NotDecrypted(f"alg {header.get('alg')!r} with enc {header.get('enc')!r} is not read here")
    return header


def decrypt(token: str, key: DecryptionKey) -> bytes:
    """What was encrypted to ``key``. Keys or addresses of keys in the header are not looked at. Raises ``NotDecrypted``."""
    from joserfc.errors import JoseError
    from joserfc.jwe import decrypt_compact
    from joserfc.jwk import ECKey, RSAKey

    header = read_header(token)
    if not opens(key, str(header["alg"])):
        raise NotDecrypted("no key of ours opens it")
    ours = RSAKey(key, key) if isinstance(key, RSAPrivateKey) else ECKey(key, key)
    try:
        found = decrypt_compact(token, ours, algorithms=[header["alg"], header["enc"]])
    except (JoseError, ValueError, TypeError, KeyError, AssertionError, InvalidTag, UnsupportedAlgorithm):
        found = None
    if found is None or found.plaintext is None:
        raise NotDecrypted("no key of ours opens it")
    return found.plaintext


def opens(key: PrivateKey, alg: str) -> TypeGuard[DecryptionKey]:
    """Whether the key is of the kind that ``alg`` encrypts to."""
    return isinstance(key, RSAPrivateKey) if alg.startswith("RSA") else isinstance(key, ec.EllipticCurvePrivateKey)


def _fits(document: Mapping[str, Any], alg: str) -> bool:
    """Whether a published key may be encrypted to, by what stands beside it and by its kind and size."""
    if document.get("use", "enc") != "enc" or document.get("alg", alg) != alg:
        return False
    kty = document.get("kty")
    if alg.startswith("RSA"):
        return (
            kty == "RSA" and _RSA_BITS[0] <= _bits(document.get("n")) <= _RSA_BITS[1] and _bits(document.get("e")) < 65
        )
    return document.get("crv") in _CURVES.get(str(kty), ())


def _bits(text: object) -> int:
    try:
        return int.from_bytes(base64url.decode(text)).bit_length() if isinstance(text, str) else 0
    except base64url.NotBase64Url:
        return 0


def _kid(document: Mapping[str, Any]) -> dict[str, str]:
    kid = document.get("kid")
    return {"kid": kid} if isinstance(kid, str) else {}


def _import(document: Mapping[str, Any]) -> RSAKey | ECKey | OKPKey:
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    kinds: dict[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    kty = str(document["kty"])
    return kinds[kty].import_key({name: document[name] for name in _PARTS[kty] if name in document})
