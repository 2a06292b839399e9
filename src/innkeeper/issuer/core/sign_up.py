"""Somebody makes an account (Initiating User Registration via OpenID Connect 1.0, ``prompt=create``)."""

from __future__ import annotations

import unicodedata
from typing import Any

import msgspec

from innkeeper.issuer.core.account import SHORTEST_PASSWORD
from innkeeper.issuer.core.assurance import BY_PASSWORD
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import PutPerson
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Person, Session
from innkeeper.issuer.core.sessions import Fresh, opened
from innkeeper.protocol.errors import ACCESS_DENIED, INVALID_REQUEST, TEMPORARILY_UNAVAILABLE
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check, follow

LONGEST = 200
"""Characters of a name."""


class Wish(msgspec.Struct, frozen=True):
    """What somebody wrote: the name to sign in with, their own name, and a password twice."""

    username: str
    name: str
    password: str
    again: str


class Case(msgspec.Struct, frozen=True):
    """A wish, whether the name is somebody's already, and the seconds left to pause."""

    wish: Wish
    taken: bool = False
    wait: int = 0


class Made(msgspec.Struct, frozen=True):
    """The new account, and the session that it begins with."""

    person: Person
    session: Session


def judge(case: Case) -> Decision[Wish]:
    """Whether an account can be made of it."""
    trail = follow("sign-up", CHECKS, case)
    return Decision(trail.refusal or case.wish, trail)


def made(wish: Wish, sub: str, password: str, fresh: Fresh, policy: Policy, now: int) -> Decision[Made]:
    """The account with its session. ``password`` is hashed. An e-mail address is told as not verified."""
    claims: dict[str, Any] = {"preferred_username": wish.username}
    if wish.name:
        claims["name"] = wish.name
    if "@" in wish.username:
        claims |= {"email": wish.username, "email_verified": False}
    person = Person(sub=sub, username=wish.username, password=password, claims=claims, created_at=now)
    session, effect = opened(sub, BY_PASSWORD, fresh, policy, now)
    return Decision(Made(person, session), judge(Case(wish)).trail, (PutPerson(person), effect))


@check("RFC 6749 §10.10")
def accounts_are_made_in_moderation(case: Case) -> Seen | Refusal:
    """One network makes a few accounts at once and then one now and again."""
    if case.wait:
        return Refusal(TOO_MANY_ACCOUNTS, "too many accounts from this network", "a pause", f"{case.wait} s to go")
    return Seen("in moderation")


@check("OpenID Connect Core §5.7")
def the_names_can_be_shown(case: Case) -> Seen | Refusal:
    """Both names are short and hold nothing that hides; the one to sign in with is there and has no space at its ends."""
    if not _can_be_shown(case.wish.name):
        return Refusal(UNFIT, _UNSEEN, f"{LONGEST} visible characters", f"{len(case.wish.name)}")
    if why := why_no_name(case.wish.username):
        return Refusal(UNFIT, why, f"{LONGEST} visible characters", f"{len(case.wish.username)}")
    return Seen("both")


def why_no_name(username: str) -> str | None:
    """Why nobody can sign in by that name, or None where somebody can."""
    if not _can_be_shown(username):
        return _UNSEEN
    if not username or username != username.strip():
        return "the name to sign in with is empty or has spaces at its ends"
    return None


def _can_be_shown(name: str) -> bool:
    return len(name) <= LONGEST and all(unicodedata.category(one)[0] not in "CZ" or one == " " for one in name)


_UNSEEN = f"a name is longer than {LONGEST} characters or cannot be seen"


@check("NIST SP 800-63B-4 §3.1.1.2")
def the_password_can_be_taken(case: Case) -> Seen | Refusal:
    """The password is long enough, is not the name, and was typed twice alike."""
    wish = case.wish
    if len(wish.password) < SHORTEST_PASSWORD:
        expected = f"{SHORTEST_PASSWORD} characters or more"
        return Refusal(UNFIT, "the password is too short", expected, f"{len(wish.password)} characters")
    if wish.password.casefold() == wish.username.casefold():
        return Refusal(UNFIT, "the password is the user name", "another", "the user name")
    if wish.password != wish.again:
        return Refusal(UNFIT, "the password was typed differently the second time", "the same", "another")
    return Seen("long enough, twice alike")


@check("OpenID Connect Core §5.7")
def the_name_is_free(case: Case) -> Seen | Refusal:
    """Nobody signs in with that name yet."""
    if case.taken:
        return Refusal(TAKEN, "somebody signs in with that name", "a free name", case.wish.username)
    return Seen(case.wish.username)


CHECKS = (
    accounts_are_made_in_moderation,
    the_names_can_be_shown,
    the_password_can_be_taken,
    the_name_is_free,
)

UNFIT = Page(
    "IK125",
    INVALID_REQUEST,
    "No account can be made of this",
    "The name to sign in with is missing, too long or cannot be seen; or the password is shorter than eight characters, is "
    "the name, or was typed in two ways.",
    "Choose a name that can be read and a password of a few unrelated words, and type it twice alike.",
    "Please check the name, and type a password of eight characters or more twice alike.",
    400,
)
TAKEN = Page(
    "IK126",
    ACCESS_DENIED,
    "The name is taken",
    "Somebody signs in with that name already; capitals make no difference.",
    "Choose another name, or sign in if it is yours.",
    "That name is taken. Choose another, or sign in if it is yours.",
    409,
)
TOO_MANY_ACCOUNTS = Page(
    "IK127",
    TEMPORARILY_UNAVAILABLE,
    "Too many accounts",
    "One network made many accounts in a short time.",
    "Wait a minute.",
    "Too many accounts were made from here. Please wait a minute.",
    429,
)
