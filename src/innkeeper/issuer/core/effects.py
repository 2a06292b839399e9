"""What a decision wants remembered. A store commits a decision's effects all together or not at all.

A conditional effect (``Spend…``) that finds its condition gone makes the whole commit fail as ``Lost``; the desk
then fetches the facts again and decides anew.
"""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.records import Code, Consent, Grant, RefreshToken, Session


class Lost(Exception):
    """Somebody else spent it first: nothing was committed, decide again."""


class Effect(msgspec.Struct, frozen=True):
    """Something to remember."""


class AddCode(Effect, frozen=True):
    code: Code


class SpendCode(Effect, frozen=True):
    """Conditional: the code must be unspent."""

    digest: bytes
    at: int


class AddGrant(Effect, frozen=True):
    grant: Grant


class RevokeGrant(Effect, frozen=True):
    """End a grant: its refresh tokens and, where they are looked up, its access tokens. Twice does no harm."""

    grant_id: str
    at: int


class AddRefreshToken(Effect, frozen=True):
    token: RefreshToken


class SpendRefreshToken(Effect, frozen=True):
    """Conditional: the token must be unspent and its grant not revoked."""

    digest: bytes
    successor: bytes
    at: int


class RevokeToken(Effect, frozen=True):
    """Refuse one access token from now on; forgotten once it has expired by itself."""

    jti: str
    expires_at: int


class AddSession(Effect, frozen=True):
    session: Session


class EndSession(Effect, frozen=True):
    """Sign out: the session and the grants that were tied to it (those without offline_access)."""

    session_id: str
    at: int


class GiveConsent(Effect, frozen=True):
    consent: Consent


class SpendAssertion(Effect, frozen=True):
    """Conditional: this client has not used this ``jti`` before (RFC 7523 §3)."""

    client_id: str
    jti: str
    expires_at: int
