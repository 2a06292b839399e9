"""Is the caller the client it says it is? (RFC 6749 §2.3)

The signature of an assertion is verified by the desk; it arrives here as a fact. Certificates: ``mutual_tls``.
"""

from __future__ import annotations

import hashlib
from hmac import compare_digest
from typing import Any

from innkeeper.issuer.core import mutual_tls
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddOnce
from innkeeper.issuer.core.methods import BASIC, NONE, POST, PRIVATE_KEY_JWT, SECRET_JWT, SELF_SIGNED_TLS, TLS
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client
from innkeeper.keys.certificates import Certificate
from innkeeper.protocol.errors import INVALID_CLIENT, INVALID_REQUEST
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.values import OWN, Value
from innkeeper.tokens.trail import Seen, check, follow

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Assertion(Value, frozen=True, gc=False):
    """A client assertion after the desk looked at it: ``signature`` is "valid" or the reason why not."""

    signature: str
    claims: dict[str, Any] = OWN
    replayed: bool = False


class Proof(Value, frozen=True, gc=False):
    """How a caller says who it is. ``methods`` lists every way it tried at once; exactly one is allowed.

    ``certificate`` is the one its connection was made with; whether that proves it depends on what it registered.
    """

    methods: tuple[str, ...]
    client_id: str | None = None
    secret: str | None = None
    assertion: str | None = None
    problem: str | None = None
    certificate: Certificate | None = None

    @property
    def method(self) -> str:
        return self.methods[0] if self.methods else NONE


class Case(Value, frozen=True, gc=False):
    proof: Proof
    method: str
    client: Client | None
    policy: Policy
    audiences: frozenset[str]
    assertion: Assertion | None
    now: int
    problem: str = ""


class Facts(Value, frozen=True, gc=False):
    """What the desk fetched: the client by that id, what an assertion may be addressed to, the assertion looked at.

    ``vouched_for`` and ``registered`` say whether an authority, or the client's own keys, know the certificate;
    ``problem`` why there is no client, where more is known than that.
    """

    client: Client | None
    audiences: frozenset[str] = frozenset()
    assertion: Assertion | None = None
    vouched_for: bool = False
    registered: bool = False
    problem: str = ""


def authenticate(proof: Proof, facts: Facts, policy: Policy, now: int) -> Decision[Client]:
    """The client, where the proof holds."""
    method = method_of(proof, facts.client)
    case = Case(proof, method, facts.client, policy, facts.audiences, facts.assertion, now, facts.problem)
    trail = follow("client authentication", CHECKS_BY_METHOD[method], case)
    if facts.client is not None and not trail.refusal and method in BY_CERTIFICATE:
        tls = mutual_tls.Case(facts.client, proof.certificate, now, facts.vouched_for, facts.registered)
        trail = trail.then(follow("client authentication", BY_CERTIFICATE[method], tls))
    if trail.refusal or facts.client is None:
        return Decision(trail.refusal or _not_authenticated("no client"), trail)
    effects = (_spend(facts.client, facts.assertion),) if facts.assertion else ()
    return Decision(facts.client, trail, effects)


def method_of(proof: Proof, client: Client | None) -> str:
    """The way in which the caller proves itself: what it sent, else the certificate of a client registered for that."""
    if proof.method != NONE or proof.certificate is None or client is None:
        return proof.method
    return next((one for one in BY_CERTIFICATE if one in client.auth_methods), NONE)


@check("RFC 6749 §2.3")
def one_way_of_authenticating_is_used(case: Case) -> Seen | Refusal:
    """A request authenticates its client in one way only, and in a readable form."""
    if case.proof.problem:
        return Refusal(PROOF_UNREADABLE, case.proof.problem)
    if len(case.proof.methods) > 1:
        return Refusal(
            TWO_PROOFS, "the request authenticates in two ways at once", "one way", " and ".join(case.proof.methods)
        )
    return Seen(case.proof.method)


@check("RFC 6749 §3.2.1")
def the_client_is_named(case: Case) -> Seen | Refusal:
    """The request says which client it comes from."""
    if not case.proof.client_id:
        return _not_authenticated("the request names no client", "a client_id or an Authorization header", "neither")
    return Seen(case.proof.client_id)


