"""The throw-away authority of one detour: made when it begins, in a folder of its own, gone when it ends."""

from __future__ import annotations

import os
import re
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

from innkeeper.keys.authority import Authority, new_authority

STORE_PASSWORD = "changeit"
"""Java wants a password for a file of public certificates; this is the one it uses for its own."""

_LEAVES_KEPT = 200


class Trust:
    """Certificates for hosts, and the files that make a program trust them. Made by ``throw_away``."""

    def __init__(self, folder: Path, authority: Authority, now: int) -> None:
        self._folder = folder
        self._authority = authority
        self._now = now
        self._contexts: dict[str, ssl.SSLContext] = {}
        self.authority = self._written("authority.pem", authority.pem)
        everybody = usual_authorities()
        self.bundle = self._written("bundle.pem", everybody + b"\n" + authority.pem)
        self.java = self._written("trust.p12", _java(everybody + b"\n" + authority.pem))

    def context(self, host: str) -> ssl.SSLContext:
        """How to speak as ``host`` to who trusts the authority."""
        if host not in self._contexts:
            if len(self._contexts) >= _LEAVES_KEPT:
                self._contexts.clear()
            self._contexts[host] = self._speaking_as(host)
        return self._contexts[host]

    def _speaking_as(self, host: str) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.set_alpn_protocols(["http/1.1"])
        leaf = self._written("leaf.pem", self._authority.vouch([host], self._now))
        made.load_cert_chain(leaf)
        leaf.unlink()
        return made

    def _written(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        path.touch(0o600)
        path.write_bytes(content)
        return path


@contextmanager
def throw_away(parents: tuple[str, ...], now: int) -> Iterator[Trust]:
    """An authority that can vouch for what lies below ``parents``; its key never leaves this process's memory."""
    with TemporaryDirectory(prefix="innkeeper-") as folder:
        yield Trust(Path(folder), new_authority(now, parents), now)


def usual_authorities() -> bytes:
    """The authorities that programs here trust anyhow, as PEM: those named in the environment, the system's, or Mozilla's."""
    system = ssl.get_default_verify_paths()
    named = (os.environ.get("SSL_CERT_FILE"), os.environ.get("REQUESTS_CA_BUNDLE"), system.cafile, *_SYSTEMS)
    found = next((path for path in named if path and Path(path).is_file()), certifi.where())
    return Path(found).read_bytes()


_SYSTEMS = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


def _java(bundle: bytes) -> bytes:
    """The same authorities in the only form that Java reads: it takes the file instead of its own."""
    named = [PKCS12Certificate(one, f"ca-{number}".encode()) for number, one in enumerate(_readable(bundle))]
    return serialize_java_truststore(named, BestAvailableEncryption(STORE_PASSWORD.encode()))


def _readable(bundle: bytes) -> Iterator[x509.Certificate]:
    """The certificates of a bundle, less those of old authorities that break today's rules."""
    for text in re.findall(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", bundle, re.DOTALL):
        with suppress(ValueError, Warning), warnings.catch_warnings(action="error"):
            yield x509.load_pem_x509_certificate(text)
