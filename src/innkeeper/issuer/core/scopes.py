"""Which scopes, at which resources: the part of a request that says what a token shall open."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from innkeeper.issuer.core.policy import OPENID_SCOPES, Policy
from innkeeper.issuer.core.records import Client
from innkeeper.protocol.errors import INVALID_SCOPE, INVALID_TARGET
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.resources import registered_spelling
from innkeeper.protocol.values import Value

_REMEMBERED = 1_024
"""Answers kept of the two questions that every token request asks and few of them differently."""


class Reach(Value, frozen=True, gc=False):
    """What a token opens: scopes, and the audience, in the resources' registered spelling."""

    scopes: frozenset[str]
    audience: tuple[str, ...]


def unknown_scope(asked: frozenset[str], client: Client, policy: Policy) -> Refusal | None:
    """The refusal for the first scope that nobody registered or that this client may not have."""
    if asked <= client.scopes:
        return None
    one = min(asked - client.scopes)
    known = one in policy.known_scopes()
    reason = f"client {client.id!r} may not have the scope {one!r}" if known else f"no scope {one!r} exists here"
    hint = f"Add it to the client: `innkeeper client change {client.id} --add-scope {one}`." if known else ""
    return Refusal(SCOPE_NOT_ALLOWED, reason, " ".join(sorted(client.scopes)), " ".join(sorted(asked)), hint)


def permitted(asked: frozenset[str], client: Client | None, policy: Policy) -> frozenset[str]:
    """The scopes asked for, without those the client may not have, where its profile drops these in silence.

    Where none would be left they stay, to be refused: a client that asked for something is not given everything.
    """
    if client is None or not policy.profile_for(client).drop_unknown_scopes:
        return asked
    return asked & client.scopes or asked


def unknown_target(sent: Sequence[str], client: Client, policy: Policy) -> Refusal | None:
    """The refusal for the first ``resource`` that is unknown here or not for this client."""
    allowed = resources_of(client, policy)
    for one in sent:
        if registered_spelling(one, allowed) is None:
            expected = " or ".join(allowed) or "none: the client may use no resource"
            return Refusal(TARGET_UNKNOWN, f"the resource {one!r} is not one this client may use", expected, one)
    return None


def reach(asked: frozenset[str], sent: Sequence[str], client: Client, policy: Policy) -> Reach:
    """The scopes and audience that a request comes to, after the two refusals above were ruled out.

    Where no resource is named, it is the first one that has each scope. ``openid`` without a named resource
    opens userinfo too, whose audience is the issuer itself; scopes of resources not asked for are left out.
    """
    return _reach(asked, tuple(sent), client.scopes, client.resources, policy)


@lru_cache(maxsize=_REMEMBERED)
def _reach(
    asked: frozenset[str], sent: tuple[str, ...], scopes: frozenset[str], resources: tuple[str, ...], policy: Policy
) -> Reach:
    targets = _targets(asked, sent, _allowed(scopes, resources, policy), policy)
    at_targets = frozenset().union(*(policy.resources[uri].scopes for uri in targets))
    granted = frozenset(one for one in asked if one in OPENID_SCOPES or one in at_targets)
    to_userinfo = not targets or ("openid" in asked and not sent)
    return Reach(granted, (*targets, policy.issuer) if to_userinfo else targets)


def outside_grant(sent: Sequence[str], granted: Sequence[str]) -> Refusal | None:
    """The refusal for the first ``resource`` that the grant does not reach (§2.2)."""
    for one in sent:
        if registered_spelling(one, granted) is None:
            return Refusal(TARGET_UNKNOWN, f"the grant does not reach the resource {one!r}", " or ".join(granted), one)
    return None


def nothing_there(asked: frozenset[str], sent: Sequence[str], opened: Reach) -> Refusal | None:
    """The refusal where none of the scopes asked for exists at the resources named: the token would open nothing."""
    if not asked or not sent or opened.scopes:
        return None
    reason = "none of the scopes asked for exists at the resource named"
    return Refusal(SCOPE_NOT_ALLOWED, reason, f"scopes of {' or '.join(sent)}", " ".join(sorted(asked)))


def narrow(scopes: frozenset[str], sent: Sequence[str], granted: Reach, policy: Policy) -> Reach:
    """The part of a grant that one access token is cut for: the scopes asked, at the resources named (§2.2)."""
    wanted = scopes & granted.scopes if scopes else granted.scopes
    if not sent:
        return Reach(wanted, granted.audience)
    spelled = (registered_spelling(one, granted.audience) for one in sent)
    audience = tuple(dict.fromkeys(uri for uri in spelled if uri is not None))
    there = frozenset().union(*(policy.resources[uri].scopes for uri in audience if uri in policy.resources))
    return Reach(frozenset(one for one in wanted if one in OPENID_SCOPES or one in there), audience)


def resources_of(client: Client, policy: Policy) -> tuple[str, ...]:
    """The resources a client may name: those it is bound to, or all that have one of its scopes."""
    return _allowed(client.scopes, client.resources, policy)


@lru_cache(maxsize=_REMEMBERED)
def _allowed(scopes: frozenset[str], resources: tuple[str, ...], policy: Policy) -> tuple[str, ...]:
    if resources:
        return tuple(uri for uri in resources if uri in policy.resources)
    return tuple(uri for uri, one in policy.resources.items() if not scopes.isdisjoint(one.scopes))


def _targets(asked: frozenset[str], sent: Sequence[str], allowed: Sequence[str], policy: Policy) -> tuple[str, ...]:
    if sent:
        spelled = (registered_spelling(one, allowed) for one in sent)
        return tuple(dict.fromkeys(uri for uri in spelled if uri is not None))
    owners = (_owner(scope, allowed, policy) for scope in sorted(asked))
    return tuple(dict.fromkeys(uri for uri in owners if uri is not None))


def _owner(scope: str, allowed: Sequence[str], policy: Policy) -> str | None:
    return next((uri for uri in allowed if scope in policy.resources[uri].scopes), None)


SCOPE_NOT_ALLOWED = Page(
    "IK210",
    INVALID_SCOPE,
    "The client asked for a scope it may not have",
    "The scope is misspelt, belongs to no resource of this issuer, or is not among those the client is registered for.",
    "Ask only for scopes the client has, or register the scope for the client. Scopes are separated by spaces.",
    "The requested scope is unknown or not allowed for this client.",
)
TARGET_UNKNOWN = Page(
    "IK211",
    INVALID_TARGET,
    "The resource is not one this client may use",
    "The resource parameter names an API that is not registered here, or that has no scope this client may have.",
    "Send the URI exactly as the API's protected resource metadata spells it, or register the resource.",
    "The requested resource is unknown or not allowed for this client.",
)