@check("RFC 6749 §2.2")
def the_client_is_registered(case: Case) -> Seen | Refusal:
    """The client is one that this issuer knows."""
    if case.client is None:
        return _not_authenticated(
            case.problem or f"no client {case.proof.client_id!r} is registered here",
            "a registered client_id",
            case.proof.client_id or "",
            "Register it with `innkeeper client add`, or look for a misspelling in `innkeeper client list`.",
        )
    return Seen(case.client.name)


@check("RFC 7591 §2")
def the_way_is_the_registered_one(case: Case) -> Seen | Refusal:
    """The client authenticates in a way it is registered for."""
    allowed = case.client.auth_methods if case.client else frozenset()
    if case.method not in allowed:
        expected = " or ".join(sorted(allowed))
        hint = "It is a public client: send client_id and no secret." if allowed == {NONE} else f"Use {expected}."
        return _not_authenticated("the client is registered for another way", expected, case.method, hint)
    return Seen(case.method, allowed)


@check("FAPI 2.0 Security Profile §5.3.2.1")
def the_way_is_one_the_profile_takes(case: Case) -> Seen | Refusal:
    """The profile in force takes this way of authenticating."""
    profile = case.policy.profile_for(case.client)
    if case.method not in profile.auth_methods:
        expected = " or ".join(sorted(profile.auth_methods))
        return Refusal(WAY_NOT_TAKEN, f"the profile {profile.name} does not take this way", expected, case.method)
    return Seen(case.method, profile.name)


@check("RFC 6749 §2.3.1")
def the_secret_is_the_clients(case: Case) -> Seen | Refusal:
    """The secret, hashed, equals one that the client holds and that has not expired."""
    digest = hashlib.sha256((case.proof.secret or "").encode()).digest()
    secrets = case.client.secrets if case.client else ()
    match = next((one for one in secrets if compare_digest(one.digest, digest)), None)
    if match is None:
        return _not_authenticated(
            "the secret is not one of this client's",
            hint="Copy the secret again, without spaces; `innkeeper client rotate` makes a new one.",
        )
    if match.expires_at is not None and match.expires_at <= case.now:
        return _not_authenticated("the secret has expired", hint="Use the newer secret of this client.")
    return Seen("a secret of this client")


@check("RFC 7523 §3")
def the_assertion_is_signed_by_the_client(case: Case) -> Seen | Refusal:
    """The assertion's signature verifies with a key that the client registered."""
    if case.assertion is None or case.assertion.signature != "valid":
        found = case.assertion.signature if case.assertion else "no assertion"
        return _not_authenticated("the assertion's signature does not verify", "a registered key's signature", found)
    return Seen("a registered key's signature")


@check("RFC 7523 §3")
def the_assertion_speaks_of_the_client(case: Case) -> Seen | Refusal:
    """``iss`` and ``sub`` of the assertion are both the client's id."""
    claims = _claims(case)
    found = f"iss {claims.get('iss')!r}, sub {claims.get('sub')!r}"
    if claims.get("iss") != case.proof.client_id or claims.get("sub") != case.proof.client_id:
        return _not_authenticated("the assertion speaks of another client", str(case.proof.client_id), found)
    return Seen(found)


@check("RFC 7523 §3")
def the_assertion_is_addressed_to_us(case: Case) -> Seen | Refusal:
    """``aud`` of the assertion is this issuer, the token endpoint or the one called; in FAPI the issuer alone, as text."""
    audience = _claims(case).get("aud")
    if case.policy.profile_for(case.client).issuer_audience and audience != case.policy.issuer:
        reason = "the assertion is not addressed to the issuer in a single string"
        return _not_authenticated(reason, case.policy.issuer, repr(audience))
    named = audience if isinstance(audience, list) else [audience]
    if not any(one in named for one in case.audiences):
        expected = " or ".join(sorted(case.audiences))
        return _not_authenticated("the assertion is addressed to someone else", expected, repr(audience))
    return Seen(repr(audience))


