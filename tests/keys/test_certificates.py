"""A client's certificate as proxies forward it: read in every spelling, and never where there are two of them."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.keys import certificates, jwk
from innkeeper.keys.certificates import NotACertificate, read_forwarded, same_address, same_name, vouched_for
from innkeeper.protocol import base64url
from innkeeper.protocol.refusals import UsageError
from tests.keys.certificates import ALL_NAMES, AUTHORITY, DAY, NOW, Issued

SHOP = Issued(by=AUTHORITY, names=ALL_NAMES)


@pytest.mark.parametrize("spelling", ["rfc9440", "nginx", "envoy", "base64", "pem"])
def test_every_proxys_spelling_is_read(spelling: str) -> None:
    found = read_forwarded(getattr(SHOP, spelling))
    der = SHOP.certificate.public_bytes(Encoding.DER)
    assert found.thumbprint == base64url.encode_text(sha256(der).digest())
    assert found.key == jwk.thumbprint(SHOP.jwk)
    assert same_name(found.subject, "CN=shop.example,O=The shop")
    assert (found.not_before, found.not_after) == (NOW - DAY, NOW + DAY)


def test_all_alternative_names_are_read() -> None:
    found = read_forwarded(SHOP.rfc9440)
    assert found.dns == ("shop.example",)
    assert found.uris == ("spiffe://inn/shop",)
    assert found.addresses == ("192.0.2.7", "2001:db8::7")
    assert found.emails == ("shop@shop.example",)


OTHER = Issued("CN=other.example")


@pytest.mark.parametrize(
    "forwarded",
    [
        f"{OTHER.rfc9440}, {SHOP.rfc9440}",
        f"{OTHER.nginx}, {SHOP.nginx}",
        f"{OTHER.nginx}{SHOP.nginx}",
        f"{OTHER.pem}{SHOP.pem}",
        f"{OTHER.envoy},{SHOP.envoy}",
        f'Cert="{OTHER.nginx}";Cert="{SHOP.nginx}"',
        f"{OTHER.envoy}, By=spiffe://inn;Hash=00",
        f"{OTHER.base64},{SHOP.base64}",
        f"{OTHER.base64}{SHOP.base64}",
        f":{b64encode(SHOP.certificate.public_bytes(Encoding.DER) + b'more').decode()}:",
    ],
)
def test_two_certificates_in_one_header_are_none(forwarded: str) -> None:
    with pytest.raises(NotACertificate):
        read_forwarded(forwarded)


@given(st.text(max_size=200))
def test_anything_else_is_no_certificate_and_no_crash(text: str) -> None:
    with pytest.raises(NotACertificate):
        read_forwarded(text)


def test_a_monstrous_header_is_not_even_decoded() -> None:
    with pytest.raises(NotACertificate, match="characters"):
        read_forwarded("A" * (certificates.LIMIT + 1))


def test_an_authority_vouches_for_what_it_signed_and_nothing_else() -> None:
    impostor = Issued("CN=The authority", authority=True)
    assert vouched_for(read_forwarded(SHOP.rfc9440), AUTHORITY.pem)
    assert vouched_for(read_forwarded(SHOP.rfc9440), impostor.pem + AUTHORITY.pem)
    assert not vouched_for(read_forwarded(SHOP.rfc9440), impostor.pem)
    assert not vouched_for(read_forwarded(Issued(by=impostor).rfc9440), AUTHORITY.pem)
    assert not vouched_for(read_forwarded(SHOP.rfc9440), "")


def test_a_certificate_for_servers_or_for_signing_others_speaks_for_no_client() -> None:
    server = Issued(by=AUTHORITY, uses=[ExtendedKeyUsageOID.SERVER_AUTH])
    below = Issued("CN=Below", by=AUTHORITY, authority=True)
    assert not vouched_for(read_forwarded(server.rfc9440), AUTHORITY.pem)
    assert not vouched_for(read_forwarded(below.rfc9440), AUTHORITY.pem)
    assert vouched_for(read_forwarded(Issued(by=AUTHORITY, uses=()).rfc9440), AUTHORITY.pem)


def test_a_file_of_authorities_with_an_ordinary_certificate_is_refused() -> None:
    with pytest.raises(UsageError, match="no certificate authority"):
        certificates.read_authorities(SHOP.pem)
    with pytest.raises(UsageError, match="PEM"):
        certificates.read_authorities("hello")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("CN=a,O=b", "CN=a, O=b", False),
        ("CN=a,O=b", "cn=a,o=b", False),
        ("CN=a,O=b", "O=b,CN=a", False),
        ("CN=a+O=b", "O=b+CN=a", True),
        ("CN=a\\,b", "CN=a\\2Cb", True),
        ("CN=a,1.2.840.113549.1.9.1=x@y.example", "CN=a,emailAddress=x@y.example", True),
        ("CN=a", "CN=a,O=b", False),
        ("CN=a", "nonsense", False),
        ("", "CN=a", False),
    ],
)
def test_names_are_compared_part_by_part(one: str, other: str, *, same: bool) -> None:
    assert same_name(one, other) is same


def test_addresses_are_compared_as_numbers() -> None:
    assert same_address("2001:db8:0::7", "2001:DB8::7")
    assert not same_address("192.0.2.7", "192.0.2.70")
    assert not same_address("192.0.2.7", "example")
