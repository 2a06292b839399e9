"""Passkeys: keys that people's devices keep, bound to this issuer's name (WebAuthn Level 3 §7).

The desk has a library read and verify what a device answered; what it found comes in here as facts.
"""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.assurance import BY_DEVICE_KEY, BY_SHARED_KEY
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddOnce, Effect
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Person, Session
from innkeeper.issuer.core.sessions import Fresh, opened
from innkeeper.issuer.core.sign_in import NO_MATCH
from innkeeper.protocol.errors import ACCESS_DENIED
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check, follow

CHALLENGE = "passkey challenge"
CHALLENGE_LIFETIME = 600
"""Seconds in which a page's challenge can be answered: somebody may have to look for their key."""

MOST = 20
"""Passkeys that one person may register."""


class Challenge(msgspec.Struct, frozen=True):
    """The challenge that was answered; ``problem`` says why it is none of ours for this page, or is ``""``."""

    key: str = ""
    problem: str = ""
    spent: bool = False


class Registered(msgspec.Struct, frozen=True):
    """A passkey as it is remembered. ``shared`` where its owner's devices may have copies of it."""

    sub: str
    sign_count: int
    shared: bool = False


class Answered(msgspec.Struct, frozen=True):
    """A sign-in by passkey: ``problem`` is what verifying it brought up, ``owner`` whom the answer names by its handle
    ("" for nobody), ``sign_count`` what the device counts."""

    challenge: Challenge
    passkey: Registered | None = None
    owner: str = ""
    problem: str = ""
    sign_count: int = 0


class Case(msgspec.Struct, frozen=True):
    answered: Answered
    person: Person | None


class Offered(msgspec.Struct, frozen=True):
    """A new passkey: ``taken`` where its id is registered already, ``held`` how many the person has."""

    challenge: Challenge
    problem: str = ""
    taken: bool = False
    held: int = 0


def sign_in(
    answered: Answered,
    person: Person | None,
    fresh: Fresh,
    policy: Policy,
    now: int,
    before: Session | None = None,
) -> Decision[Session]:
    """A session of the surest class; the challenge is spent with it."""
    trail = follow("sign-in by passkey", SIGN_IN_CHECKS, Case(answered, person))
    passkey = answered.passkey
    if trail.refusal or person is None or passkey is None:
        return Decision(trail.refusal or Refusal(UNKNOWN_PASSKEY, "no person"), trail)
    proof = BY_SHARED_KEY if passkey.shared else BY_DEVICE_KEY
    session, effect = opened(person.sub, proof, fresh, policy, now, before)
    return Decision(session, trail, (spend(answered.challenge, now), effect))


def register(offered: Offered, now: int) -> Decision[None]:
    """Whether a new passkey is taken on; the challenge is spent with it."""
    trail = follow("register a passkey", REGISTRATION_CHECKS, offered)
    return Decision(trail.refusal, trail, () if trail.refusal else (spend(offered.challenge, now),))


def spend(challenge: Challenge, now: int) -> Effect:
    return AddOnce(CHALLENGE, challenge.key, now + CHALLENGE_LIFETIME)


def _is_ours(challenge: Challenge) -> Seen | Refusal:
    if challenge.problem:
        return Refusal(STALE, challenge.problem, "the challenge of this page", "another")
    if challenge.spent:
        return Refusal(STALE, "the challenge was answered before", "an unspent challenge", "a spent one")
    return Seen("ours, unspent")


@check("WebAuthn Level 3 §7.2")
def the_challenge_is_ours_and_unspent(case: Case) -> Seen | Refusal:
    """The answer is to a challenge that this browser got from this page, a few minutes ago, and nothing else has used."""
    return _is_ours(case.answered.challenge)


@check("WebAuthn Level 3 §7.2")
def the_passkey_is_registered_here(case: Case) -> Seen | Refusal:
    """The passkey is one that somebody registered here."""
    if case.answered.passkey is None:
        return Refusal(UNKNOWN_PASSKEY, "no such passkey is registered", "a registered passkey", "an unknown one")
    return Seen(case.answered.passkey.sub)


@check("WebAuthn Level 3 §7.2")
def the_passkey_is_of_the_person_it_names(case: Case) -> Seen | Refusal:
    """The answer names the person who registered the passkey."""
    passkey, owner = case.answered.passkey, case.answered.owner
    if passkey is None or owner != passkey.sub:
        return Refusal(UNKNOWN_PASSKEY, "the passkey is somebody else's", passkey.sub if passkey else "", owner)
    return Seen(owner)


