"""Certificates for tests: an authority, clients that it vouches for, clients that vouch for themselves."""

from __future__ import annotations

import datetime as dt
from base64 import b64encode
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from innkeeper.keys import jwk

NOW = 1_800_000_000
DAY = 86_400

Key = ec.EllipticCurvePrivateKey


class Issued:
    """A certificate with its private key. Without ``by`` it vouches for itself."""

    def __init__(
        self,
        subject: str = "CN=shop.example,O=The shop",
        by: Issued | None = None,
        *,
        key: Key | None = None,
        authority: bool = False,
        uses: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.CLIENT_AUTH,),
        names: Sequence[x509.GeneralName] = (),
        start: int = NOW - DAY,
        end: int = NOW + DAY,
    ) -> None:
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        name = x509.Name.from_rfc4514_string(subject)
        building = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(by.certificate.subject if by else name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_time(start))
            .not_valid_after(_time(end))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if uses and not authority:
            building = building.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        if names:
            building = building.add_extension(x509.SubjectAlternativeName(names), critical=False)
        self.certificate = building.sign(by.key if by else self.key, SHA256())

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def secret(self) -> str:
        """The private key, in PEM."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    @property
    def base64(self) -> str:
        return b64encode(self.certificate.public_bytes(Encoding.DER)).decode()

    @property
    def rfc9440(self) -> str:
        return f":{self.base64}:"

    @property
    def nginx(self) -> str:
        return quote(self.pem, safe="")

    @property
    def envoy(self) -> str:
        return f'By=spiffe://inn;Hash=00;Cert="{quote(self.pem, safe="")}";Subject="CN=shop.example,O=The shop"'

    @property
    def jwk(self) -> dict[str, str]:
        return jwk.public_document(self.key.public_key(), "tls", "ES256")


def _time(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


AUTHORITY = Issued("CN=The authority", authority=True)
ALL_NAMES = (
    x509.DNSName("shop.example"),
    x509.UniformResourceIdentifier("spiffe://inn/shop"),
    x509.IPAddress(ip_address("192.0.2.7")),
    x509.IPAddress(ip_address("2001:db8::7")),
    x509.RFC822Name("shop@shop.example"),
)
