"""The resource server's wing: is this token good here, and if not, why, and what is the caller told?

``Guard`` joins the parts: ``decision`` (pure: a token, keys, what is needed, the time), ``keys`` (an issuer's keys
and how fresh they are), ``credentials`` (what a request carries), ``issuers`` (one file a provider). Adapters to
servers and frameworks stand beside them. What a token says is told in ``tokens``. Nothing of a server is loaded.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from innkeeper.guard.challenge import About as About
    from innkeeper.guard.decision import Refused as Refused
    from innkeeper.guard.decision import Verified as Verified
    from innkeeper.guard.guard import Guard as Guard
    from innkeeper.guard.holder import Dpop as Dpop
    from innkeeper.guard.introspection import Introspection as Introspection
    from innkeeper.guard.issuers.auth0 import auth0 as auth0
    from innkeeper.guard.issuers.cognito import cognito as cognito
    from innkeeper.guard.issuers.entra import ANY_TENANT as ANY_TENANT
    from innkeeper.guard.issuers.entra import entra as entra
    from innkeeper.guard.issuers.google import google as google
    from innkeeper.guard.issuers.keycloak import keycloak as keycloak
    from innkeeper.guard.issuers.native import native as native
    from innkeeper.guard.issuers.oidc import oidc as oidc
    from innkeeper.guard.issuers.okta import okta as okta
    from innkeeper.guard.keys import Freshness as Freshness
    from innkeeper.guard.needs import Needs as Needs
    from innkeeper.guard.needs import need as need
    from innkeeper.guard.routes import ANYONE as ANYONE
    from innkeeper.guard.unverified import UnverifiedToken as UnverifiedToken
    from innkeeper.guard.unverified import read_unverified as read_unverified

_HOMES = {
    "ANYONE": "innkeeper.guard.routes",
    "ANY_TENANT": "innkeeper.guard.issuers.entra",
    "About": "innkeeper.guard.challenge",
    "Dpop": "innkeeper.guard.holder",
    "Freshness": "innkeeper.guard.keys",
    "Guard": "innkeeper.guard.guard",
    "Introspection": "innkeeper.guard.introspection",
    "Needs": "innkeeper.guard.needs",
    "Refused": "innkeeper.guard.decision",
    "UnverifiedToken": "innkeeper.guard.unverified",
    "Verified": "innkeeper.guard.decision",
    "auth0": "innkeeper.guard.issuers.auth0",
    "cognito": "innkeeper.guard.issuers.cognito",
    "entra": "innkeeper.guard.issuers.entra",
    "google": "innkeeper.guard.issuers.google",
    "keycloak": "innkeeper.guard.issuers.keycloak",
    "native": "innkeeper.guard.issuers.native",
    "need": "innkeeper.guard.needs",
    "oidc": "innkeeper.guard.issuers.oidc",
    "okta": "innkeeper.guard.issuers.okta",
    "read_unverified": "innkeeper.guard.unverified",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'innkeeper.guard' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
