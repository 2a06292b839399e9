"""The authority of this computer: kept with its key sealed, made anew when it must be, trusted for loopback alone."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509

from innkeeper.keys.authority import LOCAL_NAMES, local_certificate, new_authority, open_authority
from innkeeper.keys.seal import Seal
from innkeeper.protocol.refusals import UsageError

NOW = 1_790_000_000
DAY = 86_400
SEAL = Seal(b"k" * 32)


def handshake(authority: bytes, chain: Path, name: str) -> None:
    """A TLS handshake over a pair of sockets. Raises ``ssl.SSLError`` where the client does not trust the server."""
    client_end, server_end = socket.socketpair()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain)
    client = ssl.create_default_context(cadata=authority.decode("ascii"))

    def serve() -> None:
        try:
            server.wrap_socket(server_end, server_side=True).close()
        except (ssl.SSLError, OSError):
            server_end.close()

    serving = threading.Thread(target=serve)
    serving.start()
    try:
        client.wrap_socket(client_end, server_hostname=name).close()
    finally:
        client_end.close()
        serving.join()


def written(folder: Path, pem: bytes) -> Path:
    path = folder / "chain.pem"
    path.write_bytes(pem)
    return path


@pytest.mark.parametrize("name", LOCAL_NAMES)
def test_who_trusts_the_authority_is_served_under_every_name_of_this_computer(tmp_path: Path, name: str) -> None:
    authority = new_authority(NOW)
    handshake(authority.pem, written(tmp_path, authority.vouch(LOCAL_NAMES, NOW)), name)


@pytest.mark.parametrize("name", ["login.microsoftonline.com", "8.8.8.8"])
def test_the_authority_cannot_vouch_for_anybody_elses_name(tmp_path: Path, name: str) -> None:
    authority = new_authority(NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        handshake(authority.pem, written(tmp_path, authority.vouch([name], NOW)), name)


def test_another_authoritys_certificate_is_not_trusted(tmp_path: Path) -> None:
    chain = written(tmp_path, new_authority(NOW).vouch(LOCAL_NAMES, NOW))
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(new_authority(NOW).pem, chain, "localhost")


def test_authority_and_certificate_stay_the_same_from_start_to_start(tmp_path: Path) -> None:
    first = local_certificate(tmp_path, SEAL, NOW).read_bytes()
    assert local_certificate(tmp_path, SEAL, NOW + DAY).read_bytes() == first


def test_the_certificate_is_made_anew_before_it_ends_and_the_authority_stays(tmp_path: Path) -> None:
    first = local_certificate(tmp_path, SEAL, NOW).read_bytes()
    trusted = (tmp_path / "ca.pem").read_bytes()
    assert local_certificate(tmp_path, SEAL, NOW + 380 * DAY).read_bytes() != first
    assert (tmp_path / "ca.pem").read_bytes() == trusted


def test_an_authority_that_has_ended_is_made_anew(tmp_path: Path) -> None:
    first = open_authority(tmp_path, SEAL, NOW)
    assert open_authority(tmp_path, SEAL, NOW + 3651 * DAY).pem != first.pem


def test_private_keys_are_for_their_owner_alone_and_the_authoritys_is_sealed(tmp_path: Path) -> None:
    path = local_certificate(tmp_path, SEAL, NOW)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("tls.pem", "ca.key", "ca.pem")] == [
        0o600,
        0o600,
        0o644,
    ]
    assert path.name == "tls.pem"
    assert b"PRIVATE KEY" not in (tmp_path / "ca.key").read_bytes()


def test_a_certificate_says_what_clients_ask_for(tmp_path: Path) -> None:
    certificate = x509.load_pem_x509_certificate(local_certificate(tmp_path, SEAL, NOW).read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == list(LOCAL_NAMES)
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days <= 398


@pytest.mark.parametrize("spoilt", ["ca.pem", "ca.key"])
def test_a_spoilt_file_is_named_with_what_to_do(tmp_path: Path, spoilt: str) -> None:
    open_authority(tmp_path, SEAL, NOW)
    (tmp_path / spoilt).write_bytes(b"spoilt")
    with pytest.raises(UsageError, match=r"Remove both|master key"):
        open_authority(tmp_path, SEAL, NOW)


def test_a_key_of_another_authority_is_noticed(tmp_path: Path) -> None:
    open_authority(tmp_path, SEAL, NOW)
    (tmp_path / "ca.pem").write_bytes(new_authority(NOW).pem)
    with pytest.raises(UsageError, match="is not the key of"):
        open_authority(tmp_path, SEAL, NOW)
