"""An issuer that this one trusts vouches for somebody: its assertion is redeemed for an access token (RFC 7523 §2.1)."""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddOnce
from innkeeper.issuer.core.policy import OPENID_SCOPES, Policy
from innkeeper.issuer.core.records import Client, TrustedIssuer
from innkeeper.issuer.core.scopes import SCOPE_NOT_ALLOWED, reach, unknown_scope, unknown_target
from innkeeper.issuer.core.token import Issue, TokenRequest
from innkeeper.protocol.errors import INVALID_GRANT
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check, follow

ASSERTION = "bearer assertion"
"""The kind under which used assertions are remembered."""

_TYPES = ("", "jwt", "application/jwt")


class Assertion(msgspec.Struct, frozen=True):
    """The assertion after the desk looked at it. ``problem`` is empty where a key of ``issuer`` verifies it.

    ``key`` names it among those used before, ``replayed`` says that it is one of them. ``subject`` is the person or
    client here for whom its issuer vouches, "" for nobody; ``machine`` says that it is a client.
    """

    problem: str
    issuer: TrustedIssuer | None = None
    typ: str = ""
    claims: dict[str, Any] = {}
    key: str = ""
    replayed: bool = False
    subject: str = ""
    machine: bool = False


class Case(msgspec.Struct, frozen=True):
    ask: TokenRequest
    client: Client
    assertion: Assertion
    policy: Policy
    now: int

    @property
    def ceiling(self) -> frozenset[str]:
        """The most that the issuer's word opens for this client."""
        issuer = self.assertion.issuer
        most = issuer.scopes if issuer and issuer.scopes else self.client.scopes
        return self.client.scopes & most - {"offline_access"}

    @property
    def asked(self) -> frozenset[str]:
        """The scopes asked for; where none are, those of APIs that there are to have."""
        return self.ask.scopes or self.ceiling.difference(OPENID_SCOPES)


def decide(ask: TokenRequest, client: Client, assertion: Assertion, policy: Policy, now: int) -> Decision[Issue]:
    """An access token for whom the assertion speaks of, and nothing to refresh it with: the next assertion does that."""
    case = Case(ask, client, assertion, policy, now)
    trail = follow("assertion", CHECKS, case)
    if trail.refusal:
        return Decision(trail.refusal, trail)
    opened = reach(case.asked, ask.resources, client, policy)
    issue = Issue(
        client=client,
        subject=assertion.subject,
        scopes=opened.scopes,
        audience=opened.audience,
        confirmation=ask.confirmation,
    )
    spend = AddOnce(ASSERTION, assertion.key, int(assertion.claims["exp"]) + 2 * policy.leeway)
    return Decision(issue, trail, (spend,))


@check("RFC 7523 §3")
def the_issuer_is_trusted(case: Case) -> Seen | Refusal:
    """``iss`` is an issuer that the operator of this one trusts, to the character."""
    if case.assertion.issuer is None:
        found = repr(case.assertion.claims.get("iss")) if case.assertion.claims else case.assertion.problem
        expected = " or ".join(case.policy.trusted_issuers) or "none: no [[trusted_issuer]] is set"
        return _unusable("the assertion is not from a trusted issuer", expected, found)
    return Seen(case.assertion.issuer.issuer)


@check("RFC 7521 §4.1")
def the_client_may_bring_its_assertions(case: Case) -> Seen | Refusal:
    """The operator lets this client redeem what that issuer says."""
    allowed = case.assertion.issuer.clients if case.assertion.issuer else ()
    if allowed and case.client.id not in allowed:
        return _unusable("the issuer's assertions are for other clients", " or ".join(sorted(allowed)), case.client.id)
    return Seen(case.client.id)


@check("RFC 7523 §3")
def the_assertion_is_signed_by_its_issuer(case: Case) -> Seen | Refusal:
    """The signature verifies with one of the issuer's keys, and the token is of no other type."""
    if case.assertion.problem:
        return _unusable("the signature does not verify", "a key of the issuer", case.assertion.problem)
    if case.assertion.typ.lower() not in _TYPES:
        return _unusable("the token is of another type", "JWT", case.assertion.typ)
    return Seen("a key of the issuer")


@check("RFC 7523 §3")
def the_assertion_is_addressed_to_us(case: Case) -> Seen | Refusal:
    """``aud`` is this issuer or its token endpoint."""
    named = case.assertion.claims.get("aud")
    audience = (
        {named}
        if isinstance(named, str)
        else {one for one in named if isinstance(one, str)}
        if isinstance(named, list)
        else set()
    )
    if not audience & case.ask.audiences:
        return _unusable("the assertion is for someone else", " or ".join(sorted(case.ask.audiences)), repr(named))
    return Seen(" ".join(sorted(audience)))


