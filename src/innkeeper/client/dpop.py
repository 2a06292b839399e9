"""Proofs of possession as a client makes them: a key, the nonces servers gave, and one retry where one is demanded.

What a proof must say, and how it is judged, stands in ``tokens.dpop``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from innkeeper.client.asking import Ask, Flow, ask, chance, now
from innkeeper.client.signing_key import SigningKey
from innkeeper.keys import jwk
from innkeeper.keys.jws import compact, encode_header
from innkeeper.protocol.challenges import parse
from innkeeper.protocol.errors import USE_DPOP_NONCE
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.parameters import Malformed
from innkeeper.protocol.refusals import UsageError
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.tokens.dpop import TYPE, token_hash

_DEFAULT_PORTS = {"https": 443, "http": 80}


class Proving:
    """A client's proof key, and the last nonce of each origin. Share one among all that use tokens bound to the key.

    ``key`` is a ``SigningKey``; ``Proving.new()`` makes one for as long as the program runs, ``from_file`` one that lasts.
    """

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        public = jwk.public_document(key.key.public_key(), "", key.alg)
        shown = {name: value for name, value in public.items() if name in {"kty", "crv", "x", "y", "n", "e"}}
        self.thumbprint = jwk.thumbprint(shown)
        self._header = encode_header({"typ": TYPE, "alg": key.alg, "jwk": shown}).encode("ascii")
        self._nonces: dict[str, str] = {}

    @classmethod
    def new(cls) -> Proving:
        """With a key of its own, ES256."""
        return cls(SigningKey(ec.generate_private_key(ec.SECP256R1()), "ES256"))

    @classmethod
    def from_file(cls, path: Path) -> Proving:
        """With the key in a PEM file that only its owner may read, made where missing. Raises ``UsageError``."""
        if not path.exists():
            _write(path, ec.generate_private_key(ec.SECP256R1()))
        return cls(SigningKey.from_file(path))

    def proof(self, method: str, url: str, moment: float, jti: str, access_token: str = "") -> str:
        """A proof for one request (RFC 9449 §4.2), with the origin's nonce where there is one."""
        claims: dict[str, object] = {"jti": jti, "htm": method, "htu": _bare(url), "iat": int(moment)}
        if access_token:
            claims["ath"] = token_hash(access_token)
        if nonce := self._nonces.get(origin(url)):
            claims["nonce"] = nonce
        return compact(self._header, msgspec.json.encode(claims), self._key.key, self._key.alg)

    def heard(self, url: str, header: Callable[[str], str | None]) -> None:
        """Note the nonce in an answer: the newest counts, each origin for itself (§8.2)."""
        if nonce := header("dpop-nonce"):
            self._nonces[origin(url)] = nonce

    def __repr__(self) -> str:
        return f"<Proving {self.thumbprint}>"


def proven(make: Callable[[], Flow[Ask]], proving: Proving | None) -> Flow[Reply]:
    """Make a request to an issuer with a proof; once more, made anew, where the issuer demands a nonce first (§8).

    Anew, because what authenticates the client in it may be good for one use alone.
    """
    if proving is None:
        return (yield from ask((yield from make())))
    reply = yield from _with_proof((yield from make()), proving)
    if reply.status in {400, 401} and _nonce_is_demanded(reply):
        reply = yield from _with_proof((yield from make()), proving)
    return reply


def wants_nonce(status: int, header: Callable[[str], str | None]) -> bool:
    """Whether a resource's answer demands a nonce (§9)."""
    if status != 401 or not header("dpop-nonce"):
        return False
    try:
        found = parse(header("www-authenticate") or "")
    except Malformed:
        return False
    return any(one.scheme.lower() == "dpop" and one.get("error") == USE_DPOP_NONCE for one in found)


def origin(url: str) -> str:
    """Scheme, host and port of a URL; the usual port is left out."""
    parts = urlsplit(url)
    port = "" if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"


def _with_proof(request: Ask, proving: Proving) -> Flow[Reply]:
    made = proving.proof(request.method, request.url, (yield from now()), (yield from chance(16)))
    reply = yield from ask(msgspec.structs.replace(request, headers=(*request.headers, ("dpop", made))))
    proving.heard(request.url, reply.header)
    return reply


def _nonce_is_demanded(reply: Reply) -> bool:
    if not reply.header("dpop-nonce"):
        return False
    try:
        return read_object(reply.body).get("error") == USE_DPOP_NONCE
    except NotStrict:
        return False


def _bare(url: str) -> str:
    """The address without query and fragment, as ``htu`` has it."""
    return url.partition("#")[0].partition("?")[0]


def _write(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
        if path.exists():
            beside.unlink()
        else:
            beside.replace(path)
    except OSError as error:
        raise UsageError(f"the proof key cannot be kept in {path}: {error.strerror}") from None
