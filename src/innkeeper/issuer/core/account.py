"""Changing how one signs in: soon after signing in only, with every factor, and the password against the old one."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core import assurance
from innkeeper.issuer.core.records import Session
from innkeeper.issuer.core.sign_in import TOO_MANY
from innkeeper.protocol.errors import ACCESS_DENIED, INVALID_REQUEST, LOGIN_REQUIRED
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check

RECENT = 600
"""Seconds after signing in within which one may change how one signs in."""

SHORTEST_PASSWORD = 8
"""Characters (NIST SP 800-63B-4 §3.1.1.2 for passwords beside which a second factor may stand)."""


class Change(msgspec.Struct, frozen=True):
    """Somebody wants to change how they sign in; ``factors`` is what they have beside the password."""

    session: Session
    factors: frozenset[str]
    now: int


class NewPassword(msgspec.Struct, frozen=True):
    """``matches`` is what comparing the present password with the stored hash said; ``wait`` seconds left to pause."""

    username: str
    matches: bool
    present: str
    new: str
    again: str
    wait: int = 0


@check("NIST SP 800-63B-4 §4.1")
def the_sign_in_is_recent(change: Change) -> Seen | Refusal:
    """Whoever finds a browser open cannot change how its owner signs in."""
    age = change.now - change.session.auth_time
    if age > RECENT:
        return Refusal(SIGN_IN_AGAIN, "the sign-in is too old", f"at most {RECENT} s", f"{age} s")
    return Seen(f"{age} s ago")


@check("NIST SP 800-63B-4 §4.1")
def the_sign_in_used_a_code_where_there_are_codes(change: Change) -> Seen | Refusal:
    """Whoever knows the password alone cannot take the second factor away."""
    acr = change.session.acr
    if assurance.CODES in change.factors and not assurance.meets(acr, assurance.MFA):
        return Refusal(SIGN_IN_AGAIN, "the sign-in was by password alone", assurance.MFA, acr)
    return Seen(acr)


@check("NIST SP 800-63B-4 §3.2.2")
def there_were_not_too_many_present_passwords(ask: NewPassword) -> Seen | Refusal:
    """After several wrong passwords there is a pause."""
    if ask.wait:
        return Refusal(TOO_MANY, "too many wrong passwords", "a pause", f"{ask.wait} s to wait")
    return Seen("few tries")


@check("NIST SP 800-63B-4 §4.1")
def the_present_password_is_given(ask: NewPassword) -> Seen | Refusal:
    """The present password is the person's."""
    if not ask.matches:
        return Refusal(PRESENT_WRONG, "the present password is another", "the person's password", "another")
    return Seen("right")


@check("NIST SP 800-63B-4 §3.1.1.2")
def the_new_password_is_long_enough(ask: NewPassword) -> Seen | Refusal:
    """The new password has enough characters and is not the user name."""
    if len(ask.new) < SHORTEST_PASSWORD:
        expected = f"{SHORTEST_PASSWORD} characters or more"
        return Refusal(NEW_UNFIT, "the new password is too short", expected, f"{len(ask.new)} characters")
    if ask.new.casefold() == ask.username.casefold():
        return Refusal(NEW_UNFIT, "the new password is the user name", "another", "the user name")
    return Seen("long enough")


@check("NIST SP 800-63B-4 §3.1.1.2")
def the_new_password_is_typed_twice_alike(ask: NewPassword) -> Seen | Refusal:
    """The new password was typed twice alike, and is not the present one."""
    if ask.new != ask.again:
        return Refusal(NEW_UNFIT, "the new password was typed differently the second time", "the same", "another")
    if ask.new == ask.present:
        return Refusal(NEW_UNFIT, "the new password is the present one", "another", "the same")
    return Seen("twice alike")


CHANGE_CHECKS = (the_sign_in_is_recent, the_sign_in_used_a_code_where_there_are_codes)
PASSWORD_CHECKS = (
    there_were_not_too_many_present_passwords,
    the_present_password_is_given,
    the_new_password_is_long_enough,
    the_new_password_is_typed_twice_alike,
)

SIGN_IN_AGAIN = Page(
    "IK138",
    LOGIN_REQUIRED,
    "Sign in again to change how you sign in",
    "The last sign-in was more than ten minutes ago, or was by password alone although the person has codes.",
    "Sign in again; the page that was asked for follows.",
    "Please sign in again first.",
    401,
)
PRESENT_WRONG = Page(
    "IK139",
    ACCESS_DENIED,
    "The present password is not right",
    "A password is changed only by somebody who knows the present one.",
    "Try again; mind capitals. `innkeeper user password` sets a new one.",
    "Your present password is not right.",
    401,
)
NEW_UNFIT = Page(
    "IK142",
    INVALID_REQUEST,
    "The new password cannot be taken",
    "It is shorter than eight characters, is the user name or the present password, or was typed in two ways.",
    "Choose another; a few unrelated words make a good one.",
    "The new password is too short, the same as before, or was not typed twice alike.",
    400,
)
