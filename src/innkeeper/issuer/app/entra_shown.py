"""What ``innkeeper twin show`` says of an Entra tenant: it is the same wherever it is planted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from innkeeper.issuer.core.entra.names import V1, V2, names_at
from innkeeper.issuer.desk.entra.seeding import CARETAKER, CARETAKER_SEED, guid, secret_of
from innkeeper.issuer.settings import SeedClient, SeedTwin, Settings

_TLS_PORT = 8443


def domains_of(seed: SeedTwin) -> tuple[str, ...]:
    """The tenant's domains, the one that it began with first."""
    return tuple(seed.domains) or ("innkeeper.onmicrosoft.com", "hotel.example")


def shown(settings: Settings, seed: SeedTwin) -> dict[str, Any]:
    """The tenant with its addresses over http, and over TLS as Microsoft's libraries want them."""
    over_tls = f"https://localhost:{settings.server.tls_port or _TLS_PORT}"
    return {
        "dialect": seed.dialect,
        **_at(settings.origin, seed),
        "tenant": seed.id,
        "domains": list(domains_of(seed)),
        "tls": {"origin": over_tls, "ca": f"{settings.server.state}/ca.pem", **_at(over_tls, seed)},
        "clients": list(_clients(settings, seed)),
        "apis": list(_apis(settings, seed)),
        "scopes": [scope for one in _apis(settings, seed) for scope in one["scopes"]],
        "roles": [role for one in _apis(settings, seed) for role in one["roles"]],
        "people": [
            *({"username": one.username, "password": one.password} for one in settings.guests),
            *({"username": f"admin@{domains_of(seed)[-1]}", "password": one.password} for one in settings.guests[:1]),
        ],
    }


def _at(origin: str, seed: SeedTwin) -> dict[str, Any]:
    names, base = names_at(origin, as_the_cloud=seed.issuer == "cloud"), f"{origin}/{seed.id}"
    return {
        "issuer": names.issuer(V2, seed.id),
        "issuer_v1": names.issuer(V1, seed.id),
        "authority": base,
        "endpoints": {
            "discovery": f"{base}/v2.0/.well-known/openid-configuration",
            "discovery_v1": f"{base}/.well-known/openid-configuration",
            "jwks": f"{base}/discovery/v2.0/keys",
            "authorize": f"{base}/oauth2/v2.0/authorize",
            "token": f"{base}/oauth2/v2.0/token",
            "token_v1": f"{base}/oauth2/token",
            "devicecode": f"{base}/oauth2/v2.0/devicecode",
            "logout": f"{base}/oauth2/v2.0/logout",
            "graph": f"{names.graph}/v1.0",
            "userinfo": f"{names.graph}/oidc/userinfo",
            "metadata": f"{origin}/metadata/endpoints",
        },
    }


def _clients(settings: Settings, seed: SeedTwin) -> Iterator[dict[str, Any]]:
    for client in settings.client:
        yield _client(settings, seed, client)
    yield {
        "name": CARETAKER,
        "id": guid(seed.id, "application", CARETAKER),
        "secret": secret_of(seed.id, CARETAKER, CARETAKER_SEED),
        "redirect_uris": [],
        "scopes": ["https://graph.microsoft.com/.default"],
    }


def _client(settings: Settings, seed: SeedTwin, client: SeedClient) -> dict[str, Any]:
    return {
        "name": client.id,
        "id": guid(seed.id, "application", client.id),
        "secret": secret_of(seed.id, client.id, client.secret) if client.secret else None,
        "redirect_uris": [one.replace("{origin}", settings.origin) for one in client.redirect_uris],
        "scopes": [
            f"api://{guid(seed.id, 'application', api.uri)}/{scope}"
            for api in settings.resource
            for scope in api.scopes
            if scope in client.scopes
        ],
    }


def _apis(settings: Settings, seed: SeedTwin) -> Iterator[dict[str, Any]]:
    for api in settings.resource:
        app_id = guid(seed.id, "application", api.uri)
        yield {
            "name": api.name,
            "id": app_id,
            "identifier_uris": [f"api://{app_id}", api.uri.replace("{origin}", settings.origin)],
            "default_scope": f"api://{app_id}/.default",
            "scopes": [f"api://{app_id}/{scope}" for scope in api.scopes],
            "roles": [f"{scope}.all" for scope in api.scopes],
        }
