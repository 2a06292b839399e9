"""Whether the caller is the application it says it is: by secret, by certificate, or by another issuer's word."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.entra.aadsts import refuse
from innkeeper.issuer.core.entra.assertions import ALGORITHMS, Assertion
from innkeeper.issuer.core.entra.codes import clients, tenants
from innkeeper.issuer.core.entra.directory import PUBLIC, SPA, WEB, Application, Federated
from innkeeper.issuer.core.entra.parties import Party
from innkeeper.issuer.core.entra.tokens import CERTIFICATE, SECRET
from innkeeper.issuer.core.entra.tokens import PUBLIC as UNPROVEN
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, Trail, check, follow

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
RIGHT, EXPIRED, WRONG, UNSENT = "right", "expired", "wrong", ""

LEEWAY = 300
"""Seconds that clocks may differ by, as Microsoft's own libraries allow."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What came, looked at by the desk: how the secret compares, the assertion and what verifying it said.

    ``signature`` is "" where it verifies. ``addresses`` are the names of the token endpoint that it may be addressed to.
    ``ours`` says that the assertion is a token of a tenant here, ``app_only`` that no person is in it.
    """

    secret: str = UNSENT
    assertion: Assertion | None = None
    unreadable: str = ""
    half: str = ""
    signature: str = ""
    addresses: frozenset[str] = frozenset()
    ours: bool = False
    app_only: bool = True

    @property
    def sent(self) -> bool:
        return bool(self.secret or self.assertion or self.unreadable)

    @property
    def strength(self) -> str:
        """How a token says that its client proved itself."""
        if self.assertion is not None:
            return CERTIFICATE
        return SECRET if self.secret == RIGHT else UNPROVEN


class Case(msgspec.Struct, frozen=True):
    """``platform`` is the one of the redirect URI that a code or refresh token came by, "" where none is known;
    ``always`` says that the grant is for applications that keep a secret."""

    party: Party
    proof: Proof
    platform: str
    always: bool
    now: int

    @property
    def federated(self) -> bool:
        """Whether the assertion is another issuer's, who speaks for the application."""
        found = self.proof.assertion
        return found is not None and found.text("iss") != self.party.id


def prove(case: Case) -> Trail:
    return follow("client authentication", CHECKS + (FEDERATED_CHECKS if case.federated else ASSERTION_CHECKS), case)


@check("AADSTS 90014")
def a_credential_has_both_halves(case: Case) -> Seen | Refusal:
    """client_assertion and client_assertion_type come together, and the type is the jwt-bearer URN."""
    if case.proof.half:
        why = f"{case.proof.half} is missing or another"
        return refuse(tenants.FIELD_MISSING, why, expected=JWT_BEARER, parameter=case.proof.half)
    return Seen("whole")


@check("AADSTS 700025")
def a_public_client_sends_no_credential(case: Case) -> Seen | Refusal:
    """Whoever redeems what a mobile, desktop or single-page application got sends no credential."""
    if case.proof.sent and not case.always and case.platform == PUBLIC:
        return refuse(clients.PUBLIC_WITH_SECRET, "the redirect URI is a public client's", found="a credential")
    return Seen(case.platform or "no platform")


@check("AADSTS 7000218")
def a_confidential_client_sends_one(case: Case) -> Seen | Refusal:
    """Whoever can keep a secret proves to have it; public clients are told by their platform or their registration."""
    if not case.proof.sent and (case.always or not may_be_public(case.party.application, case.platform)):
        return refuse(clients.NO_CREDENTIAL, "neither a secret nor an assertion came", expected="one", found="neither")
    return Seen("a credential" if case.proof.sent else "a public client")


@check("AADSTS 7000215")
def the_secret_is_one_of_the_applications(case: Case) -> Seen | Refusal:
    """The secret, hashed, is one that the application was given."""
    if case.proof.secret == WRONG:
        return refuse(
            clients.WRONG_SECRET, "no secret of the application has this value", found="another", client=case.party.id
        )
    return Seen(case.proof.secret or "no secret sent")


@check("AADSTS 7000222")
def the_secret_has_not_expired(case: Case) -> Seen | Refusal:
    """The secret's end has not come."""
    if case.proof.secret == EXPIRED:
        return refuse(clients.SECRET_EXPIRED, "its endDateTime has passed", client=case.party.id)
    return Seen("live" if case.proof.secret else "no secret sent")


@check("AADSTS 700027")
def the_assertion_verifies(case: Case) -> Seen | Refusal:
    """It is a JWT signed RS256, PS256 or ES256 by a key that is known for it; never with none or a shared secret."""
    proof, found = case.proof, case.proof.assertion
    if proof.unreadable:
        return _wrong(proof.unreadable, "The assertion is not a readable JWT.")
    if found is None:
        return Seen("no assertion sent")
    if found.algorithm not in ALGORITHMS:
        return _wrong(f"alg {found.algorithm!r}", "The algorithm is not supported.", expected=" or ".join(ALGORITHMS))
    if proof.signature:
        return _wrong(proof.signature, f"Reason - {proof.signature}.")
    return Seen(found.algorithm, ALGORITHMS)


