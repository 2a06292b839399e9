"""Certificates of TLS clients: read from what a proxy forwards, and vouched for by an authority (RFC 5280, RFC 9440)."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address
from urllib.parse import unquote

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from innkeeper.keys import jwk
from innkeeper.protocol import base64url
from innkeeper.protocol.refusals import UsageError

LIMIT = 16_384
"""Longest certificate read, in characters as forwarded."""


class NotACertificate(ValueError):
    """What was forwarded cannot be read as one certificate; the message says why, and quotes none of it."""


class Certificate(msgspec.Struct, frozen=True):
    """What a certificate says. ``thumbprint`` is ``x5t#S256``; ``key`` the RFC 7638 thumbprint of its public key, ""
    for a kind of key that nobody registers. Times are seconds since the epoch."""

    der: bytes
    thumbprint: str
    key: str
    subject: str
    dns: tuple[str, ...]
    uris: tuple[str, ...]
    addresses: tuple[str, ...]
    emails: tuple[str, ...]
    not_before: int
    not_after: int


def read_forwarded(text: str) -> Certificate:
    """The one certificate in a header's value. Raises ``NotACertificate``.

    Proxies spell it in four ways: ``:base64:`` (RFC 9440), PEM with its line breaks percent-encoded (nginx), a
    ``Cert="…"`` element (Envoy), base64 alone (HAProxy, Traefik). A value that holds two is refused: one of them would
    be somebody else's.
    """
    if len(text) > LIMIT:
        raise NotACertificate(f"{len(text)} characters, more than the {LIMIT} read")
    try:
        return _read(_der(text.strip()))
    except _UNREADABLE as error:
        raise NotACertificate(f"no certificate: {type(error).__name__}") from None


def vouched_for(certificate: Certificate, authorities: str) -> bool:
    """Whether one of the authorities, certificates in PEM, signed it for use by a TLS client. Times aside."""
    leaf = x509.load_der_x509_certificate(certificate.der)
    return _is_for_clients(leaf) and any(_signed(leaf, one) for one in read_authorities(authorities))


@lru_cache(maxsize=8)
def read_authorities(pem: str) -> tuple[x509.Certificate, ...]:
    """The authorities in a PEM file. Raises ``UsageError`` where one of them may not sign certificates."""
    try:
        found = tuple(x509.load_pem_x509_certificates(pem.encode())) if pem else ()
    except ValueError as error:
        raise UsageError(f"the authorities of client certificates cannot be read as PEM: {error}") from None
    for one in found:
        if not _is_authority(one):
            raise UsageError(
                f"{one.subject.rfc4514_string()} is no certificate authority: it may not sign certificates"
            )
    return found


def same_name(one: str, other: str) -> bool:
    """Whether two distinguished names, written as RFC 4514 does, are equal in every part. False for what is none."""
    try:
        return _name(one) == _name(other)
    except ValueError:
        return False


def same_address(one: str, other: str) -> bool:
    """Whether two IP addresses are the same, however they are written."""
    try:
        return ip_address(one) == ip_address(other)
    except ValueError:
        return False


_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_ENVOY = re.compile(r'(?:^|;)Cert="([^"]*)"', re.IGNORECASE)
_PEM = re.compile(r"\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*")


def _der(text: str) -> bytes:
    if text.startswith(":") and text.endswith(":"):
        return _from_base64(text[1:-1])
    if '="' in text:
        return _from_pem(_envoys(text))
    if "%" in text or "-----" in text:
        return _from_pem(text)
    return _from_base64(text)


def _envoys(text: str) -> str:
    """The certificate in ``x-forwarded-client-cert``, which has an element for each proxy on the way; one is taken."""
    found = _ENVOY.findall(text)
    if len(found) != 1 or "," in re.sub(r'"[^"]*"', "", text):
        raise ValueError("not one certificate")
    return str(found[0])


def _from_pem(text: str) -> bytes:
    found = _PEM.fullmatch(unquote(text))
    if found is None:
        raise ValueError("not one PEM certificate")
    return _from_base64("".join(found[1].split()))


def _from_base64(text: str) -> bytes:
    if not _BASE64.fullmatch(text):
        raise ValueError("not base64")
    return b64decode(text, validate=True)


def _read(der: bytes) -> Certificate:
    one = x509.load_der_x509_certificate(der)
    if one.public_bytes(Encoding.DER) != der:
        raise ValueError("not DER")
    return Certificate(
        der=der,
        thumbprint=base64url.encode_text(sha256(der).digest()),
        key=_key(one),
        subject=one.subject.rfc4514_string(),
        dns=_alternatives(one, x509.DNSName),
        uris=_alternatives(one, x509.UniformResourceIdentifier),
        addresses=_alternatives(one, x509.IPAddress),
        emails=_alternatives(one, x509.RFC822Name),
        not_before=int(one.not_valid_before_utc.timestamp()),
        not_after=int(one.not_valid_after_utc.timestamp()),
    )


def _key(one: x509.Certificate) -> str:
    key = one.public_key()
    if not isinstance(key, RSAPublicKey | ec.EllipticCurvePublicKey | Ed25519PublicKey):
        return ""
    if isinstance(key, ec.EllipticCurvePublicKey) and not isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
        return ""
    return jwk.thumbprint(jwk.public_document(key, "", ""))


def _alternatives(one: x509.Certificate, kind: type[x509.GeneralName]) -> tuple[str, ...]:
    try:
        names = one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names if isinstance(name, kind))


def _name(text: str) -> list[frozenset[tuple[str, str]]]:
    parts: Iterable[x509.RelativeDistinguishedName] = x509.Name.from_rfc4514_string(text, _SPELLINGS).rdns
    return [frozenset((one.oid.dotted_string, str(one.value)) for one in part) for part in parts]


_SPELLINGS = {"emailAddress": NameOID.EMAIL_ADDRESS, "E": NameOID.EMAIL_ADDRESS}
"""What OpenSSL writes where RFC 4514 has no short name."""


def _is_authority(one: x509.Certificate) -> bool:
    try:
        return one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _is_for_clients(one: x509.Certificate) -> bool:
    """No authority itself, and where its uses are listed, proving a TLS client is among them."""
    try:
        uses = one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return not _is_authority(one)
    return ExtendedKeyUsageOID.CLIENT_AUTH in uses and not _is_authority(one)


def _signed(leaf: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
