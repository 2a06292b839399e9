"""A token of a pool is exchanged: to act as its user (impersonation), or for its user with the actor named (delegation)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from innkeeper.issuer.core.cognito.records import DELEGATION, IMPERSONATION, AppClient, User
from innkeeper.issuer.core.records import Grant
from innkeeper.protocol import errors
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
TYPES = {ACCESS_TOKEN: "access", ID_TOKEN: "id", "ACCESS_TOKEN": "access", "ID_TOKEN": "id"}
"""The types of tokens that are exchanged, as the endpoint and as the JSON API call them."""


class Presented(msgspec.Struct, frozen=True):
    """A token that was sent: its type as said, and its claims where it verified as this pool's."""

    kind: str
    claims: Mapping[str, Any] = {}

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(str(self.claims.get("scope", "")).split())


class Case(msgspec.Struct, frozen=True):
    client: AppClient
    subject: Presented
    actor: Presented | None
    grant: Grant | None
    user: User | None
    asked: tuple[str, ...]
    targets: tuple[str, ...]
    now: int


@check("Cognito token exchange: ExplicitAuthFlows")
def the_client_may_exchange(case: Case) -> Seen | Refusal:
    """Acting as a user needs one flow, acting for a user with the actor named another."""
    needed = DELEGATION if case.actor else IMPERSONATION
    if needed not in case.client.flows:
        return Refusal(MAY_NOT_EXCHANGE, "the client lacks the flow", needed, " ".join(sorted(case.client.flows)))
    return Seen(needed)


@check("Cognito token exchange: subject token")
def the_subject_token_is_this_pools(case: Case) -> Seen | Refusal:
    """The subject token is a living access or ID token of a user of this pool, whose sign-in stands."""
    if problem := _problem(case.subject, case.now):
        return Refusal(TOKEN_BAD, f"subject token: {problem}", "a living token of this pool", problem)
    if case.grant is None or case.grant.revoked_at is not None:
        return Refusal(TOKEN_BAD, "the sign-in of the subject token was revoked", "standing", "revoked")
    if case.user is None or case.user.person.disabled:
        return Refusal(TOKEN_BAD, "the user was deleted or disabled", "an enabled user", "none")
    return Seen(case.user.sub)


@check("Cognito token exchange: actor token")
def the_actor_token_is_this_pools(case: Case) -> Seen | Refusal:
    """The actor token, where there is one, is a living token of this pool."""
    if case.actor is None:
        return Seen("none")
    if problem := _problem(case.actor, case.now):
        return Refusal(TOKEN_BAD, f"actor token: {problem}", "a living token of this pool", problem)
    return Seen(str(case.actor.claims["sub"]))


@check("Cognito token exchange: audience and resource")
def one_target_is_named_at_most(case: Case) -> Seen | Refusal:
    """The new token is for one audience or one resource, not for several."""
    if len(case.targets) > 1:
        return Refusal(TOO_MANY, "several audiences or resources", "one at most", str(len(case.targets)))
    return Seen(case.targets or "none")


@check("Cognito token exchange: scopes")
def scopes_are_left(case: Case) -> Seen | Refusal:
    """The scopes asked for, the subject token's and the client's have one in common."""
    given = granted(case)
    if not given:
        held = " ".join(sorted(case.subject.scopes)) or "none"
        return Refusal(NOTHING_LEFT, "no scope is in all three", f"some of {held}", " ".join(case.asked) or "none")
    return Seen(given)


CHECKS = (
    the_client_may_exchange,
    the_subject_token_is_this_pools,
    the_actor_token_is_this_pools,
    one_target_is_named_at_most,
    scopes_are_left,
)


def granted(case: Case) -> frozenset[str]:
    """What was asked for (else everything), within the subject token and within the client."""
    held, mine = case.subject.scopes, frozenset(case.client.scopes)
    if case.subject.kind == "id" and case.grant is not None:
        held = case.grant.scopes
    return (frozenset(case.asked) or held) & held & mine


def actor_of(case: Case) -> dict[str, Any] | None:
    """Who acts, with whoever acted before nested within (RFC 8693 §4.1)."""
    before = case.subject.claims.get("act")
    if case.actor is None:
        return dict(before) if isinstance(before, Mapping) else None
    now = {"sub": case.actor.claims["sub"]}
    return {**now, "act": dict(before)} if isinstance(before, Mapping) else now


def _problem(token: Presented, now: int) -> str:
    if not token.kind:
        return "a type of token that is not exchanged"
    if token.claims.get("token_use") != token.kind:
        return f"no {token.kind} token of this pool"
    late = now - int(token.claims["exp"])
    return f"expired {late} s ago" if late >= 0 else ""


MAY_NOT_EXCHANGE = Page(
    "IK1040",
    errors.UNAUTHORIZED_CLIENT,
    "The app client may not exchange tokens",
    "Exchanging without an actor needs ALLOW_TOKEN_EXCHANGE_IMPERSONATION, with an actor ALLOW_TOKEN_EXCHANGE_DELEGATION, in "
    "ExplicitAuthFlows of the client.",
    "Add the flow to ExplicitAuthFlows with UpdateUserPoolClient, together with all its other members.",
    "Client is not allowed to exchange tokens",
    level="documented",
    console="App client, Authentication flows.",
    terraform='explicit_auth_flows = ["ALLOW_TOKEN_EXCHANGE_DELEGATION"]',
)
TOKEN_BAD = Page(
    "IK1041",
    errors.INVALID_GRANT,
    "The token to exchange is of no use",
    "The subject or actor token is another pool's, of another type than said, expired, or its sign-in was revoked.",
    "Get a new token and exchange that.",
    "Invalid token",
    level="inferred",
)
TOO_MANY = Page(
    "IK1042",
    errors.INVALID_REQUEST,
    "More than one target",
    "A token is exchanged for one audience or one resource.",
    "Exchange once for each target.",
    "Only one audience or resource is allowed",
    level="documented",
)
NOTHING_LEFT = Page(
    "IK1043",
    errors.INVALID_SCOPE,
    "An exchange leaves no scope",
    "The new token gets the scopes that were asked for, that the subject token has and that the client has; there is none.",
    "Ask for scopes that the subject token has and that are in the client's AllowedOAuthScopes.",
    "Invalid scope",
    level="documented",
    console="App client, Login pages, Edit: scopes.",
    terraform="allowed_oauth_scopes",
)
