"""A client gives a token back before its time (RFC 7009)."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import Effect, RevokeGrant, RevokeToken
from innkeeper.issuer.core.introspect import TOKEN_MISSING, Found
from innkeeper.issuer.core.records import Client
from innkeeper.protocol.errors import INVALID_GRANT
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check, follow


class Revoked(msgspec.Struct, frozen=True):
    """The token is of no use any more, or never was: the caller is told the same (§2.2)."""


class Case(msgspec.Struct, frozen=True):
    token: str
    client: Client
    found: Found


def decide(token: str, client: Client, found: Found, now: int) -> Decision[Revoked]:
    """A refresh token takes its whole grant with it; an access token goes alone."""
    trail = follow("revocation", CHECKS, Case(token, client, found))
    if trail.refusal:
        return Decision(trail.refusal, trail)
    return Decision(Revoked(), trail, _effects(found, now))


@check("RFC 7009 §2.1")
def a_token_was_sent(case: Case) -> Seen | Refusal:
    """The request has the token to revoke."""
    if not case.token:
        return Refusal(TOKEN_MISSING, "the parameter token is missing", "token", "nothing")
    return Seen("a token")


@check("RFC 7009 §2.1")
def the_token_was_given_to_this_client(case: Case) -> Seen | Refusal:
    """A client revokes its own tokens only. A token nobody knows needs no revoking."""
    owner = _owner(case.found)
    if owner is not None and owner != case.client.id:
        return Refusal(NOT_THE_CLIENTS, "the token was given to another client", case.client.id, owner)
    return Seen(owner or "no token of ours")


CHECKS = (a_token_was_sent, the_token_was_given_to_this_client)

NOT_THE_CLIENTS = Page(
    "IK311",
    INVALID_GRANT,
    "The token belongs to another client",
    "A client may revoke only what was given to it; otherwise one client could cut off another's users.",
    "Revoke it as the client that got it.",
    "The token was not issued to this client.",
)


def _owner(found: Found) -> str | None:
    if found.refresh is not None:
        return found.refresh.grant.client_id
    if found.claims is not None:
        return str(found.claims.get("client_id", ""))
    return None


def _effects(found: Found, now: int) -> tuple[Effect, ...]:
    if found.refresh is not None:
        return (RevokeGrant(found.refresh.grant.id, now),)
    if found.claims is not None:
        return (RevokeToken(str(found.claims["jti"]), int(found.claims["exp"])),)
    return ()
