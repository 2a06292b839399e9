"""``innkeeper serve`` over TLS by itself, with a certificate that is taken up anew when its file changes."""

from __future__ import annotations

import datetime
import ssl
import urllib.request
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
from cryptography.x509.oid import NameOID

from innkeeper.cli.tls import Pair
from innkeeper.protocol.refusals import UsageError
from tests.cli.test_workers import House


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


def test_a_key_without_its_certificate_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    opened = House(tmp_path, 1, '[server]\ntls_key = "inn.key"\n')
    assert opened.ended() == 2
    assert "needs tls_certificate" in opened.log.read_text("utf-8")
