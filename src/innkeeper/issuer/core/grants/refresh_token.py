"""A refresh token is exchanged for an access token and its own successor (RFC 6749 §6).

Each refresh token works once. Its successor is derived from it, so that a caller whose answer was lost, or
whose agents raced, is given the same successor once more within a short grace; later, or once the
successor was used, a second use is taken for theft and the whole grant is revoked.
"""

from __future__ import annotations

from innkeeper.issuer.core import details
from innkeeper.issuer.core.binding import same_key
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddRefreshToken, RevokeGrant, SpendRefreshToken
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client, Grant, RefreshToken
from innkeeper.issuer.core.scopes import Reach, narrow, nothing_there, outside_grant
from innkeeper.issuer.core.token import Fresh, Issue, TokenRequest
from innkeeper.protocol.errors import INVALID_GRANT, INVALID_SCOPE
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.values import Value
from innkeeper.tokens.trail import Seen, Trail, check, follow


class Held(Value, frozen=True, gc=False):
    """What is remembered of a refresh token: itself, its grant, and whether its successor was used.

    ``disabled`` says that the account of the person behind it was shut.
    """

    token: RefreshToken
    grant: Grant
    successor_spent: bool = False
    disabled: bool = False


class Case(Value, frozen=True, gc=False):
    ask: TokenRequest
    client: Client
    held: Held | None
    policy: Policy
    now: int


def decide(
    ask: TokenRequest, client: Client, held: Held | None, fresh: Fresh, policy: Policy, now: int
) -> Decision[Issue]:
    """A new access token and the successor of the refresh token; where the profile rotates none, it stays as it is."""
    trail = follow("refresh token", CHECKS, Case(ask, client, held, policy, now))
    if trail.refusal or held is None:
        return _refuse(trail, held, now)
    grant = held.grant
    opened = narrow(ask.scopes, ask.resources, Reach(grant.scopes, grant.audience), policy)
    issue = Issue(
        client=client,
        subject=grant.sub,
        scopes=opened.scopes,
        audience=opened.audience,
        grant=grant,
        id_token="openid" in opened.scopes,
        refresh=policy.profile_for(client).rotate_refresh or held.token.spent_at is not None,
        confirmation=ask.confirmation,
        details=details.narrowed(ask.sent.get(details.PARAMETER), grant.details, opened.audience, policy),
        actor=grant.actor,
    )
    if not issue.refresh or held.token.spent_at is not None:
        return Decision(issue, trail)
    successor = RefreshToken(digest=fresh.refresh_digest, grant_id=grant.id, expires_at=now + policy.refresh_lifetime)
    spend = SpendRefreshToken(held.token.digest, successor.digest, now)
    return Decision(issue, trail, (spend, AddRefreshToken(successor)))


@check("RFC 6749 §6")
def the_token_is_one_of_ours(case: Case) -> Seen | Refusal:
    """The refresh token was cut by this issuer and is still remembered."""
    if case.held is None:
        return Refusal(
            REFRESH_UNUSABLE, "no such refresh token was cut here, or it is long gone", "one of ours", "none"
        )
    return Seen("cut here")


@check("RFC 6749 §10.4")
def the_token_belongs_to_this_client(case: Case) -> Seen | Refusal:
    """Only the client it was given to may use a refresh token."""
    owner = case.held.grant.client_id if case.held else ""
    if owner != case.client.id:
        return Refusal(REFRESH_UNUSABLE, "the refresh token was given to another client", owner, case.client.id)
    return Seen(case.client.id)


@check("RFC 7009 §2.1")
def the_grant_stands(case: Case) -> Seen | Refusal:
    """The grant behind the token was not revoked (by person, sign-out, client or replay), nor the account disabled."""
    revoked = case.held.grant.revoked_at if case.held else None
    if revoked is not None:
        ago = f"revoked {case.now - revoked} s ago"
        return Refusal(REFRESH_UNUSABLE, "the grant behind the token was revoked", "standing", ago)
    if case.held is not None and case.held.disabled:
        return Refusal(REFRESH_UNUSABLE, "the account behind the token was disabled", "open", "disabled")
    return Seen("standing")


