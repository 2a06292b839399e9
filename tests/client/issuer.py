"""A small issuer inside the test: real rules, no sockets, and a way to make it misbehave."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from urllib.parse import parse_qs, unquote_plus, urlsplit

import httpx2

from innkeeper.protocol import pkce

ISSUER = "https://issuer.example"
Answer = Callable[[httpx2.Request], httpx2.Response]


class StubIssuer:
    """Knows one confidential client and one public one. ``requests`` are all it saw; ``at`` overrides one path."""

    def __init__(self, issuer: str = ISSUER) -> None:
        self.issuer = issuer
        self.requests: list[httpx2.Request] = []
        self.at: dict[str, Answer] = {}
        self.document: dict[str, object] = {
            "issuer": issuer,
            "token_endpoint": f"{issuer}/token",
            "authorization_endpoint": f"{issuer}/authorize",
            "revocation_endpoint": f"{issuer}/revoke",
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "authorization_response_iss_parameter_supported": True,
        }
        self.codes: dict[str, dict[str, str]] = {}
        self.refresh_tokens: set[str] = set()
        self.lifetime = 300
        self._count = 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        path = request.url.path
        if path in self.at:
            return self.at[path](request)
        if path.startswith("/.well-known/"):
            return httpx2.Response(200, json=self.document)
        if path == "/revoke":
            return httpx2.Response(200)
        return self._token(form(request), request) if path == "/token" else httpx2.Response(404)

    def client(self) -> httpx2.Client:
        return httpx2.Client(transport=httpx2.MockTransport(self))

    def aclient(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self))

    def asked(self, path: str) -> list[dict[str, str]]:
        """The forms posted to ``path``."""
        return [form(request) for request in self.requests if request.url.path == path]

    def authorize(self, url: str) -> dict[str, str]:
        """What the browser brings back after a person said yes at ``url``."""
        sent = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = f"code-{len(self.codes) + 1}"
        self.codes[code] = sent
        return {"code": code, "state": sent["state"], "iss": self.issuer}

    def _token(self, sent: dict[str, str], request: httpx2.Request) -> httpx2.Response:
        if not self._authenticated(sent, request):
            return refusal("invalid_client", 401)
        grant = sent["grant_type"]
        if grant == "authorization_code":
            asked = self.codes.pop(sent["code"], None)
            if asked is None or pkce.challenge(sent["code_verifier"]) != asked["code_challenge"]:
                return refusal("invalid_grant")
            if sent["redirect_uri"] != asked["redirect_uri"]:
                return refusal("invalid_grant")
        if grant == "refresh_token":
            if sent["refresh_token"] not in self.refresh_tokens:
                return refusal("invalid_grant", description="unknown refresh token")
            self.refresh_tokens.remove(sent["refresh_token"])
        return self._granted(with_refresh=grant != "client_credentials")

    def _granted(self, *, with_refresh: bool) -> httpx2.Response:
        self._count += 1
        answer = {"access_token": f"token-{self._count}", "token_type": "Bearer", "expires_in": self.lifetime}
        if with_refresh:
            answer["refresh_token"] = f"refresh-{self._count}"
            self.refresh_tokens.add(f"refresh-{self._count}")
        return httpx2.Response(200, json=answer)

    def _authenticated(self, sent: dict[str, str], request: httpx2.Request) -> bool:
        basic = request.headers.get("authorization", "")
        if basic:
            return basic_pair(basic) == ("concierge", "s:e c/ret")
        if "client_secret" in sent:
            return (sent["client_id"], sent["client_secret"]) == ("concierge", "s:e c/ret")
        return sent.get("client_id") == "guest-app" or "client_assertion" in sent


def form(request: httpx2.Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.content.decode()).items()}


def basic_pair(header: str) -> tuple[str, str]:
    user, _, password = b64decode(header.removeprefix("Basic ")).decode().partition(":")
    return unquote_plus(user), unquote_plus(password)


def refusal(error: str, status: int = 400, description: str = "") -> httpx2.Response:
    body = {"error": error} | ({"error_description": description} if description else {})
    return httpx2.Response(status, headers={"content-type": "application/json"}, content=json.dumps(body))
