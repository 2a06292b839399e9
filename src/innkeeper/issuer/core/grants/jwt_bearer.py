"""An issuer that this one trusts vouches for somebody: its assertion is redeemed for an access token (RFC 7523 §2.1).

The assertion is one of three: another issuer's word for somebody here; an organization's word for one of its people, bound to
client and resource (ID-JAG); a platform's word for a program that runs on it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core import approval
from innkeeper.issuer.core.agents import Hop, stopped
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddOnce
from innkeeper.issuer.core.platforms import Workload, mismatch
from innkeeper.issuer.core.policy import OPENID_SCOPES, Policy
from innkeeper.issuer.core.records import Client, TrustedIssuer
from innkeeper.issuer.core.rights import unapproved
from innkeeper.issuer.core.scopes import (
    SCOPE_NOT_ALLOWED,
    TARGET_UNKNOWN,
    Reach,
    reach,
    resources_of,
    unknown_scope,
    unknown_target,
)
from innkeeper.issuer.core.token import Issue, TokenRequest
from innkeeper.protocol.errors import INVALID_GRANT
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.resources import registered_spelling
from innkeeper.tokens.trail import Check, Seen, check, follow

ASSERTION = "bearer assertion"
"""The kind under which used assertions are remembered."""

_TYPES = ("", "jwt", "application/jwt")
_OF_SPIFFE = ("jose",)
IDENTITY_ASSERTION = "oauth-id-jag+jwt"
"""The type of an organization's word for one of its people."""


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
    """A request with an assertion. ``hops`` is the client as it stands with the person that the assertion speaks of."""

    ask: TokenRequest
    client: Client
    assertion: Assertion
    policy: Policy
    now: int
    approval: approval.Approval = approval.NOT_APPROVED
    hops: tuple[Hop, ...] = ()

    @property
    def issuer(self) -> TrustedIssuer:
        """Whose word it is; read after the first check alone."""
        if self.assertion.issuer is None:
            raise AssertionError("the first check lets nobody pass whose issuer is not trusted")
        return self.assertion.issuer

    @property
    def rules(self) -> tuple[Workload, ...]:
        """The rules by which programs of the platform are this client."""
        issuer = self.assertion.issuer
        return tuple(one for one in issuer.workloads if one.client == self.client.id) if issuer else ()

    @property
    def rule(self) -> Workload | None:
        """The one that the assertion fits."""
        return next((one for one in self.rules if mismatch(one, self.assertion.claims) is None), None)

    @property
    def ceiling(self) -> frozenset[str]:
        """The most that the issuer's word opens for this client."""
        issuer, rule = self.assertion.issuer, self.rule
        most = issuer.scopes if issuer and issuer.scopes else self.client.scopes
        if rule and rule.scopes:
            most &= rule.scopes
        if issuer and issuer.identity_assertions:
            most &= _words(self.assertion.claims.get("scope"))
        return self.client.scopes & most - {"offline_access"}

    @property
    def resources(self) -> tuple[str, ...]:
        """The resources that the token shall be for: those asked for, else those that the assertion is bound to."""
        bound = _texts(self.assertion.claims.get("resource")) if self.issuer.identity_assertions else ()
        return self.ask.resources or bound

    @property
    def asked(self) -> frozenset[str]:
        """The scopes asked for; where none are, those of APIs that there are to have, and of these what a person has to
        allow first only where there is nothing else, or where their organization named it."""
        most = self.ceiling.difference(OPENID_SCOPES)
        named = self.assertion.issuer is not None and self.assertion.issuer.identity_assertions
        return self.ask.scopes or (most if named else most - self._risky) or most

    @property
    def _risky(self) -> frozenset[str]:
        there = self.resources or resources_of(self.client, self.policy)
        return self.policy.risky(there) if self.for_a_person else frozenset()

    @property
    def for_a_person(self) -> bool:
        """Whether the assertion speaks of a person, and not of a program."""
        issuer, assertion = self.assertion.issuer, self.assertion
        return issuer is not None and not issuer.workloads and bool(assertion.subject) and not assertion.machine

    @property
    def opened(self) -> Reach:
        """What the token opens."""
        return reach(self.asked, self.resources, self.client, self.policy)