@check("RFC 7523 §3")
def the_assertion_is_fresh(case: Case) -> Seen | Refusal:
    """``exp`` lies ahead but not far, ``nbf`` and ``iat`` do not, and ``iat`` is not long ago."""
    claims, now, leeway = case.assertion.claims, case.now, case.policy.leeway
    longest = case.assertion.issuer.lifetime if case.assertion.issuer else 0
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    strange = next((name for name, value in times.items() if type(value) not in (int, float)), None)
    if strange or "exp" not in times:
        return _unusable("a time is missing or no number", "exp in seconds", repr(times.get(strange or "exp")))
    if times["exp"] <= now - leeway:
        return _unusable(f"the assertion expired {now - times['exp']:.0f} s ago", "not expired", "expired")
    if times["exp"] > now + longest + leeway:
        return _unusable("the assertion lives too long", f"{longest} s", f"{times['exp'] - now:.0f} s")
    if max(times.get("nbf", 0), times.get("iat", 0)) > now + leeway:
        return _unusable("the assertion is not valid yet", f"nbf and iat at most {now}", repr(times))
    if times.get("iat", now) < now - longest - leeway:
        return _unusable("the assertion was made too long ago", f"at most {longest} s ago", repr(times["iat"]))
    return Seen(f"expires in {times['exp'] - now:.0f} s")


@check("RFC 7523 §3")
def the_assertion_is_new(case: Case) -> Seen | Refusal:
    """An assertion is redeemed once, so a copy of it is worth nothing."""
    if case.assertion.replayed:
        return Refusal(ASSERTION_REPLAYED, "the assertion was redeemed before", "a new assertion", "the same again")
    return Seen("not seen before")


@check("RFC 7523 §3")
def the_subject_is_somebody_here(case: Case) -> Seen | Refusal:
    """The issuer may vouch for its subject, who is a person with an account here or the calling client itself."""
    assertion = case.assertion
    issuer = assertion.issuer
    name = issuer.subject_claim if issuer else "sub"
    if not assertion.subject:
        found = repr(assertion.claims.get(name))
        expected = " or ".join(issuer.subjects) if issuer and issuer.subjects else "a subject that is mapped"
        return Refusal(SUBJECT_UNKNOWN, f"{name} names nobody here that the issuer may vouch for", expected, found)
    if assertion.machine and assertion.subject != case.client.id:
        return Refusal(SUBJECT_UNKNOWN, "the subject is another client", case.client.id, assertion.subject)
    return Seen(assertion.subject)


@check("RFC 7521 §4.1")
def the_scopes_are_within_the_trust(case: Case) -> Seen | Refusal:
    """The client may have the scopes, and the issuer's word is enough for them."""
    refusal = unknown_scope(case.ask.scopes, case.client, case.policy)
    if refusal:
        return refusal
    excess = case.asked - case.ceiling
    if excess:
        reason = f"the issuer's word is not enough for {min(excess)!r}"
        return Refusal(SCOPE_NOT_ALLOWED, reason, " ".join(sorted(case.ceiling)), " ".join(sorted(case.asked)))
    return Seen(" ".join(sorted(case.asked)))


@check("RFC 8707 §2.2")
def the_resource_is_one_for_the_client(case: Case) -> Seen | Refusal:
    """A resource that is named is registered and has a scope the client may have."""
    refusal = unknown_target(case.ask.resources, case.client, case.policy)
    return refusal or Seen(" ".join(case.ask.resources) or "none named")


CHECKS = (
    the_issuer_is_trusted,
    the_client_may_bring_its_assertions,
    the_assertion_is_signed_by_its_issuer,
    the_assertion_is_addressed_to_us,
    the_assertion_is_fresh,
    the_assertion_is_new,
    the_subject_is_somebody_here,
    the_scopes_are_within_the_trust,
    the_resource_is_one_for_the_client,
)

ASSERTION_UNUSABLE = Page(
    "IK280",
    INVALID_GRANT,
    "The assertion cannot be used",
    "It is from an issuer that is not trusted here, does not verify with that issuer's keys, is addressed to someone "
    "else, has expired, is not valid yet or lives too long, or it is for other clients.",
    "Compare iss with [[trusted_issuer]] to the character, set aud to this issuer, and make a new one each time.",
    "The assertion is not valid.",
)
ASSERTION_REPLAYED = Page(
    "IK281",
    INVALID_GRANT,
    "The assertion was redeemed before",
    "An assertion works once: a second use is a retry by mistake, or a thief.",
    "Let the issuer make a new assertion with a new jti.",
    "The assertion is not valid.",
)
SUBJECT_UNKNOWN = Page(
    "IK282",
    INVALID_GRANT,
    "The assertion speaks of nobody here",
    "Its subject is not among those that the issuer may vouch for, has no account here, or is another client than "
    "the one that called.",
    "Add the subject to [trusted_issuer.subjects] with the person's sub or the client's id.",
    "The assertion is not valid.",
)


def _unusable(reason: str, expected: str, found: str) -> Refusal:
    return Refusal(ASSERTION_UNUSABLE, reason, expected, found)
