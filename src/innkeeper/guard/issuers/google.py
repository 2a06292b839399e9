"""Google: ID tokens of service accounts, whose audience is the service they call; its access tokens are opaque."""

from __future__ import annotations

from innkeeper.guard.issuers.oidc import OIDC_CHECKS, spell
from innkeeper.guard.issuers.preset import Claims, Preset
from innkeeper.tokens.verification import Expected

ISSUER = "https://accounts.google.com"


def is_google(issuer: str) -> bool:
    """Whether an issuer is Google's."""
    return issuer == ISSUER


def google(issuer: str = ISSUER) -> Preset:
    """What one Google service sends another: an ID token whose ``aud`` is the called service's own URL.

    Google's access tokens say nothing to anyone but Google. A person's ID token is for the client they signed in at; it is
    refused by its audience, a client's id, and by ``at_hash``.
    """
    expected = Expected(issuer, frozenset({"RS256"}), frozenset({"jwt", ""}), ("iss", "exp", "aud", "sub", "iat"))
    return Preset("google", expected, spell, OIDC_CHECKS, is_machine=is_machine)


def is_machine(claims: Claims) -> bool:
    """A service account, by its address."""
    return str(claims.get("email", "")).endswith(".gserviceaccount.com")
