"""``innkeeper serve`` over TLS by itself, with a certificate that is taken up anew when its file changes."""

from __future__ import annotations

import datetime
import json
import ssl
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from innkeeper.cli.tls import Pair
from innkeeper.guard.unverified import read_unverified
from innkeeper.keys.certificates import read_forwarded
from innkeeper.protocol.refusals import UsageError
from tests.cli.test_workers import House
from tests.keys.certificates import Issued

NOW, DAY = int(time.time()), 86_400
AUTHORITY = Issued("CN=The authority", authority=True, start=NOW - DAY, end=NOW + DAY)
SHOPS = Issued(by=AUTHORITY, names=[x509.DNSName("shop.example")], start=NOW - DAY, end=NOW + DAY)
OWN = Issued("CN=own", start=NOW - DAY, end=NOW + DAY)

ASKING = """
[server]
tls_certificate = "{pem}"
tls_key = "{key}"
client_certificate_authorities = "authorities.pem"

[[resource]]
uri = "https://api.example"
name = "The API"
[resource.scopes]
"room:enter" = "Enter a room"

[[client]]
id = "shop"
name = "The shop"
grants = ["client_credentials"]
scopes = ["room:enter"]
[client.metadata]
token_endpoint_auth_method = "tls_client_auth"
tls_client_auth_san_dns = "shop.example"
tls_client_certificate_bound_access_tokens = true
"""


def made(folder: Path, name: str, sealed: KeySerializationEncryption | None = None) -> tuple[Path, Path]:
    """A certificate of this computer's, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    pem, secret = folder / f"{name}.pem", folder / f"{name}.key"
    pem.write_bytes(certificate.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed or NoEncryption()))
    return pem, secret


def serial(context: ssl.SSLContext) -> int:
    """The number of the certificate that a server with this context shows."""
    asking, answering = ssl.MemoryBIO(), ssl.MemoryBIO()
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    client = anybody.wrap_bio(answering, asking)
    server = context.wrap_bio(asking, answering, server_side=True)
    for _ in range(3):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    shown = client.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number


def replaced(old: tuple[Path, Path], new: tuple[Path, Path]) -> None:
    for before, after in zip(old, new, strict=True):
        after.replace(before)


def test_a_new_certificate_in_the_files_is_shown_to_the_next_connection(tmp_path: Path) -> None:
    files = made(tmp_path, "inn")
    pair, context = Pair(*files), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    before = serial(context)
    assert not pair.renew(context)
    replaced(files, made(tmp_path, "newer"))
    assert pair.renew(context)
    assert serial(context) not in (before, 0)
    assert not pair.renew(context)


def test_files_that_do_not_belong_together_change_nothing(tmp_path: Path) -> None:
    files = made(tmp_path, "inn")
    pair, context = Pair(*files), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    before = serial(context)
    made(tmp_path, "other")[0].replace(files[0])
    assert not pair.renew(context)
    files[1].unlink()
    assert not pair.renew(context)
    assert serial(context) == before


@pytest.mark.parametrize(
    ("certificate", "key", "why"),
    [
        ("inn.pem", "other.key", "its own key"),
        ("none.pem", "inn.key", "no such file"),
        ("inn.pem", "locked.key", "not a certificate"),
    ],
)
def test_what_no_server_can_speak_with_is_told(tmp_path: Path, certificate: str, key: str, why: str) -> None:
    for name in ("inn", "other"):
        made(tmp_path, name)
    made(tmp_path, "locked", BestAvailableEncryption(b"password"))
    with pytest.raises(UsageError, match=why):
        Pair(tmp_path / certificate, tmp_path / key).judge()


def test_the_house_is_served_over_https_by_two_workers(tmp_path: Path) -> None:
    pem, key = made(tmp_path, "inn")
    opened = House(tmp_path, 2, f'[server]\ntls_certificate = "{pem}"\ntls_key = "{key}"\n')
    trusting = ssl.create_default_context(cafile=str(pem))

    def answer() -> bytes:
        url = f"https://localhost:{opened.port}/.well-known/openid-configuration"
        try:
            with urllib.request.urlopen(url, timeout=10, context=trusting) as reply:
                body: bytes = reply.read()
                return body
        except OSError as error:
            if "refused" not in str(error):
                raise
            return b""

    try:
        opened.until(answer, "the house did not open")
        assert f'"issuer":"https://127.0.0.1:{opened.port}"'.encode() in answer()
    finally:
        opened.process.terminate()
        assert opened.ended() == 0


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[House]:
    """A house that asks callers for certificates of an authority's, and knows a client by the name in one."""
    pem, key = made(tmp_path, "inn")
    (tmp_path / "authorities.pem").write_text(AUTHORITY.pem, "ascii")
    (tmp_path / "shops.pem").write_text(SHOPS.pem + SHOPS.secret, "ascii")
    (tmp_path / "own.pem").write_text(OWN.pem + OWN.secret, "ascii")
    opened = House(tmp_path, 1, ASKING.format(pem=pem, key=key))
    try:
        opened.until(lambda: asked(opened, tmp_path, "", "/jwks")[0] == 200, "the house did not open")
        yield opened
    finally:
        opened.process.terminate()
        assert opened.ended() == 0


