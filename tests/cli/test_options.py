"""Where the client's proof comes from."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from innkeeper.cli import options
from innkeeper.client import Client, Secret, SigningKey


class Terminal(io.StringIO):
    """A standard input that a person sits at."""

    def isatty(self) -> bool:
        return True


def test_without_any_proof_a_client_is_public() -> None:
    assert options.client("x", None, None, None, "") == Client("x")


def test_a_secret_from_a_pipe_is_one_line_without_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("p a s s \r\nnext"))
    assert options.client("x", "-", "post", None, "").credential == Secret("p a s s ", "client_secret_post")


def test_a_secret_at_a_terminal_is_asked_for_without_echo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("never read\n"))
    monkeypatch.setattr(options, "getpass", lambda prompt: f"typed at {prompt}")
    assert options.client("x", "-", None, None, "").credential == Secret("typed at Client secret: ")


def test_a_signing_key_comes_from_its_file(tmp_path: Path) -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    credential = options.client("x", None, None, tmp_path / "key.pem", "k1").credential
    assert isinstance(credential, SigningKey)
    assert (credential.alg, credential.kid) == ("ES256", "k1")
