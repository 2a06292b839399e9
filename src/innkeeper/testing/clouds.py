"""Where the keys of forged cloud-shaped tokens stand: discovery documents and key sets at paths like the clouds'."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from innkeeper.guard.asgi import reply
from innkeeper.protocol.exchange import json_reply
from innkeeper.testing.faults import App, Receive, Scope, Send

POOL = "us-east-1_testing12"
TENANT = "11111111-2222-4333-8444-555555555555"
_CONFIGURATION = "/.well-known/openid-configuration"


class Clouds:
    """Serves the documents of one user pool and one tenant below ``url``; all else goes to the application behind."""

    def __init__(self, url: str, keys: Callable[[], tuple[Mapping[str, Any], Mapping[str, Any]]]) -> None:
        pool, tenant = f"{url}/{POOL}", f"{url}/{TENANT}"
        self._documents: dict[str, Mapping[str, Any]] = {
            f"/{POOL}{_CONFIGURATION}": _document(pool, f"{pool}/.well-known/jwks.json"),
            f"/{TENANT}/v2.0{_CONFIGURATION}": _document(f"{tenant}/v2.0", f"{tenant}/discovery/v2.0/keys"),
            f"/{TENANT}{_CONFIGURATION}": _document(f"{tenant}/", f"{tenant}/discovery/keys"),
        }
        self._keys = keys

    def page(self, path: str) -> Mapping[str, Any] | None:
        """The document at a path; key sets are made when they are first asked for."""
        if path == f"/{POOL}/.well-known/jwks.json":
            return self._keys()[0]
        if path in {f"/{TENANT}/discovery/v2.0/keys", f"/{TENANT}/discovery/keys"}:
            return self._keys()[1]
        return self._documents.get(path)

    def before(self, app: App) -> App:
        """``app`` with these documents in front of it."""

        async def answering(scope: Scope, receive: Receive, send: Send) -> None:
            page = self.page(scope["path"]) if scope["type"] == "http" else None
            if page is None:
                await app(scope, receive, send)
            else:
                await reply(json_reply(page), send)

        return answering


def _document(issuer: str, jwks_uri: str) -> dict[str, Any]:
    return {"issuer": issuer, "jwks_uri": jwks_uri, "id_token_signing_alg_values_supported": ["RS256"]}