@check("WebAuthn Level 3 §7.2")
def the_answer_is_signed_for_this_site_by_its_owner(case: Case) -> Seen | Refusal:
    """Origin and site are ours, the device made sure of its owner, and the signature is the passkey's."""
    if case.answered.problem:
        return Refusal(UNKNOWN_PASSKEY, case.answered.problem, "an answer for this site", "another")
    return Seen("verified")


@check("WebAuthn Level 3 §6.1.1")
def the_count_went_up(case: Case) -> Seen | Refusal:
    """A device that counts its signatures counts up; one that went back is a copy."""
    before, count = case.answered.passkey.sign_count if case.answered.passkey else 0, case.answered.sign_count
    if (before or count) and count <= before:
        return Refusal(COPIED, "the signature count did not go up", f"more than {before}", str(count))
    return Seen(str(count) if count else "not counted")


@check("OpenID Connect Core §3.1.2.3")
def the_account_of_the_passkey_is_open(case: Case) -> Seen | Refusal:
    """The account was not disabled."""
    if case.person is None or case.person.disabled:
        return Refusal(NO_MATCH, "the account is disabled or gone", "open", "disabled")
    return Seen("open")


@check("WebAuthn Level 3 §7.1")
def the_new_passkeys_challenge_is_ours_and_unspent(offered: Offered) -> Seen | Refusal:
    """The answer is to a challenge that this session got from this page, a few minutes ago, and nothing else has used."""
    return _is_ours(offered.challenge)


@check("WebAuthn Level 3 §7.1")
def the_new_passkey_is_made_for_this_site(offered: Offered) -> Seen | Refusal:
    """Origin and site are ours, the device made sure of its owner, and the key is of a kind that we verify."""
    if offered.problem:
        return Refusal(NOT_TAKEN, offered.problem, "a passkey for this site", "another")
    return Seen("verified")


@check("WebAuthn Level 3 §7.1")
def the_new_passkey_is_nobodys_yet(offered: Offered) -> Seen | Refusal:
    """Nobody registered this passkey, or one of its name, before."""
    if offered.taken:
        return Refusal(NOT_TAKEN, "a passkey of this id is registered already", "a new id", "a taken one")
    return Seen("new")


@check("WebAuthn Level 3 §7.1")
def there_is_room_for_another_passkey(offered: Offered) -> Seen | Refusal:
    """The person has fewer passkeys than one may have."""
    if offered.held >= MOST:
        return Refusal(NOT_TAKEN, "the person has too many passkeys", f"fewer than {MOST}", str(offered.held))
    return Seen(str(offered.held), f"fewer than {MOST}")


SIGN_IN_CHECKS = (
    the_challenge_is_ours_and_unspent,
    the_passkey_is_registered_here,
    the_passkey_is_of_the_person_it_names,
    the_answer_is_signed_for_this_site_by_its_owner,
    the_count_went_up,
    the_account_of_the_passkey_is_open,
)
REGISTRATION_CHECKS = (
    the_new_passkeys_challenge_is_ours_and_unspent,
    the_new_passkey_is_made_for_this_site,
    the_new_passkey_is_nobodys_yet,
    there_is_room_for_another_passkey,
)

STALE = Page(
    "IK134",
    ACCESS_DENIED,
    "The passkey answered an old page",
    "The page was open for more than ten minutes, was sent twice, or belongs to another browser.",
    "Try again on the fresh page.",
    "This page was open for too long. Please try again.",
    401,
)
UNKNOWN_PASSKEY = Page(
    "IK135",
    ACCESS_DENIED,
    "The passkey does not open anything here",
    "It was removed on the account page, was made for another site, or the device did not make sure that its owner "
    "was there.",
    "Sign in with the password and register the passkey again on the account page. A security key needs a PIN.",
    "That passkey does not open anything here.",
    401,
)
COPIED = Page(
    "IK136",
    ACCESS_DENIED,
    "The passkey may have been copied",
    "The device's count of signatures is not beyond the last one that was seen, as if there were a second device.",
    "Sign in another way, remove the passkey on the account page and register a new one.",
    "That passkey cannot be used any more. Please sign in another way.",
    401,
)
NOT_TAKEN = Page(
    "IK137",
    ACCESS_DENIED,
    "The passkey was not registered",
    "It was made for another site, is registered already, the device did not make sure of its owner, or the person has "
    "twenty passkeys.",
    "Try again; a security key needs a PIN. Remove a passkey that is not used any more.",
    "That passkey could not be registered.",
    400,
)
