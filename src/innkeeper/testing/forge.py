"""Any token one can think of: good ones by the issuer's own key, and every kind of bad one."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from innkeeper.keys import jwk, jws
from innkeeper.protocol import base64url
from innkeeper.testing.clock import Clock
from innkeeper.testing.clouds import POOL, TENANT

LIFETIME = 600
Sign = Callable[[str, str, Mapping[str, Any]], str]
"""Cuts a token with the issuer's own key: algorithm, type, claims."""

Published = Callable[[], Sequence[Mapping[str, Any]]]
"""The issuer's published keys."""


class Forge:
    """``forge()`` is a good access token; arguments change it, the methods spoil it. A claim set to ``...`` is left out.

    ``audience`` is the API that tokens are for unless told otherwise. All times come from ``clock``.
    """

    def __init__(self, url: str, audience: str, clock: Clock, sign: Sign, published: Published) -> None:
        self.url, self.audience = url, audience
        self._clock, self._sign, self._published = clock, sign, published

    def __call__(
        self,
        sub: str = "guest-204",
        *,
        aud: str | Iterable[str] | None = None,
        scope: str | Iterable[str] = "",
        client_id: str = "guest-app",
        lifetime: int = LIFETIME,
        alg: str = "ES256",
        typ: str = "at+jwt",
        **claims: Any,
    ) -> str:
        """A token signed by the issuer. ``alg`` is ES256 or RS256, ``typ`` the header's type; more claims as they come."""
        return self._sign(alg, typ, self.claims(sub, aud, scope, client_id, lifetime, claims))

    def claims(
        self,
        sub: str = "guest-204",
        aud: str | Iterable[str] | None = None,
        scope: str | Iterable[str] = "",
        client_id: str = "guest-app",
        lifetime: int = LIFETIME,
        changes: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The claims of an access token (RFC 9068), with changes."""
        now = self._clock.whole()
        said = {
            "iss": self.url,
            "exp": now + lifetime,
            "aud": _plain(self.audience if aud is None else aud),
            "sub": sub,
            "client_id": client_id,
            "iat": now,
            "jti": uuid.uuid4().hex,
            "scope": scope if isinstance(scope, str) else " ".join(scope),
        }
        if not said["scope"]:
            del said["scope"]
        return _without(said | dict(changes or {}))

    def wrong_audience(self, **changes: Any) -> str:
        """Good, but for another API."""
        return self(aud="https://another-api.example", **changes)

    def wrong_issuer(self, **changes: Any) -> str:
        """Signed by this issuer's key, naming another issuer."""
        return self(iss="https://another-issuer.example", **changes)

    def expired(self, ago: int = 3600, **changes: Any) -> str:
        """Ended ``ago`` seconds ago."""
        now = self._clock.whole()
        return self(iat=now - ago - LIFETIME, exp=now - ago, **changes)

    def not_yet(self, ahead: int = 3600, **changes: Any) -> str:
        """Valid only from ``ahead`` seconds from now."""
        now = self._clock.whole()
        return self(nbf=now + ahead, exp=now + ahead + LIFETIME, **changes)

    def id_token(self, client_id: str = "guest-app", **changes: Any) -> str:
        """An ID token: good, and no access token."""
        said = {"scope": ..., "client_id": ..., "nonce": "n", "auth_time": self._clock.whole()}
        claims = self.claims(aud=client_id, changes=said | changes)
        return self._sign("RS256", "JWT", claims)

    def other_key(self, **changes: Any) -> str:
        """Signed by a key that nobody publishes, under the name of one that is."""
        return self.signed_by(self._stranger, "ES256", self._header(), **changes)

    def unknown_kid(self, **changes: Any) -> str:
        """Signed by a key that nobody publishes, under a name nobody knows."""
        return self.signed_by(self._stranger, "ES256", self._header() | {"kid": "nobody-knows-this"}, **changes)

    def embedded_key(self, **changes: Any) -> str:
        """Brings the key that verifies it along, in its own header."""
        own = jwk.public_document(self._stranger.public_key(), "mine", "ES256")
        return self.signed_by(
            self._stranger, "ES256", {"alg": "ES256", "typ": "at+jwt", "kid": "mine", "jwk": own}, **changes
        )

    def tampered(self, **changes: Any) -> str:
        """Signed well, then changed."""
        header, claims, signature = self(**changes).split(".")
        said = msgspec.json.decode(base64url.decode(claims)) | {"sub": "somebody-else"}
        return f"{header}.{base64url.encode_text(msgspec.json.encode(said))}.{signature}"

    def unsigned(self, alg: str = "none", **changes: Any) -> str:
        """With the algorithm none, and no signature."""
        return f"{self._parts({'alg': alg, 'typ': 'at+jwt'}, changes)}."

    def public_key_as_secret(self, **changes: Any) -> str:
        """Signed with HS256, the issuer's public key as the secret: what an API falls for that lets tokens choose."""
        document = next(one for one in self._published() if one.get("alg") == "RS256")
        public = jwk.read_public(document).key
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        signing = self._parts({"alg": "HS256", "typ": "at+jwt", "kid": document["kid"]}, changes)
        mac = hmac.new(pem, signing.encode(), hashlib.sha256).digest()
        return f"{signing}.{base64url.encode_text(mac)}"

    def signed_by(self, key: jws.PrivateKey, alg: str, header: Mapping[str, Any], **changes: Any) -> str:
        """A token with a header and a key of your own."""
        claims = self.claims(changes=changes)
        return jws.compact(jws.encode_header(header).encode(), msgspec.json.encode(claims), key, alg)

    # -- in the clouds' shapes ------------------------------------------------------------------------------------

    @property
    def cognito_issuer(self) -> str:
        """The issuer of ``cognito`` tokens; its documents are served below this one's address."""
        return f"{self.url}/{POOL}"

    def entra_issuer(self, version: Literal[1, 2] = 2) -> str:
        """The issuer of ``entra`` tokens; its documents are served below this one's address."""
        return f"{self.url}/{TENANT}/v2.0" if version == 2 else f"{self.url}/{TENANT}/"

    def cognito(self, client_id: str = "1example23456789012345678a", scope: str = "api/read", **claims: Any) -> str:
        """A machine's access token as a user pool cuts it: no aud, no typ. For a person give ``username`` and ``sub``."""
        said = {
            "sub": client_id,
            "token_use": "access",
            "scope": scope,
            "auth_time": self._clock.whole(),
            "iss": self.cognito_issuer,
            "version": 2,
            "client_id": client_id,
        }
        return self._cloud(said | claims, self._pool_key, {"kid": KID_POOL, "alg": "RS256"}, backdated=0)

    def cognito_id_token(self, client_id: str = "1example23456789012345678a", **claims: Any) -> str:
        """An ID token as a user pool cuts it: aud is the app client."""
        said = {
            "sub": "guest-204",
            "token_use": "id",
            "aud": client_id,
            "iss": self.cognito_issuer,
            "cognito:username": "guest",
            "auth_time": self._clock.whole(),
            "email_verified": True,
        }
        return self._cloud(said | claims, self._pool_key, {"kid": KID_POOL, "alg": "RS256"}, backdated=0)

    def entra(self, aud: str = "api://orders", *, version: Literal[1, 2] = 2, **claims: Any) -> str:
        """An application's access token as a tenant cuts it; a person's where ``scp`` is given. Version 1 or 2."""
        client = str(claims.pop("client_id", "7f0c9a51-5d11-4b3b-8e0a-5a6a0e4f2002"))
        who = {"azp": client, "azpacr": "1"} if version == 2 else {"appid": client, "appidacr": "1"}
        said: dict[str, Any] = {
            "aud": aud,
            "iss": self.entra_issuer(version),
            **who,
            "oid": "0d6ff0a3-a111-4c4b-9a52-3f1c2c3e4a50",
            "sub": "0d6ff0a3-a111-4c4b-9a52-3f1c2c3e4a50",
            "tid": TENANT,
            "uti": uuid.uuid4().hex[:22],
            "ver": f"{version}.0",
        }
        said |= {"roles": ["Orders.Read"]} if "scp" not in claims else {}
        said |= {"idp": said["iss"]} if version == 1 and "scp" not in claims else {}
        header = {"typ": "JWT", "alg": "RS256", "kid": KID_TENANT} | ({"x5t": KID_TENANT} if version == 1 else {})
        return self._cloud(said | claims, self._tenant_key, header, backdated=300)

    def cloud_keys(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The key sets of the pool and of the tenant."""
        pool = [jwk.public_document(self._pool_key.public_key(), KID_POOL, "RS256")]
        tenant = jwk.public_document(self._tenant_key.public_key(), KID_TENANT, "RS256")
        del tenant["alg"]
        return {"keys": pool}, {"keys": [tenant | {"x5t": KID_TENANT, "issuer": self.entra_issuer(2)}]}

    def _cloud(self, said: dict[str, Any], key: rsa.RSAPrivateKey, header: Mapping[str, Any], backdated: int) -> str:
        now = self._clock.whole()
        times = {"iat": now - backdated, "exp": now + 3600, "jti": str(uuid.uuid4())}
        if backdated:
            times |= {"nbf": now - backdated, "jti": ...}
        claims = _without(times | said)
        return jws.compact(jws.encode_header(header).encode(), msgspec.json.encode(claims), key, "RS256")

    def _parts(self, header: Mapping[str, Any], changes: Mapping[str, Any]) -> str:
        said = msgspec.json.encode(self.claims(changes=changes))
        return f"{jws.encode_header(header)}.{base64url.encode_text(said)}"

    def _header(self) -> dict[str, Any]:
        """The header of a good token."""
        found: dict[str, Any] = msgspec.json.decode(base64url.decode(self().split(".")[0]))
        return found

    @cached_property
    def _stranger(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def _pool_key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(65537, 2048)

    @cached_property
    def _tenant_key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(65537, 2048)


KID_POOL = "dGVzdGluZyBwb29sIGtleSBvZiB0aGUgaW5ua2VlcGVyMTI="
KID_TENANT = "dGVzdGluZyB0ZW5hbnQga2V5MTI"


def _without(claims: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if value is not ...}


def _plain(aud: str | Iterable[str]) -> str | list[str]:
    return aud if isinstance(aud, str) else list(aud)
