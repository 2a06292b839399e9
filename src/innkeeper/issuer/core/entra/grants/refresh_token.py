"""A refresh token: not bound to a resource, not revoked by its use; dead when unused for long, or once revoked."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.entra.aadsts import refuse
from innkeeper.issuer.core.entra.codes import grants as codes
from innkeeper.issuer.core.entra.directory import SPA
from innkeeper.issuer.core.entra.parties import Party
from innkeeper.issuer.core.records import Grant, RefreshToken
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, check

LIFETIME = 90 * 86400
"""Seconds since its last use that a refresh token lives."""

SPA_LIFETIME = 86400
"""Seconds since sign-in that a single-page application's refresh tokens live, however often they are used."""


class Held(msgspec.Struct, frozen=True):
    """A refresh token that was found, with its grant."""

    token: RefreshToken
    grant: Grant


class Case(msgspec.Struct, frozen=True):
    client: Party
    held: Held | None
    platform: str
    now: int


@check("AADSTS 70000")
def the_token_is_one_of_ours(case: Case) -> Seen | Refusal:
    """It was given out here, to this application."""
    if case.held is None or case.held.grant.client_id != case.client.id:
        why = "nobody was given it" if case.held is None else "it is another application's"
        detail = "The refresh token is malformed or was issued to another client."
        return refuse(codes.GRANT_INVALID, why, expected="a refresh token of this client", found="none", detail=detail)
    return Seen("known")


@check("AADSTS 50173")
def it_was_not_revoked(case: Case) -> Seen | Refusal:
    """The person's sessions were not revoked, and what they allowed still stands."""
    if case.held is not None and case.held.grant.revoked_at is not None:
        return refuse(codes.REFRESH_REVOKED, "the grant was revoked")
    return Seen("not revoked")


@check("AADSTS 700082")
def it_has_not_expired(case: Case) -> Seen | Refusal:
    """It was used within ninety days; of a single-page application, within a day of signing in."""
    held = case.held
    if held is None or held.token.expires_at > case.now:
        return Seen("live")
    late = f"it expired {case.now - held.token.expires_at} s ago"
    if case.platform == SPA:
        return refuse(codes.SPA_REFRESH_EXPIRED, late)
    return refuse(codes.REFRESH_EXPIRED, late, issued=str(held.token.expires_at - LIFETIME))


CHECKS = (the_token_is_one_of_ours, it_was_not_revoked, it_has_not_expired)


def until(case: Case) -> int:
    """When the next refresh token dies."""
    if case.platform == SPA and case.held is not None:
        return case.held.token.expires_at
    return case.now + LIFETIME
