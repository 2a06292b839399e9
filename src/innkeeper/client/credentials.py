"""Who the client is, and how it proves that to a token endpoint."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import quote_plus

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from innkeeper.client.asking import Flow, chance, now
from innkeeper.client.discovery import Metadata
from innkeeper.keys.jws import ALGORITHMS, PrivateKey, compact, encode_header
from innkeeper.protocol.refusals import UsageError

if TYPE_CHECKING:
    from innkeeper.client.dpop import Proving

ASSERTION_LIFETIME = 60  # seconds; it is used once, at once
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Form: TypeAlias = list[tuple[str, str]]
Headers: TypeAlias = tuple[tuple[str, str], ...]


class Secret(msgspec.Struct, frozen=True):
    """A shared secret. ``method`` None: basic where the issuer takes it (the default of RFC 8414 §2), else post."""

    value: str
    method: Literal["client_secret_basic", "client_secret_post"] | None = None

    def __repr__(self) -> str:
        return "Secret(…)"


class SigningKey(msgspec.Struct, frozen=True):
    """A private key that signs a fresh assertion for each request (``private_key_jwt``).

    ``alg`` one of ES256, ES384, RS256, PS256, EdDSA; ``kid`` as the issuer knows the key. The assertion's
    audience is the issuer; ``audience`` overrides it for issuers that still want their token endpoint there.
    """

    key: PrivateKey
    alg: str
    kid: str = ""
    audience: str = ""

    def __repr__(self) -> str:
        return f"SigningKey({self.alg}, {self.kid!r})"

    @classmethod
    def from_pem(cls, pem: bytes, *, kid: str = "", alg: str = "", audience: str = "") -> SigningKey:
        """A key from PEM, with the usual algorithm of its kind. Raises ``UsageError``, never quoting the key."""
        try:
            key = load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise UsageError("the signing key is not an unencrypted private key in PEM form") from None
        usual = next((name for name in _USUAL if ALGORITHMS[name].fits(key)), None)
        if usual is None or not isinstance(key, RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey):
            raise UsageError("the signing key must be EC P-256 or P-384, RSA of 2048 bits or more, or Ed25519")
        if alg and not (alg in ALGORITHMS and ALGORITHMS[alg].fits(key)):
            raise UsageError(f"alg {alg!r} does not fit the signing key; {usual} does")
        return cls(key, alg or usual, kid, audience)

    @classmethod
    def from_file(cls, path: Path, *, kid: str = "") -> SigningKey:
        """``from_pem`` of a file. Raises ``UsageError`` where it cannot be read."""
        try:
            return cls.from_pem(path.read_bytes(), kid=kid)
        except OSError as error:
            raise UsageError(f"signing key {path}: {error.strerror}") from None


_USUAL = ("ES256", "ES384", "RS256", "EdDSA")


class Client(msgspec.Struct, frozen=True):
    """A client as the issuer registered it; one without a credential is public.

    ``proving`` is its DPoP key (``Proving``), where its tokens shall be bound to one.
    """

    id: str
    credential: Secret | SigningKey | None = None
    proving: Proving | None = None

    @property
    def public(self) -> bool:
        return self.credential is None


def proof(client: Client, metadata: Metadata) -> Flow[tuple[Headers, Form]]:
    """The headers and form parameters that authenticate ``client`` in one request."""
    match client.credential:
        case None:
            return (), [("client_id", client.id)]
        case SigningKey() as key:
            assertion = yield from _assertion(client.id, key, key.audience or metadata.issuer)
            return (), [("client_assertion_type", _ASSERTION_TYPE), ("client_assertion", assertion)]
        case Secret() as secret if method(secret, metadata) == "client_secret_basic":
            return (("authorization", _basic(client.id, secret.value)),), []
        case Secret(value):
            return (), [("client_id", client.id), ("client_secret", value)]


def method(secret: Secret, metadata: Metadata) -> str:
    """How a secret is shown: as it asks, else post where the issuer takes that and not basic, else basic."""
    taken = metadata.token_endpoint_auth_methods_supported or ("client_secret_basic",)
    post_only = "client_secret_post" in taken and "client_secret_basic" not in taken
    return secret.method or ("client_secret_post" if post_only else "client_secret_basic")


def _basic(client_id: str, secret: str) -> str:
    """Both halves form-encoded first, so that any character may stand in either (RFC 6749 §2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return f"Basic {b64encode(pair.encode('ascii')).decode('ascii')}"


def _assertion(client_id: str, key: SigningKey, audience: str) -> Flow[str]:
    """A signed statement of who asks, good for one minute and one use (RFC 7523 §3)."""
    moment = int((yield from now()))
    claims = {"iss": client_id, "sub": client_id, "aud": audience, "jti": (yield from chance(16))}
    times = {"iat": moment, "exp": moment + ASSERTION_LIFETIME}
    header = {"alg": key.alg, "typ": "JWT"} | ({"kid": key.kid} if key.kid else {})
    return compact(encode_header(header).encode("ascii"), msgspec.json.encode(claims | times), key.key, key.alg)