@check("RFC 7523 §3")
def the_assertion_is_fresh(case: Case) -> Seen | Refusal:
    """``exp`` lies ahead but not far, ``nbf`` and ``iat`` are not ahead, and ``jti`` was never used before."""
    claims, now, leeway, ahead = _claims(case), case.now, case.policy.leeway, case.policy.ahead
    exp, starts = claims.get("exp"), (claims.get("nbf", 0), claims.get("iat", 0))
    if not isinstance(exp, int | float) or exp <= now - leeway:
        return _not_authenticated("the assertion has expired or never says when", f"exp after {now}", repr(exp))
    if not all(isinstance(start, int | float) and start <= now + ahead for start in starts):
        return _not_authenticated("the assertion is not valid yet", f"nbf and iat at most {now + ahead}", repr(starts))
    if exp > now + case.policy.assertion_lifetime + leeway:
        return _not_authenticated(
            "the assertion lives too long", f"{case.policy.assertion_lifetime} s", f"{exp - now} s"
        )
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        return _not_authenticated("the assertion has no jti, so a copy could not be told from it", "a jti", "none")
    if case.assertion is not None and case.assertion.replayed:
        return _not_authenticated("the assertion was used before", "a new jti each time", repr(claims["jti"]))
    return Seen(f"expires in {int(exp - now)} s, jti not seen before")


COMMON_CHECKS = (
    one_way_of_authenticating_is_used,
    the_client_is_named,
    the_client_is_registered,
    the_way_is_the_registered_one,
    the_way_is_one_the_profile_takes,
)
SECRET_CHECKS = (*COMMON_CHECKS, the_secret_is_the_clients)
ASSERTION_CHECKS = (
    *COMMON_CHECKS,
    the_assertion_is_signed_by_the_client,
    the_assertion_speaks_of_the_client,
    the_assertion_is_addressed_to_us,
    the_assertion_is_fresh,
)
CHECKS_BY_METHOD = {
    NONE: COMMON_CHECKS,
    BASIC: SECRET_CHECKS,
    POST: SECRET_CHECKS,
    PRIVATE_KEY_JWT: ASSERTION_CHECKS,
    SECRET_JWT: ASSERTION_CHECKS,
    TLS: COMMON_CHECKS,
    SELF_SIGNED_TLS: COMMON_CHECKS,
}
BY_CERTIFICATE = {TLS: mutual_tls.BY_NAME_CHECKS, SELF_SIGNED_TLS: mutual_tls.BY_KEY_CHECKS}

NOT_AUTHENTICATED = Page(
    "IK201",
    INVALID_CLIENT,
    "The client did not prove who it is",
    "The client is unknown, its secret is wrong or expired, its assertion does not verify, or it authenticated in "
    "a way it is not registered for. A caller is not told which, so that nobody can search for clients or secrets.",
    "Read the reason in the log or the tour. Check the client_id, then the secret (no spaces, not its id), then "
    "the way of sending it: an Authorization header, or client_id and client_secret in the body.",
    "The client could not be authenticated.",
    401,
)
TWO_PROOFS = Page(
    "IK202",
    INVALID_REQUEST,
    "The client authenticated in two ways at once",
    "The request has, for example, an Authorization header and a client_secret in the body.",
    "Send one of them. Many HTTP libraries add the header by themselves once they know the secret.",
    "The request authenticates the client in more than one way.",
)
PROOF_UNREADABLE = Page(
    "IK203",
    INVALID_REQUEST,
    "The client's authentication cannot be read",
    "The Authorization header is not Basic with base64 of form-encoded id and secret, the two ways of naming the "
    "client disagree, or client_assertion came without its type.",
    "Form-encode id and secret, join them with a colon, then base64 (RFC 6749 §2.3.1); or send them in the body.",
    "The client authentication of the request cannot be read.",
)

WAY_NOT_TAKEN = Page(
    "IK204",
    INVALID_CLIENT,
    "The profile does not take this way of authenticating",
    "The client lives by a profile that takes signed assertions and certificates only, but it sent a secret or nothing; "
    "a secret that travels can be read on the way, and one that is shared can leak at either end.",
    "Register the client for private_key_jwt, tls_client_auth or self_signed_tls_client_auth. `innkeeper profile` shows "
    "what each profile takes.",
    "The client could not be authenticated.",
    401,
)


def _not_authenticated(reason: str, expected: str = "", found: str = "", hint: str = "") -> Refusal:
    return Refusal(NOT_AUTHENTICATED, reason, expected, found, hint)


def _claims(case: Case) -> dict[str, Any]:
    return case.assertion.claims if case.assertion else {}


def _spend(client: Client, assertion: Assertion) -> AddOnce:
    key = assertion_key(client.id, str(assertion.claims.get("jti")))
    return AddOnce(ASSERTION, key, int(assertion.claims.get("exp", 0)) + 60)


ASSERTION = "client assertion"


def assertion_key(client_id: str, jti: str) -> str:
    """The name under which a used assertion is remembered; no two clients share one."""
    return f"{len(client_id)} {client_id} {jti}"
