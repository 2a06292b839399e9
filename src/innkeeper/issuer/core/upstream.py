"""Signing in through another issuer: what comes back from there, and whom it speaks of here (OpenID Connect Core §3.1.3.7)."""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core.assurance import UPSTREAM, Proof
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import Effect, PutCredential, PutPerson
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Person, Session, Upstream
from innkeeper.issuer.core.sessions import Fresh, opened
from innkeeper.protocol.errors import ACCESS_DENIED, SERVER_ERROR
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check, follow

LINK = "upstream"
"""The kind of credential by which a person is known at another issuer; its id is that issuer's name and their subject."""

_TAKEN_OVER = ("name", "given_name", "family_name", "email", "locale", "zoneinfo", "picture")


class Returned(msgspec.Struct, frozen=True):
    """What a browser brought back from another issuer.

    ``known``: it was sent there from here, in this browser, and has not come back before. ``promised`` says that the
    issuer's metadata announce ``iss`` in its answers (RFC 9207).
    """

    upstream: Upstream
    known: bool
    code: str = ""
    error: str = ""
    iss: str = ""
    promised: bool = False


class Vouched(msgspec.Struct, frozen=True):
    """The other issuer's ID token after the desk looked at it. ``problem`` is empty where one of its keys verifies it."""

    upstream: Upstream
    nonce: str
    problem: str
    claims: dict[str, Any] = {}

    @property
    def subject(self) -> str:
        said = self.claims.get(self.upstream.subject_claim)
        return said if isinstance(said, str) else ""

    @property
    def link(self) -> str:
        """What the person's link is called: no two upstreams and no two of their subjects share it."""
        return f"{self.upstream.id} {self.subject}"


class Known(msgspec.Struct, frozen=True):
    """Who the other issuer's subject is here. ``linked`` is the person it is linked to; ``asking`` the one who is signed in
    and wants to be linked; ``namesake`` has the name that a new account would get; ``fresh_sub`` is for a new account."""

    linked: Person | None
    asking: Person | None
    namesake: Person | None
    fresh_sub: str


class Case(msgspec.Struct, frozen=True):
    vouched: Vouched
    known: Known
    policy: Policy
    now: int


def judge_return(returned: Returned) -> Decision[str]:
    """The code to redeem at the other issuer."""
    trail = follow("upstream sign-in", RETURN_CHECKS, returned)
    return Decision(trail.refusal or returned.code, trail)


def decide(
    vouched: Vouched, known: Known, fresh: Fresh, policy: Policy, now: int, before: Session | None = None
) -> Decision[Session]:
    """A session for the person whom the other issuer vouches for: linked already, being linked now, or new here."""
    trail = follow("upstream sign-in", CHECKS, Case(vouched, known, policy, now))
    if trail.refusal:
        return Decision(trail.refusal, trail)
    person, effects = _person(vouched, known)
    session, effect = opened(person.sub, Proof(UPSTREAM, _means(vouched.claims)), fresh, policy, now, before)
    return Decision(session, trail, (*effects, effect))


def username(upstream: Upstream, claims: dict[str, Any], subject: str) -> str:
    """What a new account is called."""
    said = claims.get(upstream.username_claim)
    return said if isinstance(said, str) and said else f"{subject} at {upstream.id}"


def _person(vouched: Vouched, known: Known) -> tuple[Person, tuple[Effect, ...]]:
    present = known.linked or known.asking
    person = present or Person(
        sub=known.fresh_sub,
        username=username(vouched.upstream, vouched.claims, vouched.subject),
        claims=_taken_over(vouched),
    )
    link = PutCredential(person.sub, LINK, vouched.link, b"")
    new = () if present else (PutPerson(person),)
    return person, (*new, *(() if known.linked else (link,)))


def _taken_over(vouched: Vouched) -> dict[str, Any]:
    """The claims that a new person begins with. That an address is verified is believed where the operator says so."""
    said = {name: value for name in _TAKEN_OVER if isinstance(value := vouched.claims.get(name), str)}
    verified = vouched.upstream.believe_email and vouched.claims.get("email_verified") in (True, "true")
    return {**said, "email_verified": verified} if "email" in said else said


def _means(claims: dict[str, Any]) -> tuple[str, ...]:
    """How the other issuer says it recognised the person (RFC 8176)."""
    said = claims.get("amr")
    return tuple(one for one in said if isinstance(one, str))[:8] if isinstance(said, list) else ()


