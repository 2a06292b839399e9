"""A pool's discovery document, with exactly the members that Cognito writes."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.desk.cognito.twin import OpenPool
from innkeeper.protocol import pkce


def document(pool: OpenPool) -> dict[str, Any]:
    """The members in the order of the alphabet. A pool's custom scopes are not told, nor, unless it is switched on, that it takes PKCE."""
    issuer, domain = pool.realm.policy.issuer, pool.domain
    written = {
        "authorization_endpoint": f"{domain}/oauth2/authorize",
        "end_session_endpoint": f"{domain}/logout",
        "id_token_signing_alg_values_supported": ["RS256"],
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "response_types_supported": ["code", "token"],
        "revocation_endpoint": f"{domain}/oauth2/revoke",
        "scopes_supported": ["openid", "email", "phone", "profile"],
        "subject_types_supported": ["public"],
        "token_endpoint": f"{domain}/oauth2/token",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "userinfo_endpoint": f"{domain}/oauth2/userInfo",
    }
    if pool.ways.switches.advertise_pkce:
        written["code_challenge_methods_supported"] = [pkce.METHOD]
    if pool.pool.registration:
        written["registration_endpoint"] = f"{domain}/oauth2/register"
    return dict(sorted(written.items()))