def asked(opened: House, folder: Path, certificate: str, path: str, form: str = "", **headers: str) -> tuple[int, str]:
    """Status and body of an answer to a caller with that certificate; (0, "") while nobody answers."""
    trusting = ssl.create_default_context(cafile=str(folder / "inn.pem"))
    if certificate:
        trusting.load_cert_chain(folder / certificate)
    called = HTTPSConnection("localhost", opened.port, timeout=10, context=trusting)
    try:
        kind = {"content-type": "application/x-www-form-urlencoded"} if form else {}
        called.request("POST" if form else "GET", path, form or None, kind | headers)
        answer = called.getresponse()
        return answer.status, answer.read().decode()
    except ConnectionRefusedError:
        return 0, ""
    finally:
        called.close()


def test_a_caller_proves_itself_with_a_certificate_without_any_proxy(asking: House, tmp_path: Path) -> None:
    form = "grant_type=client_credentials&client_id=shop&scope=room:enter"
    for manner in ({}, {"expect": "100-continue"}):  # the short way, and the one through ASGI
        status, body = asked(asking, tmp_path, "shops.pem", "/token", form, **manner)
        assert status == 200, body
        claims = read_unverified(json.loads(body)["access_token"]).claims
        assert claims["cnf"] == {"x5t#S256": read_forwarded(SHOPS.rfc9440).thumbprint}


def test_nobody_shows_a_certificate_in_a_header_instead(asking: House, tmp_path: Path) -> None:
    form = "grant_type=client_credentials&client_id=shop&scope=room:enter"
    status, body = asked(asking, tmp_path, "", "/token", form, **{"client-cert": SHOPS.rfc9440})
    assert (status, json.loads(body)["error"]) == (401, "invalid_client")


def test_a_certificate_of_nobody_we_know_makes_no_connection(asking: House, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"(?i)unknown.ca|alert|reset|closed|EOF"):
        asked(asking, tmp_path, "own.pem", "/jwks")


SPAN = {"start": NOW - DAY, "end": NOW + DAY}
NAMED = [x509.DNSName("shop.example")]
UNFIT = {
    "over": Issued(by=AUTHORITY, names=NAMED, start=NOW - 3 * DAY, end=NOW - DAY),
    "not begun": Issued(by=AUTHORITY, names=NAMED, start=NOW + DAY, end=NOW + 2 * DAY),
    "for servers": Issued(by=AUTHORITY, names=NAMED, uses=(ExtendedKeyUsageOID.SERVER_AUTH,), **SPAN),
    "by a namesake": Issued(by=Issued("CN=The authority", authority=True, **SPAN), names=NAMED, **SPAN),
}


def test_a_certificate_that_is_unfit_makes_no_connection_and_anothers_proves_nothing(
    asking: House, tmp_path: Path
) -> None:
    form = "grant_type=client_credentials&client_id=shop&scope=room:enter"
    for name, unfit in UNFIT.items():
        (tmp_path / "unfit.pem").write_text(unfit.pem + unfit.secret, "ascii")
        with pytest.raises(OSError, match=r"(?i)alert|reset|closed|EOF"):
            pytest.fail(f"{name}: {asked(asking, tmp_path, 'unfit.pem', '/token', form)}")
    other = Issued("CN=other", by=AUTHORITY, names=[x509.DNSName("other.example")], **SPAN)
    (tmp_path / "other.pem").write_text(other.pem + other.secret, "ascii")
    status, body = asked(asking, tmp_path, "other.pem", "/token", form)
    assert (status, json.loads(body)["error"]) == (401, "invalid_client")


def test_discovery_says_which_way_of_proving_is_open(asking: House, tmp_path: Path) -> None:
    document = json.loads(asked(asking, tmp_path, "", "/.well-known/openid-configuration")[1])
    assert document["tls_client_certificate_bound_access_tokens"] is True
    methods = document["token_endpoint_auth_methods_supported"]
    assert "tls_client_auth" in methods
    assert "self_signed_tls_client_auth" not in methods, "TLS itself turns such a certificate away"


def test_a_key_without_its_certificate_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    opened = House(tmp_path, 1, '[server]\ntls_key = "inn.key"\n')
    assert opened.ended() == 2
    assert "needs tls_certificate" in opened.log.read_text("utf-8")
