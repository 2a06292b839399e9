"""Who signed in, told to the client that signed them in (OpenID Connect Core §5.3)."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core import claims
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.introspect import Found, not_alive
from innkeeper.issuer.core.mutual_tls import CONFIRMATION, not_the_holder
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Person
from innkeeper.keys.certificates import Certificate
from innkeeper.protocol import errors
from innkeeper.protocol.parameters import scopes
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.values import Value
from innkeeper.tokens.trail import Seen, check, follow


class Case(Value, frozen=True, gc=False):
    token: str
    found: Found
    person: Person | None
    policy: Policy
    now: int
    certificate: Certificate | None = None


def decide(
    token: str,
    found: Found,
    person: Person | None,
    policy: Policy,
    now: int,
    certificate: Certificate | None = None,
) -> Decision[dict[str, Any]]:
    """``sub`` and the claims that the token's scopes let the client see."""
    trail = follow("userinfo", CHECKS, Case(token, found, person, policy, now, certificate))
    if trail.refusal or person is None or found.claims is None:
        return Decision(trail.refusal or Refusal(TOKEN_REFUSED, "nobody behind the token"), trail)
    named = found.grant.claims.userinfo if found.grant else {}
    return Decision({"sub": found.claims["sub"], **claims.of(person, scopes(found.claims["scope"]), named)}, trail)


@check("RFC 6750 §3.1")
def a_token_was_sent(case: Case) -> Seen | Refusal:
    """The request carries an access token."""
    if not case.token:
        return Refusal(NO_TOKEN, "no access token came", "Authorization: Bearer …", "nothing")
    return Seen("a token")


@check("OpenID Connect Core §5.3.1")
def the_token_is_ours_and_alive(case: Case) -> Seen | Refusal:
    """The token was cut here, has not expired, and neither it nor its grant was revoked, and no agent behind it stopped."""
    dead = not_alive(case.found, case.now, TOKEN_REFUSED)
    return dead or Seen(f"{(case.found.claims or {})['exp'] - case.now} s left")


@check("RFC 8705 §3")
def the_certificate_is_the_bound_one(case: Case) -> Seen | Refusal:
    """A token that is bound to a TLS certificate comes over a connection made with it."""
    bound = (case.found.claims or {}).get("cnf") or {}
    return not_the_holder(bound, case.certificate) or Seen(bound.get(CONFIRMATION, "not bound"))


@check("RFC 9068 §4")
def the_token_is_for_userinfo(case: Case) -> Seen | Refusal:
    """The token's audience has the issuer itself; a token cut for an API opens that API only."""
    audience = (case.found.claims or {}).get("aud", ())
    named = (audience,) if isinstance(audience, str) else tuple(audience)
    if case.policy.issuer not in named:
        hint = "Ask for openid without a resource parameter to get a token that opens userinfo."
        return Refusal(TOKEN_REFUSED, "the token is for another resource", case.policy.issuer, " ".join(named), hint)
    return Seen(" ".join(named), case.policy.issuer)


@check("OpenID Connect Core §5.3")
def the_token_has_openid(case: Case) -> Seen | Refusal:
    """Userinfo belongs to a sign-in, which is what the scope openid says."""
    found = str((case.found.claims or {}).get("scope", ""))
    if "openid" not in found.split():
        return Refusal(NO_OPENID, "the token lacks the scope openid", "openid", found)
    return Seen(found, "openid")


@check("OpenID Connect Core §5.3.2")
def the_person_is_still_here(case: Case) -> Seen | Refusal:
    """The person behind the token still has an account."""
    if case.person is None or case.person.disabled:
        return Refusal(TOKEN_REFUSED, "the person is gone or disabled", "an account", "none")
    return Seen(case.person.sub)


CHECKS = (
    a_token_was_sent,
    the_token_is_ours_and_alive,
    the_certificate_is_the_bound_one,
    the_token_is_for_userinfo,
    the_token_has_openid,
    the_person_is_still_here,
)

NO_TOKEN = Page(
    "IK321",
    "",
    "No access token came",
    "The request has no Authorization header with a Bearer token.",
    "Send Authorization: Bearer and the access token.",
    "",
    401,
)
TOKEN_REFUSED = Page(
    "IK322",
    errors.INVALID_TOKEN,
    "The access token is not good here",
    "It expired, was revoked, was cut by another issuer or for another resource, or its person is gone.",
    "Get a new token by signing in or refreshing, with openid and without a resource parameter.",
    "The access token is expired, revoked or not meant for this endpoint.",
    401,
)
NO_OPENID = Page(
    "IK323",
    errors.INSUFFICIENT_SCOPE,
    "The access token lacks the scope openid",
    "Userinfo tells who signed in; the scope openid is what asks for a sign-in.",
    "Ask for openid at the authorization endpoint.",
    "The scope openid is needed.",
    403,
)
TOKEN_TWICE = Page(
    "IK325",
    errors.INVALID_REQUEST,
    "The access token was sent twice",
    "A token came in the Authorization header and in the form, or twice in the form, so that two readers of the request "
    "could take different ones.",
    "Send it once, best in the Authorization header.",
    "The access token was sent in more than one place.",
)
