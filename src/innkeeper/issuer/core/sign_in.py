"""A person says who they are: name and password (authentication, which OAuth leaves to the issuer)."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.assurance import BY_PASSWORD
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Person, Session
from innkeeper.issuer.core.sessions import Fresh, opened
from innkeeper.protocol.errors import ACCESS_DENIED, TEMPORARILY_UNAVAILABLE
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check, follow


class Attempt(msgspec.Struct, frozen=True):
    """``matches`` is what comparing the password with the stored hash said; ``wait`` seconds left to pause.

    ``needs_code`` where the person has set up codes: the password alone does not sign them in then.
    """

    username: str
    matches: bool
    wait: int = 0
    needs_code: bool = False


class HalfWay(msgspec.Struct, frozen=True):
    """Name and password were right; a code has to follow."""

    sub: str


class Case(msgspec.Struct, frozen=True):
    attempt: Attempt
    person: Person | None


def decide(
    attempt: Attempt, person: Person | None, fresh: Fresh, policy: Policy, now: int, before: Session | None = None
) -> Decision[Session | HalfWay]:
    """A new session for the person, where name and password belong together; ``before`` is the browser's present one."""
    trail = follow("sign-in", CHECKS, Case(attempt, person))
    if trail.refusal or person is None:
        return Decision(trail.refusal or Refusal(NO_MATCH, "no person"), trail)
    if attempt.needs_code:
        return Decision(HalfWay(person.sub), trail)
    session, effect = opened(person.sub, BY_PASSWORD, fresh, policy, now, before)
    return Decision(session, trail, (effect,))


@check("NIST SP 800-63B-4 §3.2.2")
def there_were_not_too_many_tries(case: Case) -> Seen | Refusal:
    """After several wrong tries there is a pause, which a browser that signed this person in before does not feel."""
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
    "Several wrong passwords or codes came in a short time: from one network for one name, from one network for many "
    "names, or for one name from many networks.",
    "Wait a minute, or sign in from a browser that you used before, or with a passkey: the tries of others do not hold "
    "those up.",
    "Too many tries. Please wait a minute.",
    429,
)
