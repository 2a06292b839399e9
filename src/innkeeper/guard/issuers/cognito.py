"""Amazon Cognito user pools: access tokens without ``typ`` and mostly without ``aud``, under two issuer hosts.

What is relied on: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from innkeeper.guard.issuers.preset import Claims, Preset, names
from innkeeper.protocol.errors import INVALID_TOKEN
from innkeeper.protocol.refusals import Page, Refusal, UsageError
from innkeeper.tokens.trail import Seen, check
from innkeeper.tokens.verification import Expected, Presented

_POOL = re.compile(
    r"(?P<origin>https?://[^/?#]+)(?P<path>(?:/[^/?#]+)*?)/(?P<pool>(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)_[0-9A-Za-z]+)"
)
_AMAZON = re.compile(
    r"https://(?P<kind>issuer-)?cognito-idp\.(?P<region>[a-z0-9-]+)\.(?P<domain>amazonaws\.com(?:\.cn)?)"
)

_TYPES = frozenset({"", "jwt", "at+jwt"})
"""Cognito writes no typ at all; should it begin to, these are what it could write. ``token_use`` tells the kind."""

_REQUIRED = ("iss", "exp", "iat", "sub")


def is_cognito(issuer: str) -> bool:
    """Whether an issuer is a user pool: its path ends in a pool's id, at Amazon's hosts or at a twin's."""
    return _POOL.fullmatch(issuer) is not None


def cognito(issuer: str, *, clients: Iterable[str] = (), jwks_uri: str | None = None) -> Preset:
    """The tokens of a user pool; ``issuer`` is ``https://cognito-idp.REGION.amazonaws.com/POOL-ID``, or a twin's.

    Cognito puts an API into ``aud`` only where the client asked with ``resource=`` for a person. All other access tokens
    have none, and their client stands in: name the app clients' ids among the guard's audiences, and every access token of
    theirs is taken to be meant for this API. A token that does name an API must name this one. ``clients``, where given,
    are the only clients whose tokens are taken, whatever they name.

    Amazon's pools write themselves with one of two hosts, and may be switched from one to the other: both are read.
    """
    found = _POOL.fullmatch(issuer)
    if found is None:
        raise UsageError(
            f"issuer {issuer!r} is no user pool: write https://cognito-idp.REGION.amazonaws.com/REGION_ID, as in 'iss'"
        )
    preset = _preset(issuer, names(clients, "clients"), jwks_uri)
    other = _other_host(found)
    if not other:
        return preset
    return msgspec.structs.replace(preset, companions=(_preset(other, preset.expected.clients, None),))


def _preset(issuer: str, clients: frozenset[str], jwks_uri: str | None) -> Preset:
    expected = Expected(issuer, frozenset({"RS256"}), _TYPES, _REQUIRED, clients)
    document = f"{issuer}/.well-known/openid-configuration"
    return Preset("cognito", expected, spell, COGNITO_CHECKS, jwks_uri, is_machine=is_machine, documents=(document,))


def _other_host(found: re.Match[str]) -> str:
    """The same pool's issuer with Amazon's other host; "" for a twin, which has one."""
    host = _AMAZON.fullmatch(found["origin"])
    if host is None or found["path"]:
        return ""
    if host["region"] != found["region"]:
        raise UsageError(f"issuer {found[0]!r}: the pool {found['pool']} is not of region {host['region']}")
    kind = "" if host["kind"] else "issuer-"
    return f"https://{kind}cognito-idp.{host['region']}.{host['domain']}/{found['pool']}"


def spell(claims: Claims) -> Claims:
    """Groups without their prefix; where no API is named, the client stands in for it."""
    spelled: dict[str, Any] = dict(claims)
    if "cognito:groups" in claims:
        spelled["groups"] = claims["cognito:groups"]
    if "aud" not in claims and isinstance(claims.get("client_id"), str):
        spelled["aud"] = claims["client_id"]
    return spelled


def is_machine(claims: Claims) -> bool:
    """A client's own token: it is its own subject, and there is no user."""
    return claims.get("sub") == claims.get("client_id") and "username" not in claims


@check("Amazon Cognito, Verifying JSON web tokens")
def token_is_used_for_access(case: Presented) -> Seen | Refusal:
    """The claim token_use must say access: an ID token tells a client who signed in and opens no API."""
    use = case.claims.get("token_use")
    if use == "access":
        return _ACCESS
    reason = "it is an ID token, made for a client" if use == "id" else f"token_use is {str(use)[:40]!r}"
    return Refusal(NOT_FOR_ACCESS, reason, "token_use access", f"token_use {str(use)[:40]}")


@check("Amazon Cognito, Verifying JSON web tokens")
def client_of_the_pool_is_expected(case: Presented) -> Seen | Refusal:
    """The claim client_id must be there, on the list where one is kept, and the only client that aud may name."""
    client, listed = case.claims.get("client_id"), case.expected.clients
    if foreign := _other_clients(case.claims.get("aud"), client):
        return Refusal(ANOTHER_CLIENT, "aud names another client than the token's own", str(client)[:80], foreign[:80])
    if isinstance(client, str) and client and (not listed or client in listed):
        return Seen(client)
    found = str(client)[:80] if client else "no client_id"
    return Refusal(ANOTHER_CLIENT, f"the token was got by {found}", ", ".join(sorted(listed)) or "a client_id", found)


def _other_clients(audience: object, client: object) -> str:
    """A name in aud that is no URL, as an API's always is, and not the token's own client; "" where there is none."""
    named = audience if isinstance(audience, list) else [audience]
    return next((one for one in named if isinstance(one, str) and "://" not in one and one != client), "")


NOT_FOR_ACCESS = Page(
    "IK550",
    INVALID_TOKEN,
    "The Cognito token is not an access token",
    "The claim token_use says another kind. Cognito signs ID tokens alike, but they tell a client who signed in; taking one "
    "at an API would take every token of that client for permission.",
    "Send access_token from Cognito's token response (AccessToken in the SDK), not id_token.",
    "The access token is malformed, expired, revoked, or not meant for this resource.",
    401,
)
ANOTHER_CLIENT = Page(
    "IK551",
    INVALID_TOKEN,
    "The token was got by another client",
    "The guard lists the clients whose tokens it takes, and the client in the token is not among them.",
    "Use a listed client, or add this one to clients= where the guard is built.",
    "The access token is malformed, expired, revoked, or not meant for this resource.",
    401,
)

COGNITO_CHECKS = (token_is_used_for_access, client_of_the_pool_is_expected)

_ACCESS = Seen("access")