def decide(case: Case) -> Decision[Issue]:
    """An access token for whom the assertion speaks of, and nothing to refresh it with: the next assertion does that."""
    assertion, opened = case.assertion, Reach(frozenset(), ())
    trail = follow("assertion", CHECKS, case)
    if not trail.refusal:
        trail = trail.then(follow("assertion", checks_of(case.issuer), case))
    if not trail.refusal:
        opened, waits = case.opened, waiting_for(case)
        trail = trail.then(approval.judge(waits)) if waits else trail
    if trail.refusal:
        return Decision(trail.refusal, trail)
    issue = Issue(
        client=case.client,
        subject=case.client.id if case.rule else assertion.subject,
        scopes=opened.scopes,
        audience=opened.audience,
        confirmation=case.ask.confirmation,
    )
    spend = AddOnce(ASSERTION, assertion.key, int(assertion.claims["exp"]) + 2 * case.policy.leeway)
    return Decision(issue, trail, (spend,) if case.issuer.good_once else ())


def waiting_for(case: Case) -> approval.Case | None:
    """What of a good assertion waits for the yes of the person it speaks of: their issuer's word does not stand for that.
    None where nothing does."""
    needs = unapproved(case.opened, (), case.policy) if case.for_a_person else ()
    if not needs:
        return None
    return approval.Case(
        ask=case.ask,
        client=case.client,
        sub=case.assertion.subject,
        acting=(case.client.id,),
        opened=case.opened,
        details=(),
        needs=needs,
        approval=case.approval,
        policy=case.policy,
        now=case.now,
    )


def checks_of(issuer: TrustedIssuer) -> tuple[Check[Case], ...]:
    """What an assertion has to hold to beyond what all have to, by whose word it is."""
    if issuer.identity_assertions:
        return IDENTITY_CHECKS
    return WORKLOAD_CHECKS if issuer.workloads else SUBJECT_CHECKS


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
    types: tuple[str, ...] = (IDENTITY_ASSERTION,) if case.issuer.identity_assertions else _TYPES
    types += _OF_SPIFFE if case.issuer.platform == "spiffe" else ()
    if case.assertion.typ.lower().removeprefix("application/") not in types:
        return _unusable("the token is of another type", types[-1], case.assertion.typ or "none")
    return Seen("a key of the issuer")


@check("RFC 7523 §3")
def the_assertion_is_addressed_to_us(case: Case) -> Seen | Refusal:
    """``aud`` is this issuer or its token endpoint, or a name of it that the operator gave."""
    named = case.assertion.claims.get("aud")
    audience, ours = set(_texts(named)), case.ask.audiences | set(case.issuer.audiences)
    if not audience & ours:
        return _unusable("the assertion is for someone else", " or ".join(sorted(ours)), repr(named))
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
    """An assertion is redeemed once, so a copy of it is worth nothing; but for those that a platform keeps for its programs."""
    if case.assertion.replayed and case.issuer.good_once:
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
def the_person_lets_the_client_act(case: Case) -> Seen | Refusal:
    """Whom the assertion speaks of did not say that this client may not act for them any more."""
    return stopped(case.hops) or Seen(case.client.id)


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
    refusal = unknown_target(case.resources, case.client, case.policy)
    return refusal or Seen(" ".join(case.resources) or "none named")


@check("draft-ietf-oauth-identity-assertion-authz-grant §4.4")
def the_assertion_is_for_us_alone(case: Case) -> Seen | Refusal:
    """``aud`` is this issuer and nothing else, not its token endpoint either."""
    named, issuer = case.assertion.claims.get("aud"), case.policy.issuer
    if named not in (issuer, [issuer]):
        return Refusal(NOT_BOUND, "aud is not this issuer alone", issuer, repr(named))
    return Seen(issuer)


@check("draft-ietf-oauth-identity-assertion-authz-grant §4.4")
def the_assertion_is_this_clients(case: Case) -> Seen | Refusal:
    """``client_id`` is the client that redeems it, which proved who it is; a ``jti`` tells it from every other."""
    claims, client = case.assertion.claims, case.client
    if claims.get("client_id") != client.id:
        return Refusal(NOT_BOUND, "the assertion is another client's", client.id, repr(claims.get("client_id")))
    if client.public:
        return Refusal(NOT_BOUND, "a public client cannot prove that it is its", "a client with a proof", "none")
    if not isinstance(claims.get("jti"), str) or not claims["jti"] or "iat" not in claims:
        return Refusal(NOT_BOUND, "jti or iat is missing", "jti and iat", "not both")
    return Seen(client.id)


@check("draft-ietf-oauth-identity-assertion-authz-grant §4.4")
def the_resource_is_the_assertions(case: Case) -> Seen | Refusal:
    """The assertion names its resource, and no other is asked for with it."""
    bound = _texts(case.assertion.claims.get("resource"))
    if not bound:
        return Refusal(NOT_BOUND, "the assertion names no resource", "resource", "none")
    for one in case.ask.resources:
        if registered_spelling(one, bound) is None:
            return Refusal(TARGET_UNKNOWN, f"the assertion is not for {one!r}", " or ".join(bound), one)
    return Seen(" ".join(bound))


