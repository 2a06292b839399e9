"""Authlib's authorization server on Flask, for a bench: clients in memory, RFC 9068 access tokens in ES256.

Kind to Authlib where its tutorial would not be: the key is imported once, nothing is written anywhere.
"""

from __future__ import annotations

import os
from hmac import compare_digest
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749 import ClientMixin  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant  # type: ignore[import-untyped]
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator  # type: ignore[import-untyped]
from flask import Flask, Response
from joserfc.jwk import ECKey

from bench.fleet import MACHINES

ISSUER = f"http://127.0.0.1:{os.environ.get('PORT', '0')}"
KEY = ECKey.generate_key("P-256", {"kid": "ES256", "alg": "ES256"})


class Client(ClientMixin):  # type: ignore[misc]
    """The concierge, or a machine of the fleet."""

    def __init__(self, name: str, secret: str) -> None:
        self._name, self._secret = name, secret

    def get_client_id(self) -> str:
        return self._name

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(one for one in scope.split() if one in {"room:enter", "gym:enter"})

    def check_client_secret(self, secret: str) -> bool:
        return compare_digest(secret, self._secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"


class Tokens(JWTBearerTokenGenerator):  # type: ignore[misc]
    """Access tokens for the hotel."""

    def get_jwks(self) -> ECKey:
        return KEY

    def get_audiences(self, client: Any, user: Any, scope: Any) -> str:
        return f"{ISSUER}/hotel"


def _application() -> Flask:
    app = Flask(__name__)
    clients = {name: Client(name, secret) for name, secret in (("concierge", "concierge-secret"), *MACHINES.items())}
    server = AuthorizationServer(app, clients.get, lambda token, request: None)
    server.register_token_generator(
        "default", Tokens(ISSUER, alg="ES256", expires_generator=lambda client, grant_type: 600)
    )
    server.register_grant(ClientCredentialsGrant)

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    @app.get("/ready")
    def ready() -> Response:
        return Response("ready")

    return app


application = _application()
