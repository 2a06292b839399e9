"""A certificate authority of this computer's own, for TLS on loopback."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from innkeeper.keys.seal import Seal
from innkeeper.protocol.refusals import UsageError

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
"""What a certificate for this computer is made for: every name by which clients call it."""

_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_AUTHORITY_DAYS = 3650
_LEAF_DAYS = 397
_RENEW_DAYS = 30
_PURPOSE = "key of the local certificate authority"


class Authority:
    """Vouches for names by certificates. Made by ``new_authority``, or by ``open_authority`` where it is kept."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._certificate = certificate
        self._key = key

    @property
    def pem(self) -> bytes:
        """The certificate that clients are told to trust."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def expires_at(self) -> int:
        return int(self._certificate.not_valid_after_utc.timestamp())

    def sealed_key(self, seal: Seal) -> bytes:
        return seal.close(_plain(self._key), _PURPOSE)

    def vouch(self, names: Sequence[str], now: int) -> bytes:
        """A new key and a certificate for host names and addresses, as one PEM text: key, certificate, authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(_named(names[0]), self._certificate.subject, key, now, _LEAF_DAYS)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        certificate = builder.sign(self._key, hashes.SHA256())
        return _plain(key) + certificate.public_bytes(serialization.Encoding.PEM) + self.pem


def new_authority(now: int, hosts: Sequence[str] = ("localhost",)) -> Authority:
    """An authority that can vouch for ``hosts``, what lies below them, and loopback addresses, and for nobody else (name
    constraints, RFC 5280 §4.2.1.10): who trusts it and loses its key has not given away the rest of the web."""
    key = ec.generate_private_key(ec.SECP256R1())
    permitted = [*(x509.DNSName(host) for host in hosts), *(x509.IPAddress(network) for network in _LOOPBACK)]
    name = _named("innkeeper on this computer")
    builder = (
        _builder(name, name, key, now, _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    return Authority(builder.sign(key, hashes.SHA256()), key)


def open_authority(folder: Path, seal: Seal, now: int) -> Authority:
    """The authority kept in a folder as ``ca.pem`` and ``ca.key`` (sealed), made where it is missing or has expired.

    Raises ``UsageError`` where the two cannot be read or written, or do not belong together.
    """
    public, private = folder / "ca.pem", folder / "ca.key"
    kept = _kept(public, private, seal)
    if kept is not None and kept.expires_at > now:
        return kept
    made = new_authority(now)
    _write(private, made.sealed_key(seal))
    _write(public, made.pem, mode=0o644)
    return made


def local_certificate(folder: Path, seal: Seal, now: int) -> Path:
    """A PEM file with key and certificate for this computer's own names, made anew before it expires."""
    authority, path = open_authority(folder, seal, now), folder / "tls.pem"
    if not _still_good(path, authority, now):
        _write(path, authority.vouch(LOCAL_NAMES, now))
    return path


def _kept(public: Path, private: Path, seal: Seal) -> Authority | None:
    try:
        certificate = x509.load_pem_x509_certificate(public.read_bytes())
        key = serialization.load_pem_private_key(seal.open(private.read_bytes(), _PURPOSE), None)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {public} and its key: {error}. Remove both, and they are made anew.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise UsageError(f"{private} is not the key of {public}. Remove both, and they are made anew.")
    return Authority(certificate, key)


def _still_good(path: Path, authority: Authority, now: int) -> bool:
    """Whether the kept certificate is of this authority and lasts a while yet."""
    try:
        text = path.read_bytes()
        certificate = x509.load_pem_x509_certificate(text)
    except (OSError, ValueError):
        return False
    return text.endswith(authority.pem) and certificate.not_valid_after_utc.timestamp() > now + _RENEW_DAYS * 86400


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: int, days: int
) -> x509.CertificateBuilder:
    start = datetime.fromtimestamp(now, UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - timedelta(hours=1))
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _named(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "innkeeper"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _plain(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file whole: whoever reads it sees the old one or the new one."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UsageError(f"cannot write {path}: {error.strerror}. Choose another STATE.") from None
