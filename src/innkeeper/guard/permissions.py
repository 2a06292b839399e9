"""Does the token reach far enough for this request: who calls, roles, groups, details, how and when they signed in?

Scopes have their own room beside this one (``guard.scopes``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from innkeeper.guard.needs import Needs
from innkeeper.protocol.errors import INSUFFICIENT_SCOPE, INSUFFICIENT_USER_AUTHENTICATION
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.values import Value
from innkeeper.tokens.access import AccessToken
from innkeeper.tokens.trail import Check, Seen, check


class Wish(Value, frozen=True, gc=False):
    """A good token, what the request needs of it, and when."""

    token: AccessToken
    needs: Needs
    now: float
    leeway: float


@check("RFC 9068 §5")
def caller_is_of_the_kind(case: Wish) -> Seen | Refusal:
    """Where a person is needed the token must be a person's, where a machine, a client's own."""
    found = "machine" if case.token.is_machine else "person"
    if case.needs.caller not in ("anyone", found):
        return Refusal(ANOTHER_CALLER, f"the token is a {found}'s", f"a {case.needs.caller}", f"a {found}")
    return Seen(f"a {found}", "" if case.needs.caller == "anyone" else f"a {case.needs.caller}")


@check("RFC 9068 §2.2.3.1")
def roles_are_held(case: Wish) -> Seen | Refusal:
    """Every role that is needed must be in the token."""
    missing = case.needs.roles - case.token.roles
    if missing:
        return Refusal(
            ROLE_MISSING, f"{_words(missing)} is missing", _words(case.needs.roles), _words(case.token.roles)
        )
    return Seen(case.token.roles, case.needs.roles)


@check("RFC 9068 §2.2.3.1")
def groups_are_held(case: Wish) -> Seen | Refusal:
    """Every group that is needed must be in the token."""
    missing = case.needs.groups - case.token.groups
    if missing and _are_elsewhere(case.token.claims):
        return Refusal(GROUPS_ELSEWHERE, "the token says only where the groups are to be asked for", "groups", "none")
    if missing:
        held = _words(case.token.groups)
        return Refusal(GROUP_MISSING, f"{_words(missing)} is missing", _words(case.needs.groups), held)
    return Seen(case.token.groups, case.needs.groups)


@check("RFC 9396 §9.1")
def details_are_granted(case: Wish) -> Seen | Refusal:
    """Every detail that is needed must be within one that was granted."""
    for wanted in case.needs.details:
        if not any(_grants(one, wanted) for one in case.token.details):
            found = ", ".join(str(one.get("type"))[:40] for one in case.token.details) or "none"
            return Refusal(DETAIL_MISSING, f"no detail grants this {wanted['type']}", str(wanted["type"]), found)
    return Seen(f"{len(case.needs.details)} needed" if case.needs.details else "none needed")


@check("RFC 9470 §3")
def sign_in_was_strong_enough(case: Wish) -> Seen | Refusal:
    """The sign-in must have been of one of the levels that are named."""
    held = {case.token.acr, *_contexts(case.token.claims)} - {""}
    if case.needs.acr and held.isdisjoint(case.needs.acr):
        return Refusal(TOO_WEAK, "the person signed in otherwise", " or ".join(case.needs.acr), _words(held))
    return Seen(_words(held), case.needs.acr)


@check("RFC 9470 §3")
def sign_in_was_recent_enough(case: Wish) -> Seen | Refusal:
    """The sign-in must not be older than the request allows."""
    most, since = case.needs.max_age, case.token.auth_time
    if most is None:
        return Seen("any age")
    if not since:
        return Refusal(TOO_LONG_AGO, "the token does not say when the person signed in", f"{most} s", "no auth_time")
    age = int(case.now - since)
    if age > most + case.leeway:
        return Refusal(TOO_LONG_AGO, f"the person signed in {age} s ago", f"at most {most} s", f"{age} s")
    return Seen(f"{age} s ago", f"at most {most} s")


PERMISSION_CHECKS: tuple[Check[Wish], ...] = (
    caller_is_of_the_kind,
    roles_are_held,
    groups_are_held,
    details_are_granted,
    sign_in_was_strong_enough,
    sign_in_was_recent_enough,
)


def _grants(granted: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(name in granted and _holds(granted[name], value) for name, value in wanted.items())


def _holds(granted: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(granted, Mapping) and _grants(granted, wanted)
    if isinstance(wanted, (list, tuple)):
        return isinstance(granted, list) and all(any(_same(one, value) for one in granted) for value in wanted)
    return any(_same(one, wanted) for one in granted) if isinstance(granted, list) else _same(granted, wanted)


def _same(one: Any, other: Any) -> bool:
    """JSON's equality: true is no 1."""
    return type(one) is type(other) and bool(one == other)


def _are_elsewhere(claims: Mapping[str, Any]) -> bool:
    """Whether there are too many groups to list: the issuer says so in one of two ways."""
    sources = claims.get("_claim_names")
    return (isinstance(sources, dict) and "groups" in sources) or claims.get("hasgroups") is True


def _contexts(claims: Mapping[str, Any]) -> list[str]:
    """Entra's levels stand in a list beside acr."""
    found = claims.get("acrs")
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _words(names: frozenset[str] | set[str]) -> str:
    return " ".join(sorted(names)) or "none"


_MORE = "The request needs more than this access token grants."

ANOTHER_CALLER = Page(
    "IK559",
    INSUFFICIENT_SCOPE,
    "The request is not for this kind of caller",
    "The route is for people only, or for machines only, and the token is the other's.",
    "Sign a person in and send their token, or, where a machine is asked for, get one with client credentials.",
    _MORE,
    403,
)
ROLE_MISSING = Page(
    "IK560",
    INSUFFICIENT_SCOPE,
    "The token has not every role that is needed",
    "Roles are assigned to people and applications where the token comes from; a client cannot ask for them.",
    "Assign the role at the issuer, then get a new token.",
    _MORE,
    403,
)
GROUP_MISSING = Page(
    "IK561",
    INSUFFICIENT_SCOPE,
    "The token has not every group that is needed",
    "The person is not in the group, or the issuer is not set to put groups into tokens for this API.",
    "Add the person to the group, or let the issuer send groups; then get a new token.",
    _MORE,
    403,
)
GROUPS_ELSEWHERE = Page(
    "IK562",
    INSUFFICIENT_SCOPE,
    "The person has more groups than fit into a token",
    "Entra lists up to 200 groups; beyond that the token only says where to ask for them, and the guard asks nobody.",
    "Let Entra send only groups that are assigned to the application, or use app roles in place of groups.",
    _MORE,
    403,
)
DETAIL_MISSING = Page(
    "IK563",
    INSUFFICIENT_SCOPE,
    "No authorization detail grants this",
    "The request needs a right that is finer than a scope, and none in the token's authorization_details covers it.",
    "Ask for the token with authorization_details of that type and these fields.",
    _MORE,
    403,
)
TOO_WEAK = Page(
    "IK564",
    INSUFFICIENT_USER_AUTHENTICATION,
    "The person must sign in more strongly",
    "The claim acr is not one of the levels that this request needs.",
    "Send the person to the issuer again with acr_values as the challenge names them.",
    "A different authentication level is required.",
    401,
)
TOO_LONG_AGO = Page(
    "IK565",
    INSUFFICIENT_USER_AUTHENTICATION,
    "The person must sign in again",
    "More time has passed since auth_time than this request allows, or the token does not say when the sign-in was.",
    "Send the person to the issuer again with max_age as the challenge names it.",
    "More recent authentication is required.",
    401,
)
