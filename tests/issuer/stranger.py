"""A stranger's https server inside a test, with a certificate authority of its own; and names that lead where we say."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from innkeeper.issuer.desk.outside import Outside
from innkeeper.issuer.settings import Settings
from tests.issuer.house import SETTINGS, House

HOST = "client.example"
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
LONG = datetime.timedelta(days=3650)


class Authority:
    """Cuts certificates for names; ``trust`` is a client's context that believes it and nobody else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "the authority of these tests")])
        builder = _builder(self._name, self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.certificate = builder.sign(self._key, hashes.SHA256())
        self.trust = ssl.create_default_context(
            cadata=self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        )

    def server(self, name: str) -> ssl.SSLContext:
        """A server's context that shows a certificate for ``name``."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        certificate = (
            _builder(subject, self._name, key.public_key())
            .add_extension(names, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self._folder / f"{name}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - LONG)
        .not_valid_after(NOW + LONG)
    )


class Resolver:
    """Answers each question with the next of its lists, the last one for ever; ``asked`` are the names."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


class Stranger:
    """A server that answers by path with what a test wrote down. ``requests`` are what it got, as bytes."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.requests: list[bytes] = []
        self.stalled = asyncio.Event()
        self.port = 0

    @property
    def authority(self) -> str:
        return f"{HOST}:{self.port}"

    def url(self, path: str) -> str:
        return f"https://{self.authority}{path}"

    def says(self, path: str, body: bytes, status: str = "200 OK", **headers: str) -> None:
        """Answer ``path`` with this. Headers are given with ``_`` for ``-``."""
        sent: Mapping[str, str] = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in sent.items())]
        self.answers[path] = "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(one[15:]) for one in head.lower().split(b"\r\n") if one[:15] == b"content-length:"), 0)
            body = await reader.readexactly(length)
            self.requests.append(head + body)
            path = head.split(b" ")[1].decode().partition("?")[0]
            writer.write(self.answers.get(path, b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"))
            await writer.drain()
            if path.startswith("/stall"):
                await self.stalled.wait()
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # whoever asked has hung up
        finally:
            writer.close()


@asynccontextmanager
async def stranger(
    authority: Authority, name: str = HOST, listening: socket.socket | None = None
) -> AsyncIterator[Stranger]:
    """A stranger's server on a free port of 127.0.0.1, or where ``listening`` is; its certificate is for ``name``."""
    made, listening = Stranger(), listening or socket.create_server(("127.0.0.1", 0))
    server = await asyncio.start_server(made.serve, sock=listening, ssl=authority.server(name))
    made.port = listening.getsockname()[1]
    async with server:
        yield made
        made.stalled.set()


@contextmanager
def house_and_stranger(folder: Path, settings: Settings = SETTINGS, **how: Any) -> Iterator[tuple[House, Stranger]]:
    """An issuer that may visit the stranger's server, which lives in the issuer's event loop: it answers while asked."""
    authority, listening = Authority(folder), socket.create_server(("127.0.0.1", 0))
    place = f"{HOST}:{listening.getsockname()[1]}"
    outside = Outside(frozenset({place}), authority.trust, Resolver(["127.0.0.1"]))
    house, stack = House(folder / "state", settings, outside=outside, **how), AsyncExitStack()
    try:
        yield house, house.run(stack.enter_async_context(stranger(authority, listening=listening)))
    finally:
        house.run(stack.aclose())
        house.close()