@check("RFC 9700 §4.14.2")
def the_token_is_unspent_or_within_its_grace(case: Case) -> Seen | Refusal:
    """A spent token yields its same successor for a moment; after that, a second use is taken for theft."""
    spent = case.held.token.spent_at if case.held else None
    if spent is None:
        return Seen("unspent")
    ago, grace = case.now - spent, case.policy.refresh_grace
    rule = f"unspent, or spent at most {grace} s ago with its successor unused"
    if case.held is not None and case.held.successor_spent:
        return Refusal(REFRESH_REPLAYED, f"it was spent {ago} s ago and its successor was used", rule, "used twice")
    if ago > grace:
        return Refusal(REFRESH_REPLAYED, f"it was spent {ago} s ago", rule, f"spent {ago} s ago")
    return Seen(f"spent {ago} s ago: the same successor again", rule)


@check("RFC 6749 §6")
def the_token_is_fresh(case: Case) -> Seen | Refusal:
    """A refresh token that nobody used for long has expired."""
    left = (case.held.token.expires_at if case.held else 0) - case.now
    if left <= 0:
        return Refusal(REFRESH_UNUSABLE, f"the refresh token expired {-left} s ago", "not expired", "expired")
    return Seen(f"{left} s left")


@check("RFC 9449 §5")
def the_key_is_the_one_it_was_given_to(case: Case) -> Seen | Refusal:
    """A public client's refresh token works for the holder of the key it was given to."""
    return same_key(case.held.grant.confirmation if case.held else {}, case.ask.confirmation)


@check("RFC 6749 §6")
def the_scopes_are_within_the_grant(case: Case) -> Seen | Refusal:
    """A refresh may ask for less than was granted, never for more."""
    granted = case.held.grant.scopes if case.held else frozenset()
    excess = case.ask.scopes - granted
    if excess:
        return Refusal(
            BEYOND_GRANT,
            f"{min(excess)!r} was never granted",
            " ".join(sorted(granted)),
            " ".join(sorted(case.ask.scopes)),
        )
    return Seen(" ".join(sorted(case.ask.scopes)) or "as granted", " ".join(sorted(granted)))


@check("RFC 8707 §2.2")
def the_resource_is_within_the_grant(case: Case) -> Seen | Refusal:
    """A resource named here is one that the grant reaches, and has one of the scopes where these are named too."""
    grant, sent = case.held.grant if case.held else None, case.ask.resources
    refusal = outside_grant(sent, grant.audience if grant else ())
    if refusal is None and grant is not None:
        opened = narrow(case.ask.scopes, sent, Reach(grant.scopes, grant.audience), case.policy)
        refusal = nothing_there(case.ask.scopes, sent, opened)
    return refusal or Seen(" ".join(sent) or "as granted")


@check("RFC 9396 §6")
def the_details_are_within_the_grant(case: Case) -> Seen | Refusal:
    """Authorization details named here are within those that were granted."""
    granted = case.held.grant.details if case.held else ()
    return details.judged_within(case.ask.sent.get(details.PARAMETER), granted, case.policy)


CHECKS = (
    the_token_is_one_of_ours,
    the_token_belongs_to_this_client,
    the_grant_stands,
    the_key_is_the_one_it_was_given_to,
    the_token_is_unspent_or_within_its_grace,
    the_token_is_fresh,
    the_scopes_are_within_the_grant,
    the_resource_is_within_the_grant,
    the_details_are_within_the_grant,
)

REFRESH_UNUSABLE = Page(
    "IK240",
    INVALID_GRANT,
    "The refresh token cannot be used",
    "It is unknown, expired, was given to another client, or its grant was revoked: by sign-out, by the person, "
    "by the client, because the account was disabled, or because a code or an older token of the grant came twice.",
    "Forget the token and sign in again.",
    "The refresh token is not valid.",
)
REFRESH_REPLAYED = Page(
    "IK241",
    INVALID_GRANT,
    "A spent refresh token was used again",
    "Each refresh token works once. This one was spent too long ago, or its successor was used already: somebody "
    "has a copy. Nobody can tell the thief from the owner, so the whole grant is revoked.",
    "Store the new refresh token of every answer before using it; let one process refresh at a time. Sign in again.",
    "The refresh token is not valid.",
)
BEYOND_GRANT = Page(
    "IK242",
    INVALID_SCOPE,
    "A refresh asked for more than was granted",
    "A refresh can narrow the scopes of a grant but never widen them.",
    "Ask for a subset, or for nothing; for more, send the person to the authorization endpoint.",
    "The requested scope exceeds the one granted.",
)


def _refuse(trail: Trail, held: Held | None, now: int) -> Decision[Issue]:
    refusal = trail.refusal or Refusal(REFRESH_UNUSABLE, "no token")
    stolen = held is not None and refusal.page is REFRESH_REPLAYED
    return Decision(refusal, trail, (RevokeGrant(held.grant.id, now),) if stolen and held else ())