@check("draft-ietf-oauth-identity-assertion-authz-grant §4.4")
def something_is_left_of_its_scopes(case: Case) -> Seen | Refusal:
    """What the organization allows, what the operator here trusts it with, and what the client may have, meet somewhere."""
    if not case.ceiling:
        said = " ".join(sorted(_words(case.assertion.claims.get("scope")))) or "no scope"
        return Refusal(
            SCOPE_NOT_ALLOWED, "nothing is left of the assertion's scopes", " ".join(case.client.scopes), said
        )
    return Seen(" ".join(sorted(case.ceiling)))


@check("RFC 7523 §3")
def the_platforms_token_is_for_us_alone(case: Case) -> Seen | Refusal:
    """A token that others take as well could be used here by them."""
    named, ours = _texts(case.assertion.claims.get("aud")), case.ask.audiences | set(case.issuer.audiences)
    others = sorted(set(named) - ours)
    if others:
        return Refusal(WORKLOAD_UNKNOWN, "the token is for others, too", " or ".join(sorted(ours)), " ".join(others))
    return Seen(" ".join(named))


@check("RFC 7521 §6.3")
def the_workload_is_the_client(case: Case) -> Seen | Refusal:
    """A rule of the operator's says that this very program is the client that called."""
    subject, issuer = case.assertion.claims.get("sub"), case.issuer
    if issuer.platform == "spiffe" and not str(subject).startswith(f"{issuer.issuer}/"):
        return Refusal(WORKLOAD_UNKNOWN, "the identity is of another trust domain", f"{issuer.issuer}/…", repr(subject))
    if case.rule is not None:
        return Seen(f"{case.client.id}: {subject}")
    misses = [missed for one in case.rules if (missed := mismatch(one, case.assertion.claims))]
    if not misses:
        return Refusal(WORKLOAD_UNKNOWN, "no rule is for this client", "a rule for it", case.client.id)
    name, expected, found = misses[0]
    return Refusal(WORKLOAD_UNKNOWN, f"{name} is not as the rule says", expected, found)


CHECKS: tuple[Check[Case], ...] = (
    the_issuer_is_trusted,
    the_client_may_bring_its_assertions,
    the_assertion_is_signed_by_its_issuer,
    the_assertion_is_addressed_to_us,
    the_assertion_is_fresh,
    the_assertion_is_new,
)
"""Made for every assertion, before those of its kind."""

SUBJECT_CHECKS: tuple[Check[Case], ...] = (
    the_subject_is_somebody_here,
    the_person_lets_the_client_act,
    the_scopes_are_within_the_trust,
    the_resource_is_one_for_the_client,
)
IDENTITY_CHECKS: tuple[Check[Case], ...] = (
    the_assertion_is_for_us_alone,
    the_assertion_is_this_clients,
    the_subject_is_somebody_here,
    the_person_lets_the_client_act,
    the_resource_is_the_assertions,
    something_is_left_of_its_scopes,
    the_scopes_are_within_the_trust,
    the_resource_is_one_for_the_client,
)
WORKLOAD_CHECKS: tuple[Check[Case], ...] = (
    the_platforms_token_is_for_us_alone,
    the_workload_is_the_client,
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
NOT_BOUND = Page(
    "IK1410",
    INVALID_GRANT,
    "The identity assertion is not bound to this request",
    "An organization's word for one of its people is for one authorization server, one client and one resource. This one names "
    "others, or not all of them, or the client did not prove who it is.",
    "Ask the organization's issuer for an assertion with audience this issuer and resource the API, as the client that "
    "the organization's administrator mapped to this client's id here.",
    "The assertion is not valid.",
)
WORKLOAD_UNKNOWN = Page(
    "IK1411",
    INVALID_GRANT,
    "No rule lets this workload be the client",
    "The platform vouches for the program, but what its token says fits no rule in [[trusted_issuer.workloads]] for the "
    "client that called, or the token is for others as well.",
    "Compare the claim above with the rule. Ask the platform for a token whose audience is this issuer alone.",
    "The assertion is not valid.",
)


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(one for one in value if isinstance(one, str))
    return (value,) if isinstance(value, str) else ()


def _words(value: object) -> frozenset[str]:
    return frozenset(value.split()) if isinstance(value, str) else frozenset()


def _unusable(reason: str, expected: str, found: str) -> Refusal:
    return Refusal(ASSERTION_UNUSABLE, reason, expected, found)