@check("AADSTS 700027")
def the_assertion_is_in_its_time(case: Case) -> Seen | Refusal:
    """It has not expired, and is valid already; five minutes between clocks are let pass."""
    found = case.proof.assertion
    if found is None:
        return Seen("no assertion sent")
    exp, nbf = found.moment("exp"), found.moment("nbf")
    if exp is None or exp + LEEWAY <= case.now:
        return _wrong(
            "it has expired, or says no exp", "The assertion is expired.", expected=f"after {case.now}", found=f"{exp}"
        )
    if nbf is not None and nbf - LEEWAY > case.now:
        return _wrong(
            "it is not valid yet", "The assertion is not yet valid.", expected=f"up to {case.now}", found=f"{nbf}"
        )
    return Seen(f"{exp}", f"after {case.now}")


@check("AADSTS 700027")
def the_assertion_speaks_for_the_client(case: Case) -> Seen | Refusal:
    """Issuer and subject are the application's id."""
    found = case.proof.assertion
    if found is None:
        return Seen("no assertion sent")
    if found.text("sub") != case.party.id:
        return _wrong(
            "sub is not the client", "The subject is not the client.", expected=case.party.id, found=found.text("sub")
        )
    return Seen(case.party.id)


@check("AADSTS 700027")
def the_assertion_is_addressed_to_this_endpoint(case: Case) -> Seen | Refusal:
    """The audience is the token endpoint, by the tenant's GUID, a domain of it or an alias, or the issuer."""
    found = case.proof.assertion
    if found is None:
        return Seen("no assertion sent")
    if not case.proof.addresses.intersection(found.audiences):
        return _wrong(
            "aud is another endpoint",
            "The audience is not the token endpoint.",
            expected=min(case.proof.addresses, default=""),
            found=" ".join(found.audiences),
        )
    return Seen(found.audiences)


@check("AADSTS 700211")
def a_federated_credential_names_the_issuer(case: Case) -> Seen | Refusal:
    """One of the application's federated credentials has the assertion's issuer, letter by letter."""
    found, known = case.proof.assertion, case.party.application.federated
    if found is None or any(one.issuer == found.text("iss") for one in known):
        return Seen(found.text("iss") if found else "")
    issuer, expected = found.text("iss"), " or ".join(one.issuer for one in known)
    return refuse(clients.FEDERATED_ISSUER_UNKNOWN, "no such issuer", expected=expected, found=issuer, issuer=issuer)


@check("AADSTS 700213")
def it_names_the_subject(case: Case) -> Seen | Refusal:
    """It has the assertion's subject, letter by letter."""
    found = case.proof.assertion
    if found is None or any(one.subject == found.text("sub") for one in _of_issuer(case, found)):
        return Seen(found.text("sub") if found else "")
    subject, expected = found.text("sub"), " or ".join(one.subject for one in _of_issuer(case, found))
    return refuse(clients.NO_FEDERATED_CREDENTIAL, "no such subject", expected=expected, found=subject, subject=subject)


@check("AADSTS 700212")
def it_names_the_audience(case: Case) -> Seen | Refusal:
    """It has the assertion's audience."""
    found = case.proof.assertion
    if found is None:
        return Seen()
    for one in _of_issuer(case, found):
        if one.subject == found.text("sub") and set(one.audiences).intersection(found.audiences):
            return Seen(found.audiences)
    audience = " ".join(found.audiences)
    return refuse(clients.FEDERATED_AUDIENCE_WRONG, "no such audience", found=audience, audience=audience)


@check("AADSTS 700229")
def a_token_of_ours_has_no_person_in_it(case: Case) -> Seen | Refusal:
    """Where a tenant of this house issued the assertion, it is an application's own token."""
    if case.proof.ours and not case.proof.app_only:
        return refuse(clients.FEDERATED_NOT_APP_ONLY, "a person is in it", expected="app-only", found="a person's")
    return Seen("app-only" if case.proof.ours else "another issuer's")


def _of_issuer(case: Case, found: Assertion) -> list[Federated]:
    return [one for one in case.party.application.federated if one.issuer == found.text("iss")]


def may_be_public(application: Application, platform: str) -> bool:
    """Whether a request without a credential may come from this application."""
    if platform:
        return platform in (PUBLIC, SPA)
    redirects = application.redirects
    only_public = bool(redirects[PUBLIC] or redirects[SPA]) and not redirects[WEB]
    return bool(application.is_fallback_public_client) or only_public


def _wrong(why: str, detail: str, expected: str = "", found: str = "") -> Refusal:
    return refuse(clients.ASSERTION_WRONG, why, expected=expected, found=found, detail=detail)


CHECKS = (
    a_credential_has_both_halves,
    a_public_client_sends_no_credential,
    a_confidential_client_sends_one,
    the_secret_is_one_of_the_applications,
    the_secret_has_not_expired,
)
ASSERTION_CHECKS = (
    the_assertion_verifies,
    the_assertion_is_in_its_time,
    the_assertion_speaks_for_the_client,
    the_assertion_is_addressed_to_this_endpoint,
)
FEDERATED_CHECKS = (
    a_federated_credential_names_the_issuer,
    it_names_the_subject,
    it_names_the_audience,
    the_assertion_verifies,
    the_assertion_is_in_its_time,
    a_token_of_ours_has_no_person_in_it,
)