@check("RFC 6749 §10.12")
def this_browser_was_sent_there(case: Returned) -> Seen | Refusal:
    """The answer belongs to a sign-in that began here, in this browser, and comes back once."""
    if not case.known:
        return Refusal(NOT_BEGUN_HERE, "no sign-in of this browser waits for that answer", "one that waits", "none")
    return Seen("it waits")


@check("RFC 9207 §2.4")
def the_answer_is_from_that_issuer(case: Returned) -> Seen | Refusal:
    """``iss`` names the issuer that was asked, to the character, wherever it comes, and always where it was announced."""
    if case.iss != case.upstream.issuer and (case.iss or case.promised):
        return Refusal(OTHER_ISSUER, "another issuer answered", case.upstream.issuer, case.iss or "none")
    return Seen(case.iss or "not announced")


@check("RFC 6749 §4.1.2")
def the_issuer_gave_a_code(case: Returned) -> Seen | Refusal:
    """It answered with a code and no error."""
    if case.error or not case.code:
        return Refusal(NOT_VOUCHED, "the other issuer gave no code", "a code", case.error or "none")
    return Seen("a code")


RETURN_CHECKS = (this_browser_was_sent_there, the_answer_is_from_that_issuer, the_issuer_gave_a_code)


@check("OpenID Connect Core §3.1.3.7")
def the_id_token_is_signed_by_that_issuer(case: Case) -> Seen | Refusal:
    """One of the issuer's own keys verifies it."""
    if case.vouched.problem:
        return _unusable("the ID token does not verify", "a key of the issuer", case.vouched.problem)
    return Seen("a key of the issuer")


@check("OpenID Connect Core §3.1.3.7")
def the_id_token_names_that_issuer(case: Case) -> Seen | Refusal:
    """``iss`` is the issuer, to the character."""
    found = case.vouched.claims.get("iss")
    if found != case.vouched.upstream.issuer:
        return _unusable("the ID token names another issuer", case.vouched.upstream.issuer, repr(found))
    return Seen(case.vouched.upstream.issuer)


@check("OpenID Connect Core §3.1.3.7")
def the_id_token_is_for_this_client(case: Case) -> Seen | Refusal:
    """``aud`` is our client id there and nobody else's, and ``azp``, where it stands, too."""
    wanted, named, party = (
        case.vouched.upstream.client_id,
        case.vouched.claims.get("aud"),
        case.vouched.claims.get("azp"),
    )
    if named not in (wanted, [wanted]) or party not in (None, wanted):
        return _unusable("the ID token is for another client", wanted, f"aud {named!r}, azp {party!r}")
    return Seen(wanted)


@check("OpenID Connect Core §3.1.3.7")
def the_id_token_is_in_its_time(case: Case) -> Seen | Refusal:
    """``exp`` lies ahead; ``iat`` and ``nbf`` do not."""
    claims, most = case.vouched.claims, case.now + case.policy.ahead
    times = {name: claims.get(name) for name in ("exp", "iat", "nbf") if name in claims}
    strange = [name for name, value in times.items() if type(value) not in (int, float)]
    if strange or "exp" not in times or "iat" not in times:
        return _unusable("a time is missing or no number", "exp and iat in seconds", repr(times))
    if claims["exp"] <= case.now - case.policy.leeway:
        return _unusable(f"the ID token expired {case.now - claims['exp']:.0f} s ago", "not expired", "expired")
    if max(claims["iat"], claims.get("nbf", 0)) > most:
        return _unusable("the ID token is not valid yet", f"iat and nbf at most {most}", repr(times))
    return Seen(f"expires in {claims['exp'] - case.now:.0f} s")


@check("OpenID Connect Core §3.1.2.1")
def the_id_token_answers_this_sign_in(case: Case) -> Seen | Refusal:
    """``nonce`` is the one that went along with the request."""
    if case.vouched.claims.get("nonce") != case.vouched.nonce:
        return _unusable("the ID token answers another request", "the nonce that was sent", "another")
    return Seen("the same")


@check("OpenID Connect Core §2")
def it_says_whom_it_speaks_of(case: Case) -> Seen | Refusal:
    """The claim by which people are told apart there is a text that is not empty."""
    if not case.vouched.subject:
        return _unusable("the ID token names nobody", f"the claim {case.vouched.upstream.subject_claim}", "none")
    return Seen("a subject")


@check("RFC 9700 §4.4")
def nobody_is_linked_twice(case: Case) -> Seen | Refusal:
    """Whoever wants to be linked gets nobody else's link."""
    known = case.known
    if known.linked and known.asking and known.linked.sub != known.asking.sub:
        return Refusal(LINKED_ELSEWHERE, "that subject is linked to another account", known.asking.sub, "another")
    return Seen("one account")


