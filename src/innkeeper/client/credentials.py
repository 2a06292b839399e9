"""Who the client is, and how it proves that to a token endpoint."""

from __future__ import annotations

from base64 import b64encode
from typing import Literal, TypeAlias
from urllib.parse import quote_plus

import msgspec

from innkeeper.client.asking import Flow, chance, now
from innkeeper.client.discovery import Metadata
from innkeeper.client.dpop import Proving
from innkeeper.client.signing_key import SigningKey
from innkeeper.keys.jws import compact, encode_header

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
