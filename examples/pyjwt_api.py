"""An API that guards itself with PyJWT, and knows nothing of innkeeper. See test_pyjwt_api.py for how it is tested."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import jwt

NEEDED = "orders:read"
StartResponse = Callable[[str, list[tuple[str, str]]], object]


class OrdersApi:
    """A WSGI application: ``GET /`` answers to a token of this issuer, for this audience, with the scope orders:read."""

    def __init__(self, issuer: str, audience: str, jwks_uri: str, cooldown: float = 30) -> None:
        self._issuer, self._audience = issuer, audience
        self._keys = jwt.PyJWKClient(jwks_uri, cooldown_duration=cooldown, timeout=2)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        status, body = self._answer(environ.get("HTTP_AUTHORIZATION", ""))
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(body).encode()]

    def _answer(self, authorization: str) -> tuple[str, dict[str, str]]:
        try:
            claims = self._claims(authorization.removeprefix("Bearer "))
        except jwt.PyJWKClientConnectionError:
            return "503 Service Unavailable", {"error": "temporarily_unavailable"}
        except jwt.PyJWTError as error:
            return "401 Unauthorized", {"error": "invalid_token", "because": str(error)}
        if NEEDED not in str(claims.get("scope", "")).split():
            return "403 Forbidden", {"error": "insufficient_scope"}
        return "200 OK", {"orders_of": claims["sub"]}

    def _claims(self, token: str) -> dict[str, Any]:
        key = self._keys.get_signing_key_from_jwt(token)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["ES256", "RS256"],
            issuer=self._issuer,
            audience=self._audience,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
        return claims
