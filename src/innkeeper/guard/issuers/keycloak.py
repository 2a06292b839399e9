"""Keycloak: a realm's tokens, the kind of each in its claim ``typ``, roles of the realm and of its clients."""

from __future__ import annotations

import re
from typing import Any

from innkeeper.guard.issuers.oidc import spell as ordinary
from innkeeper.guard.issuers.preset import Claims, Preset
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, check
from innkeeper.tokens.verification import ANOTHER_TYPE, Expected, Presented

_REALM = re.compile(r"https?://[^?#]+/realms/[^/?#]+")
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_KINDS = frozenset({"Bearer", "DPoP"})


def is_keycloak(issuer: str) -> bool:
    """Whether an issuer is a realm, by its path."""
    return _REALM.fullmatch(issuer) is not None


def keycloak(issuer: str) -> Preset:
    """The tokens of a realm: ``https://HOST/realms/NAME``.

    Keycloak names an API in ``aud`` only where an audience mapper, or the API's client, says so. ``token.roles`` are the
    realm's roles, and clients' roles as ``CLIENT/ROLE``.
    """
    expected = Expected(issuer, types=_TYPES, required=("iss", "exp", "aud", "sub", "iat"))
    return Preset("keycloak", expected, spell, KEYCLOAK_CHECKS, is_machine=is_machine)


def spell(claims: Claims) -> Claims:
    """The ordinary words, and the roles from where Keycloak keeps them."""
    spelled: dict[str, Any] = dict(ordinary(claims))
    if "roles" not in claims:
        spelled["roles"] = [*_roles(claims.get("realm_access")), *_of_clients(claims.get("resource_access"))]
    return spelled


def _roles(access: object) -> list[str]:
    found = access.get("roles") if isinstance(access, dict) else None
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _of_clients(access: object) -> list[str]:
    if not isinstance(access, dict):
        return []
    return [f"{client}/{role}" for client, held in access.items() for role in _roles(held)]


def is_machine(claims: Claims) -> bool:
    """A client by itself is a user of the name service-account-CLIENT."""
    return str(claims.get("preferred_username", "")).startswith("service-account-")


@check("Keycloak, Token types")
def token_is_of_the_kind_for_apis(case: Presented) -> Seen | Refusal:
    """The claim typ must say Bearer or DPoP: ID and refresh tokens say ID, Refresh, Offline."""
    kind = case.claims.get("typ", "Bearer")
    if not isinstance(kind, str) or kind not in _KINDS:
        return Refusal(ANOTHER_TYPE, f"the claim typ is {str(kind)[:40]!r}", "Bearer or DPoP", str(kind)[:40])
    if "at_hash" in case.claims:
        return Refusal(ANOTHER_TYPE, "claim 'at_hash' belongs to ID tokens", "an access token", "an ID token")
    return Seen(kind)


KEYCLOAK_CHECKS = (token_is_of_the_kind_for_apis,)