@check("OpenID Connect Core §5.7")
def an_account_is_not_taken_by_its_name(case: Case) -> Seen | Refusal:
    """A name that somebody has here already is no proof: they link the two themselves, signed in here."""
    known = case.known
    if known.linked or known.asking:
        return Seen("linked")
    if known.namesake:
        return Refusal(NAME_TAKEN, "an account by that name is here and not linked", "a link", known.namesake.username)
    if not case.vouched.upstream.new_people:
        return Refusal(NOBODY_NEW, "nobody new is taken in", "a linked account", "none")
    return Seen("somebody new")


@check("OpenID Connect Core §3.1.2.3")
def the_account_is_open(case: Case) -> Seen | Refusal:
    """The account here was not disabled."""
    person = case.known.linked or case.known.asking
    if person is not None and person.disabled:
        return Refusal(NOT_VOUCHED, "the account is disabled", "open", "disabled")
    return Seen("open")


CHECKS = (
    the_id_token_is_signed_by_that_issuer,
    the_id_token_names_that_issuer,
    the_id_token_is_for_this_client,
    the_id_token_is_in_its_time,
    the_id_token_answers_this_sign_in,
    it_says_whom_it_speaks_of,
    nobody_is_linked_twice,
    an_account_is_not_taken_by_its_name,
    the_account_is_open,
)


def _unusable(reason: str, expected: str, found: str) -> Refusal:
    return Refusal(NOT_PROVED, reason, expected, found)


NOT_BEGUN_HERE = Page(
    "IK900",
    ACCESS_DENIED,
    "No sign-in waits for this answer",
    "An answer of another issuer came to a browser that was not sent there, came a second time, or came too late.",
    "Begin again at the application. If it happens each time, the browser keeps no cookies of this site.",
    "This sign-in did not begin here, or is over. Please begin again.",
    400,
)
OTHER_ISSUER = Page(
    "IK901",
    ACCESS_DENIED,
    "Another issuer answered",
    "The answer names an issuer (iss) other than the one the browser was sent to, or none although that one announces it: "
    "a mix-up of two issuers, or an attack by one of them.",
    "Compare the issuer in [[upstream]] with the one in its discovery document, to the character.",
    "The answer came from somewhere else.",
    400,
)
NOT_VOUCHED = Page(
    "IK902",
    ACCESS_DENIED,
    "The other issuer signed nobody in",
    "It answered with an error, or the account here is disabled. The reason is on our side of the log.",
    "See the trail for its error: consent that was denied, a client that may not do this, a redirect URI that is not registered.",
    "The sign-in there did not succeed.",
    403,
)
NOT_PROVED = Page(
    "IK903",
    ACCESS_DENIED,
    "The other issuer's ID token does not hold",
    "The ID token is not signed by a key of that issuer, is for another client, is too old, or answers another request.",
    "See the trail for the claim. Check issuer and client_id in [[upstream]], and this computer's clock.",
    "The sign-in there could not be verified.",
    403,
)
NAME_TAKEN = Page(
    "IK904",
    ACCESS_DENIED,
    "An account by that name is here already",
    "Somebody new from another issuer would get a user name that a person here has. The name alone does not prove that they "
    "are the same.",
    "Sign in here as that person and connect the two on the account page, under how you sign in.",
    "An account with this name exists. Sign in to it, then connect the two on your account page.",
    409,
)
LINKED_ELSEWHERE = Page(
    "IK905",
    ACCESS_DENIED,
    "That account is connected to another one",
    "The account at the other issuer is already connected to another account here.",
    "Disconnect it there first, on that account's page.",
    "That account is connected to somebody else here.",
    409,
)
NOBODY_NEW = Page(
    "IK906",
    ACCESS_DENIED,
    "Nobody new is taken in",
    "The settings let only people sign in whose accounts are connected (new_people is off).",
    "Let an administrator make an account, and connect it on its account page; or turn new_people on.",
    "There is no account here that goes with it.",
    403,
)
UPSTREAM_DOWN = Page(
    "IK907",
    SERVER_ERROR,
    "The other issuer cannot be asked",
    "Its metadata, keys or token endpoint did not answer as they must.",
    "See the reason: an address, a certificate, a wrong client secret. innkeeper doctor ISSUER looks at the issuer.",
    "The other issuer cannot be reached now.",
    502,
)
