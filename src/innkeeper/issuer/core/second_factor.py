"""A code after the password, or added to a session that a client wants surer: from the person's app or their list."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.assurance import BY_PASSWORD_AND_CODE
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddOnce, Effect, RemoveCredential
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Person, Session
from innkeeper.issuer.core.sessions import Fresh, opened, raised
from innkeeper.issuer.core.sign_in import NO_MATCH, TOO_MANY
from innkeeper.protocol.errors import ACCESS_DENIED
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check, follow

TOTP = "totp"
RECOVERY = "recovery"

USED_STEP = "used code"
USED_RECOVERY = "used recovery code"
_REMEMBERED = 86400


class Typed(msgspec.Struct, frozen=True):
    """What was typed: the time ``step`` whose code it is, or the id of a ``recovery`` code that is left; ``spent``
    where it was used before; ``wait`` seconds left to pause."""

    step: int | None = None
    recovery: str = ""
    spent: bool = False
    wait: int = 0


class Standing(msgspec.Struct, frozen=True):
    """Whose turn it is: somebody whose password was right a moment ago, or a ``session`` that is to become surer."""

    person: Person | None = None
    session: Session | None = None
    before: Session | None = None


class Case(msgspec.Struct, frozen=True):
    typed: Typed
    standing: Standing


def decide(typed: Typed, standing: Standing, fresh: Fresh, policy: Policy, now: int) -> Decision[Session]:
    """A session of two factors. Its effects include what makes the code useless from now on."""
    trail = follow("second factor", CHECKS, Case(typed, standing))
    person = standing.person
    if trail.refusal or person is None:
        return Decision(trail.refusal or Refusal(NOT_WAITING, "nobody waits"), trail)
    if standing.session is not None:
        session, effect = raised(standing.session, BY_PASSWORD_AND_CODE, fresh)
    else:
        session, effect = opened(person.sub, BY_PASSWORD_AND_CODE, fresh, policy, now, standing.before)
    return Decision(session, trail, (*spend(person.sub, typed, now), effect))


def spend(sub: str, typed: Typed, now: int) -> tuple[Effect, ...]:
    """What makes a code useless, once and for all."""
    if typed.recovery:
        used = AddOnce(USED_RECOVERY, typed.recovery, now + _REMEMBERED)
        return used, RemoveCredential(sub, RECOVERY, typed.recovery)
    return (AddOnce(USED_STEP, f"{sub}:{typed.step}", now + _REMEMBERED),)


@check("NIST SP 800-63B-4 §3.2.2")
def there_were_not_too_many_codes(case: Case) -> Seen | Refusal:
    """After several wrong codes there is a pause; only people who know the password can cause it."""
    if case.typed.wait:
        return Refusal(TOO_MANY, "too many wrong codes", "a pause", f"{case.typed.wait} s to wait")
    return Seen("few tries")


@check("NIST SP 800-63B-4 §2.2")
def the_password_came_first(case: Case) -> Seen | Refusal:
    """This browser gave the right password a moment ago, or is signed in."""
    if case.standing.person is None:
        return Refusal(NOT_WAITING, "no password was given in this browser of late", "a password", "none")
    return Seen(case.standing.person.sub)


@check("RFC 6238 §5.2")
def the_code_is_the_persons(case: Case) -> Seen | Refusal:
    """The code is the one that the person's app shows now, give or take a step, or one left on their list."""
    if case.typed.step is None and not case.typed.recovery:
        return Refusal(WRONG_CODE, "the code is another", "the app's code or a recovery code", "another")
    return Seen("a recovery code" if case.typed.recovery else "the app's code")


@check("RFC 6238 §5.2")
def the_code_was_not_used_before(case: Case) -> Seen | Refusal:
    """A code opens once; somebody who looked over a shoulder comes too late."""
    if case.typed.spent:
        return Refusal(WRONG_CODE, "the code was used before", "a new code", "a used one")
    return Seen("unused")


@check("OpenID Connect Core §3.1.2.3")
def the_account_is_still_open(case: Case) -> Seen | Refusal:
    """The account was not disabled between password and code."""
    if case.standing.person is None or case.standing.person.disabled:
        return Refusal(NO_MATCH, "the account is disabled", "open", "disabled")
    return Seen("open")


CHECKS = (
    there_were_not_too_many_codes,
    the_password_came_first,
    the_code_is_the_persons,
    the_code_was_not_used_before,
    the_account_is_still_open,
)
CODE_CHECKS = (there_were_not_too_many_codes, the_code_is_the_persons, the_code_was_not_used_before)
"""What holds for a code alone, as when an app is set up."""

WRONG_CODE = Page(
    "IK132",
    ACCESS_DENIED,
    "The code is not right",
    "The code belongs to another time or account, or was used already: each code opens once.",
    "Wait for the next code. Where it is never right, set the clock of the device that shows it. A recovery code works "
    "too; `innkeeper user reset-factors` helps where both are lost.",
    "That code is not right. Wait for the next one and try again.",
    401,
)
NOT_WAITING = Page(
    "IK133",
    ACCESS_DENIED,
    "No password came before the code",
    "The password has to be given in the same browser, at most ten minutes earlier.",
    "Start at the sign-in page again.",
    "Please sign in with your password first.",
    401,
)
