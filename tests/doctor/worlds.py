"""A healthy issuer and a healthy MCP server without sockets, to be made ill one way at a time."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

import httpx2

from innkeeper.doctor.examination import examine_issuer, examine_mcp
from innkeeper.doctor.findings import Report
from innkeeper.doctor.transport import Line
from innkeeper.keys import jwk
from tests.keys.keyring import private_key

NOW = 1_800_000_000.0
ISSUER = "https://issuer.example/inn"
SERVER = "https://tools.example/mcp"
FORMS = (
    "/.well-known/oauth-authorization-server/inn",
    "/.well-known/openid-configuration/inn",
    "/inn/.well-known/openid-configuration",
)
PRM = ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource")

Answer = Callable[[httpx2.Request], httpx2.Response]


class World:
    """Answers by host and path. ``document``, ``keys``, ``resource`` and the header sets are what an illness changes;
    ``at`` replaces the answer of a path."""

    def __init__(self) -> None:
        self.asked: list[httpx2.Request] = []
        self.at: dict[str, Answer] = {}
        self.now = NOW
        self.date: float | None = None
        self.line: Line | None = Line("", "TLSv1.3", NOW + 90 * 86400)
        self.cors = {"access-control-allow-origin": "*"}
        self.preflight = {
            **self.cors,
            "access-control-allow-headers": "Authorization, Content-Type, DPoP, MCP-Protocol-Version, Mcp-Method, Mcp-Name",
        }
        self.kept = {"cache-control": "public, max-age=600"}
        self.type = {"content-type": "application/json"}
        self.document: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/jwks",
            "registration_endpoint": f"{ISSUER}/register",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "scopes_supported": ["openid", "tools:use", "offline_access"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
            "authorization_response_iss_parameter_supported": True,
            "client_id_metadata_document_supported": True,
        }
        self.keys: dict[str, Any] = {"keys": [public("k1", 0)]}
        self.resource: dict[str, Any] = {
            "resource": SERVER,
            "authorization_servers": [ISSUER],
            "scopes_supported": ["tools:use"],
        }
        self.challenge = f'Bearer scope="tools:use", resource_metadata="https://tools.example{PRM[0]}"'
        self.bad = 'Bearer error="invalid_token"'
        self.exposed = {"access-control-expose-headers": "WWW-Authenticate"}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        path = request.url.path
        if path in self.at:
            response = self.at[path](request)
        elif request.url.host == urlsplit(SERVER).hostname:
            response = self._server(request, path)
        else:
            response = self._issuer(request, path)
        if self.date is not None:
            response.headers["date"] = formatdate(self.date, usegmt=True)
        return response

    def _issuer(self, request: httpx2.Request, path: str) -> httpx2.Response:
        if path in FORMS:
            return httpx2.Response(200, json=self.document, headers=self.cors | self.kept | self.type)
        if path == "/inn/jwks":
            return httpx2.Response(200, json=self.keys, headers=self.cors | self.kept)
        if path == "/inn/token" and request.method == "OPTIONS":
            return httpx2.Response(204, headers=self.preflight)
        return httpx2.Response(405 if path == "/inn/authorize" else 404)

    def _server(self, request: httpx2.Request, path: str) -> httpx2.Response:
        if path in PRM:
            return httpx2.Response(200, json=self.resource, headers=self.cors)
        if path != "/mcp":
            return httpx2.Response(404)
        if request.method == "OPTIONS":
            return httpx2.Response(204, headers=self.preflight)
        said = self.bad if "authorization" in request.headers else self.challenge
        return httpx2.Response(401, headers={"www-authenticate": said} | self.cors | self.exposed)

    def issuer(self, issuer: str = ISSUER) -> Report:
        return examine_issuer(issuer, http=self._http(), dial=lambda _: self.line, clock=lambda: self.now)

    def server(self, url: str = SERVER) -> Report:
        return examine_mcp(url, http=self._http(), dial=lambda _: self.line, clock=lambda: self.now)

    def _http(self) -> httpx2.Client:
        return httpx2.Client(transport=httpx2.MockTransport(self))


def public(kid: str, which: int = 0, **more: Any) -> dict[str, Any]:
    return jwk.public_document(private_key("RS256", which).public_key(), kid, "RS256") | more


def numbers(report: Report) -> set[str]:
    return {one.finding.page.number for one in report.findings() if one.finding}
