"""Has the person behind an authorization request signed in, and consented? (OpenID Connect Core §3.1.2.3)

That somebody has still to do so is no refusal, unless the client said ``prompt=none``.
"""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core import assurance
from innkeeper.issuer.core.assurance import Asked
from innkeeper.issuer.core.authorization_request import CREATE, Authorization
from innkeeper.issuer.core.consents import has_changed
from innkeeper.issuer.core.records import (
    Consent,
    Session,
)
from innkeeper.protocol import errors
from innkeeper.protocol.redirects import is_loopback
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check


class Progress(msgspec.Struct, frozen=True):
    """What the person did for this very request so far, as our own signed ticket says (times or None)."""

    started_at: int
    signed_in_at: int | None = None
    consented: bool = False
    denied: bool = False


class PersonCase(msgspec.Struct, frozen=True):
    """A good request and its person. ``hinted`` is whom the ``id_token_hint`` or the ``sub`` asked for speaks of; ``factors``
    what else the person has to sign in with."""

    authorization: Authorization
    progress: Progress
    session: Session | None
    consent: Consent | None
    now: int
    hinted: str | None = None
    factors: frozenset[str] = frozenset()


@check("OpenID Connect Core §3.1.2.3")
def somebody_is_signed_in(case: PersonCase) -> Seen | Refusal:
    """A person is signed in, recently enough for ``max_age``, and anew where ``prompt`` or a ``max_age`` of 0 asks it."""
    session, ask, progress = case.session, case.authorization, case.progress
    if session is None:
        return Refusal(SIGN_IN_NEEDED, "nobody is signed in", "a session", "none")
    if ask.prompts & {"login", "select_account", CREATE} and progress.signed_in_at is None:
        return Refusal(SIGN_IN_NEEDED, "the client asks for a new sign-in", "signed in for this request", "before it")
    if (ask.id_token_hint or ask.subject) and case.hinted != session.sub:
        found = "another" if case.hinted else "an unreadable hint"
        return Refusal(SIGN_IN_NEEDED, "the client hints at another person", session.sub, found)
    age = case.now - session.auth_time
    too_old = ask.max_age is not None and (age > ask.max_age or ask.max_age == 0)
    if too_old and progress.signed_in_at is None:
        return Refusal(SIGN_IN_NEEDED, "the sign-in is too old", f"at most {ask.max_age} s", f"{age} s")
    return Seen(f"{session.sub}, {age} s ago")


@check("RFC 9470 §5")
def the_sign_in_is_as_sure_as_asked(case: PersonCase) -> Seen | Refusal:
    """The sign-in is of a class that the client asked for, or cannot become so and the client takes another."""
    session, wish = case.session, wished(case.authorization)
    acr = session.acr if session else ""
    if not wish.values or any(assurance.meets(acr, one) for one in wish.values):
        return Seen(acr, " ".join(wish.values))
    can = assurance.reachable(wish.values, case.factors) and case.progress.signed_in_at is None
    if can and (wish.essential or "none" not in case.authorization.prompts):
        return Refusal(SURER_NEEDED, "the client asks for a surer sign-in", " or ".join(wish.values), acr)
    if wish.essential:
        return Refusal(NOT_SURE_ENOUGH, "no sign-in of that class is to be had", " or ".join(wish.values), acr)
    return Seen(acr, f"{' or '.join(wish.values)}, if possible")


@check("OpenID Connect Core §3.1.2.4")
def the_person_did_not_say_no(case: PersonCase) -> Seen | Refusal:
    """The person was not asked, or did not decline."""
    if case.progress.denied:
        return Refusal(DENIED, "the person declined", "allowed", "declined")
    return Seen("not declined")


