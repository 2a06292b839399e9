"""Another issuer says that somebody signed out there: whether that is true, and whom it ends here."""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core.backchannel_logout import EVENT
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddOnce
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Upstream
from innkeeper.protocol.errors import INVALID_REQUEST
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check, follow

USED = "upstream logout token"
LONGEST = 600
"""Seconds that a logout token may be old; §4 recommends two minutes."""


class Case(msgspec.Struct, frozen=True):
    """A logout token after the desk looked at it. ``problem`` is empty where a key of the issuer verifies it; ``replayed``
    says that it came before."""

    upstream: Upstream
    problem: str
    claims: dict[str, Any]
    policy: Policy
    now: int
    replayed: bool = False

    @property
    def name(self) -> str:
        """What it is remembered by."""
        return f"{self.upstream.id} {self.claims.get('jti')}"


class Ended(msgspec.Struct, frozen=True):
    """Who signed out there: one session, or all of a subject's where it is "". Either may be "", never both."""

    subject: str
    sid: str


def decide(case: Case) -> Decision[Ended]:
    """Whose sessions end."""
    trail = follow("upstream logout", CHECKS, case)
    if trail.refusal:
        return Decision(trail.refusal, trail)
    said = case.claims
    subject = said.get(case.upstream.subject_claim) or said.get("sub") or ""
    spent = AddOnce(USED, case.name, case.now + LONGEST + 2 * case.policy.leeway)
    return Decision(Ended(str(subject), str(said.get("sid") or "")), trail, (spent,))


@check("Back-Channel Logout §2.6")
def it_is_signed_by_that_issuer(case: Case) -> Seen | Refusal:
    """One of the issuer's own keys verifies it, and the issuer is one at which people sign in."""
    if case.problem:
        return _wrong("the logout token does not verify", "a key of the issuer", case.problem)
    return Seen("a key of the issuer")


@check("Back-Channel Logout §2.6")
def it_is_from_and_for_the_right_ones(case: Case) -> Seen | Refusal:
    """``iss`` is the issuer, ``aud`` our client id there."""
    named, wanted = case.claims.get("aud"), case.upstream.client_id
    if case.claims.get("iss") != case.upstream.issuer:
        return _wrong("another issuer is named", case.upstream.issuer, repr(case.claims.get("iss")))
    if named != wanted and not (isinstance(named, list) and wanted in named):
        return _wrong("it is for another client", wanted, repr(named))
    return Seen(wanted)


@check("Back-Channel Logout §2.6")
def it_is_of_now(case: Case) -> Seen | Refusal:
    """``iat`` is a moment ago, and ``exp``, where it stands, lies ahead."""
    made, ends = case.claims.get("iat"), case.claims.get("exp", case.now + 1)
    if type(made) not in (int, float) or type(ends) not in (int, float) or made is None:
        return _wrong("a time is missing or no number", "iat in seconds", repr(made))
    if not case.now - LONGEST <= made <= case.now + case.policy.ahead or ends <= case.now - case.policy.leeway:
        return _wrong("it is too old, or not valid yet", f"made within {LONGEST} s", f"{case.now - made:.0f} s ago")
    return Seen(f"{case.now - made:.0f} s ago")


@check("Back-Channel Logout §2.6")
def it_is_a_logout_token_and_nothing_else(case: Case) -> Seen | Refusal:
    """It speaks of a sign-out and has no nonce, so that no ID token is taken for one."""
    events = case.claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict) or "nonce" in case.claims:
        return _wrong("it is no logout token", f"events with {EVENT} and no nonce", "another token")
    return Seen("a logout token")


@check("Back-Channel Logout §2.6")
def it_says_who_signed_out(case: Case) -> Seen | Refusal:
    """It names a subject, a session, or both, and has an id of its own."""
    said = [name for name in ("sub", "sid") if isinstance(case.claims.get(name), str) and case.claims[name]]
    if not said or not isinstance(case.claims.get("jti"), str):
        return _wrong("it names nobody, or has no jti", "sub or sid, and jti", ", ".join(said) or "neither")
    return Seen(", ".join(said))


@check("Back-Channel Logout §2.6")
def it_is_new(case: Case) -> Seen | Refusal:
    """It did not come before."""
    if case.replayed:
        return _wrong("it came before", "a new one", "the same again")
    return Seen("not seen before")


CHECKS = (
    it_is_signed_by_that_issuer,
    it_is_from_and_for_the_right_ones,
    it_is_of_now,
    it_is_a_logout_token_and_nothing_else,
    it_says_who_signed_out,
    it_is_new,
)

LOGOUT_TOKEN_WRONG = Page(
    "IK908",
    INVALID_REQUEST,
    "The logout token is not good",
    "Somebody sent a logout token for an [[upstream]] that is not signed by that issuer, is for another client, too old, used "
    "before, or names nobody.",
    "Compare issuer and client_id in [[upstream]] with what that issuer has; the trail names the claim.",
    "The logout token is not valid.",
)


def _wrong(reason: str, expected: str, found: str) -> Refusal:
    return Refusal(LOGOUT_TOKEN_WRONG, reason, expected, found)
