"""A person says who they are: name and password (authentication, which OAuth leaves to the issuer)."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddSession
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Person, Session
from innkeeper.protocol.errors import ACCESS_DENIED, TEMPORARILY_UNAVAILABLE
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check, follow


class Fresh(msgspec.Struct, frozen=True):
    """Made before the decision: the new session's public id and its cookie's hash."""

    session_id: str
    cookie_digest: bytes


class Attempt(msgspec.Struct, frozen=True):
    """``matches`` is what comparing the password with the stored hash said; ``wait`` seconds left to pause."""

    username: str
    matches: bool
    wait: int = 0


class Case(msgspec.Struct, frozen=True):
    attempt: Attempt
    person: Person | None


def decide(attempt: Attempt, person: Person | None, fresh: Fresh, policy: Policy, now: int) -> Decision[Session]:
    """A new session for the person, where name and password belong together."""
    trail = follow("sign-in", CHECKS, Case(attempt, person))
    if trail.refusal or person is None:
        return Decision(trail.refusal or Refusal(NO_MATCH, "no person"), trail)
    session = Session(
        id=fresh.session_id,
        digest=fresh.cookie_digest,
        sub=person.sub,
        auth_time=now,
        acr=policy.acr,
        amr=("pwd",),
        expires_at=now + policy.session_lifetime,
    )
    return Decision(session, trail, (AddSession(session),))


@check("RFC 9700 §4.10")
def there_were_not_too_many_tries(case: Case) -> Seen | Refusal:
    """After several wrong tries from one address for one name, there is a pause."""
    if case.attempt.wait:
        return Refusal(TOO_MANY, "too many wrong passwords", "a pause", f"{case.attempt.wait} s to wait")
    return Seen("few tries")


@check("OpenID Connect Core §3.1.2.3")
def name_and_password_belong_together(case: Case) -> Seen | Refusal:
    """The name is a person's and the password, hashed, is theirs; nobody learns which of the two was wrong."""
    if case.person is None:
        return Refusal(NO_MATCH, "nobody by that name", "a person", case.attempt.username)
    if not case.attempt.matches:
        return Refusal(NO_MATCH, "the password is another", "the person's password", "another")
    return Seen(case.person.sub)


@check("OpenID Connect Core §3.1.2.3")
def the_account_is_open(case: Case) -> Seen | Refusal:
    """The account was not disabled."""
    if case.person is None or case.person.disabled:
        return Refusal(NO_MATCH, "the account is disabled", "open", "disabled")
    return Seen("open")


CHECKS = (there_were_not_too_many_tries, name_and_password_belong_together, the_account_is_open)

NO_MATCH = Page(
    "IK130",
    ACCESS_DENIED,
    "Name and password do not match",
    "The name is unknown, the password is wrong, or the account is disabled; the page does not say which.",
    "Try again; mind capitals. `innkeeper user password` sets a new one.",
    "That name and password do not match.",
    401,
)
TOO_MANY = Page(
    "IK131",
    TEMPORARILY_UNAVAILABLE,
    "Too many tries",
    "Several wrong passwords came from one address for one name in a short time.",
    "Wait a minute. Other people and other addresses are not held up by it.",
    "Too many tries. Please wait a minute.",
    429,
)