@check("OpenID Connect Core §3.1.2.4")
def the_person_has_consented(case: PersonCase) -> Seen | Refusal:
    """The person allowed this client these scopes at these resources, now or before; a trusted client needs none."""
    ask, consent, asked = case.authorization, case.consent, case.authorization.reach
    if case.progress.consented:
        return Seen("allowed for this request")
    if "consent" in ask.prompts:
        return Refusal(CONSENT_NEEDED, "the client asks for consent anew", "allowed for this request", "before it")
    if ask.client.trusted:
        return Seen("the operator trusts the client")
    if ask.details:
        return Refusal(CONSENT_NEEDED, "details are allowed one by one", "allowed for this request", "not seen yet")
    if anybody_could_be(ask):
        found = "a client nobody vouches for, which answers on this device"
        return Refusal(CONSENT_NEEDED, "any program there could ask in its name", "allowed for this request", found)
    if has_changed(ask.client, consent):
        return Refusal(CONSENT_NEEDED, "the client has changed since it was allowed", "as it was then", "another look")
    allowed = consent.scopes if consent else frozenset()
    where = consent.resources if consent else frozenset()
    if consent is None or not ask.to_allow <= allowed or not where.issuperset(asked.audience):
        missing = " ".join(sorted(ask.to_allow - allowed)) or " ".join(sorted(set(asked.audience) - where))
        return Refusal(CONSENT_NEEDED, f"not allowed yet: {missing}", " ".join(sorted(asked.scopes)), " ".join(allowed))
    return Seen(" ".join(sorted(allowed)), " ".join(sorted(asked.scopes)))


def anybody_could_be(ask: Authorization) -> bool:
    """Whether another program on the person's device could ask in the client's name and take the answer (RFC 8252 §8.6): the
    client cannot prove itself, no operator vouches for it, and its answer goes to a port or a scheme that any program can take.
    What was allowed before is then no word on who asks now."""
    client = ask.client
    on_the_device = is_loopback(ask.redirect_uri) or not ask.redirect_uri.startswith(("https:", "http:"))
    return client.public and client.origin != "" and on_the_device


PERSON_CHECKS = (
    the_person_did_not_say_no,
    somebody_is_signed_in,
    the_sign_in_is_as_sure_as_asked,
    the_person_has_consented,
)


def wished(ask: Authorization) -> Asked:
    """The classes that a request asks for, by itself or by what its client registered."""
    return assurance.asked(ask.acr_values or ask.client.default_acr_values, ask.claims.id_token.get("acr"))


SIGN_IN_NEEDED = Page(
    "IK120",
    errors.LOGIN_REQUIRED,
    "Somebody has to sign in first",
    "The client said prompt=none, so no page may be shown, but nobody is signed in, or not recently enough.",
    "Send the person again without prompt=none.",
    "The person has to sign in.",
)
CONSENT_NEEDED = Page(
    "IK121",
    errors.CONSENT_REQUIRED,
    "The person has to consent first",
    "The client said prompt=none, but the person never allowed it these scopes.",
    "Send the person again without prompt=none.",
    "The person has to consent.",
)
DENIED = Page(
    "IK122",
    errors.ACCESS_DENIED,
    "The person said no",
    "On the sign-in or consent page, the person declined.",
    "Respect it; explain why the scopes are needed and ask again when the person starts over.",
    "The person declined.",
)
SURER_NEEDED = Page(
    "IK123",
    errors.LOGIN_REQUIRED,
    "A surer sign-in is needed first",
    "The client demands a class of sign-in (acr) that the person could reach with a second factor, but said prompt=none, "
    "so no page may be shown.",
    "Send the person again without prompt=none.",
    "The person has to sign in with a second factor.",
)
NOT_SURE_ENOUGH = Page(
    "IK124",
    errors.UNMET_AUTHENTICATION_REQUIREMENTS,
    "The person cannot sign in as surely as demanded",
    "The client made a class of sign-in (acr) essential that this issuer does not know, or for which the person has "
    "neither an authenticator app nor a passkey.",
    "Ask the person to set one up on their account page, or ask for the class by acr_values, which does not insist. "
    "Discovery lists the classes as acr_values_supported.",
    "The requested authentication requirements cannot be met.",
)
