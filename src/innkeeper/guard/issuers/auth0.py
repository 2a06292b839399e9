"""Auth0: an issuer that ends in a slash, the client in ``azp``, permissions beside the scopes."""

from __future__ import annotations

import re
from typing import Any

from innkeeper.guard.issuers.oidc import OIDC_CHECKS
from innkeeper.guard.issuers.oidc import spell as ordinary
from innkeeper.guard.issuers.preset import Claims, Preset
from innkeeper.tokens.verification import Expected

_HOST = re.compile(r"https://[^/?#]+\.auth0\.com/?")
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})


def is_auth0(issuer: str) -> bool:
    """Whether an issuer is at Auth0's own hosts; behind a domain of your own it has to be named."""
    return _HOST.fullmatch(issuer) is not None


def auth0(issuer: str) -> Preset:
    """The tokens of a tenant; ``issuer`` is ``https://TENANT.REGION.auth0.com/``, the slash at its end included.

    A token without ``audience=`` in its request is opaque, or for Auth0's userinfo alone. ``permissions``, where the API
    has them put into its tokens, are the token's roles.
    """
    expected = Expected(
        f"{issuer.removesuffix('/')}/", frozenset({"RS256", "PS256"}), _TYPES, ("iss", "exp", "aud", "sub", "iat")
    )
    return Preset("auth0", expected, spell, OIDC_CHECKS, is_machine=is_machine)


def spell(claims: Claims) -> Claims:
    """The ordinary words, and the permissions among the roles."""
    spelled: dict[str, Any] = dict(ordinary(claims))
    if "permissions" in claims and "roles" not in claims:
        spelled["roles"] = claims["permissions"]
    return spelled


def is_machine(claims: Claims) -> bool:
    """A client by itself: its grant says so, or its subject is written as clients are."""
    return claims.get("gty") == "client-credentials" or str(claims.get("sub", "")).endswith("@clients")
