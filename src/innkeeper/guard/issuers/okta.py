"""Okta: authorization servers for APIs; the client in ``cid``, the scopes as a list in ``scp``."""

from __future__ import annotations

import re

from innkeeper.guard.issuers.oidc import spell
from innkeeper.guard.issuers.preset import Claims, Preset
from innkeeper.protocol.refusals import Refusal, UsageError
from innkeeper.tokens.trail import Seen, check
from innkeeper.tokens.verification import ANOTHER_TYPE, Expected, Presented

_SERVER = re.compile(r"https://[^/?#]+/oauth2/[^/?#]+")
_HOST = re.compile(r"https://[^/?#]+\.(?:okta|oktapreview|okta-emea|okta-gov|trexcloud)\.com(?:/.*)?")
_TYPES = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})


def is_okta(issuer: str) -> bool:
    """Whether an issuer is at one of Okta's own hosts; behind a domain of your own it has to be named."""
    return _HOST.fullmatch(issuer) is not None


def okta(issuer: str) -> Preset:
    """The tokens of an authorization server: ``https://DOMAIN/oauth2/default``, or with the server's id.

    The organization's own server, without ``/oauth2/``, gives tokens for Okta's APIs alone. Raises ``UsageError``.
    """
    if not _SERVER.fullmatch(issuer):
        raise UsageError(
            f"issuer {issuer!r}: tokens of Okta's organization server are for Okta only; use an authorization server,"
            " such as https://DOMAIN/oauth2/default"
        )
    expected = Expected(issuer, frozenset({"RS256"}), _TYPES, ("iss", "exp", "aud", "sub", "iat"))
    return Preset("okta", expected, spell, OKTA_CHECKS, is_machine=is_machine)


def is_machine(claims: Claims) -> bool:
    """A client's own token: it is its own subject."""
    return claims.get("sub") == claims.get("cid")


@check("Okta, Access token payload claims")
def token_names_its_client(case: Presented) -> Seen | Refusal:
    """The claim cid must be there: Okta's access tokens have it, its ID tokens do not."""
    client = case.claims.get("cid")
    if not isinstance(client, str) or not client:
        return Refusal(ANOTHER_TYPE, "it has no cid: it is an ID token", "an access token", "no cid")
    return Seen(client)


OKTA_CHECKS = (token_names_its_client,)
