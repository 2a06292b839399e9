"""A client registers itself with a pool: whether it may, and what it becomes, as the pool's settings shape it."""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core.cognito.records import (
    CLIENT_CREDENTIALS,
    CODE,
    EMAIL,
    OPENID,
    PHONE,
    PROFILE,
    REGISTER,
    Pool,
)
from innkeeper.protocol import errors
from innkeeper.protocol.redirects import why_not_registrable
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check

FLOWS = {"authorization_code": CODE, "client_credentials": CLIENT_CREDENTIALS}
IGNORED = frozenset({"implicit", "refresh_token"})


class Metadata(msgspec.Struct, frozen=True):
    """What a client says of itself (RFC 7591 §2); members that nobody here knows are let be."""

    redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = ("authorization_code",)
    response_types: tuple[str, ...] = ("code",)
    token_endpoint_auth_method: str = "client_secret_basic"
    client_name: str = ""
    scope: str = ""

    @property
    def flows(self) -> tuple[str, ...]:
        return tuple(FLOWS[one] for one in self.grant_types if one in FLOWS)


class Case(msgspec.Struct, frozen=True):
    """``metadata`` is None where the body could not be read; ``invited`` says that a token for registering came."""

    pool: Pool
    metadata: Metadata | None
    problem: str
    invited: bool
    token_came: bool
    known: frozenset[str]


def _metadata(case: Case) -> Metadata:
    if case.metadata is None:
        raise LookupError("no metadata: the_metadata_can_be_read stands before this check")
    return case.metadata


@check("Cognito dynamic client registration")
def the_registration_is_open_or_invited(case: Case) -> Seen | Refusal:
    """The client brings a token with the registration scope, or the pool lets everybody register."""
    if case.invited or (case.pool.registration.get("OpenDcrEnabled", False) and not case.token_came):
        return Seen("invited" if case.invited else "open")
    return Refusal(NOT_INVITED, "no access token with the registration scope", REGISTER, "none")


@check("Cognito dynamic client registration")
def the_metadata_can_be_read(case: Case) -> Seen | Refusal:
    """The body is a JSON object of client metadata."""
    if case.metadata is None:
        return Refusal(METADATA_BAD, case.problem, "a JSON object of RFC 7591", "something else")
    return Seen("read")


@check("Cognito dynamic client registration: grant types")
def the_grants_are_allowed(case: Case) -> Seen | Refusal:
    """Every grant is one that the pool gives to clients that register in this way."""
    member = "AuthenticatedGrantTypes" if case.invited else "OpenDcrGrantTypes"
    usual = [CODE, CLIENT_CREDENTIALS] if case.invited else [CODE]
    allowed = case.pool.registration.get(member, usual)
    asked = _metadata(case)
    for one in asked.grant_types:
        if one not in IGNORED and FLOWS.get(one) not in allowed:
            return Refusal(METADATA_BAD, f"{one} is not given to clients that register", " ".join(allowed), one)
    if not asked.flows or (CLIENT_CREDENTIALS in asked.flows and len(asked.flows) > 1):
        return Refusal(
            METADATA_BAD, "client_credentials stands alone, and one flow there must be", "one kind", "both or none"
        )
    return Seen(asked.flows)


@check("Cognito dynamic client registration: redirect_uris")
def the_callbacks_can_be_registered(case: Case) -> Seen | Refusal:
    """Redirect URIs are https, loopback or an app's own scheme; the code flow needs one."""
    asked = _metadata(case)
    if CODE in asked.flows and not asked.redirect_uris:
        return Refusal(REDIRECT_BAD, "no redirect_uris", "one at least", "none")
    for one in asked.redirect_uris:
        if why := why_not_registrable(one):
            return Refusal(REDIRECT_BAD, why, "a URI that may be registered", one)
    return Seen(asked.redirect_uris)


@check("Cognito dynamic client registration: scopes")
def the_scopes_may_be_had(case: Case) -> Seen | Refusal:
    """Scopes are OpenID's four and those the pool allows to clients that register."""
    may = {OPENID, EMAIL, PHONE, PROFILE, *case.pool.registration.get("AllowedScopes", ())}
    for one in _metadata(case).scope.split():
        if one not in may:
            return Refusal(METADATA_BAD, f"{one} is not given to clients that register", " ".join(sorted(may)), one)
    return Seen(_metadata(case).scope or "the usual")


CHECKS = (
    the_registration_is_open_or_invited,
    the_metadata_can_be_read,
    the_grants_are_allowed,
    the_callbacks_can_be_registered,
    the_scopes_may_be_had,
)


def scopes_of(case: Case) -> list[str]:
    """What it is registered for: what it asked for, else everything that it may have."""
    asked, extra = _metadata(case), list(case.pool.registration.get("AllowedScopes", ()))
    usual = [] if CLIENT_CREDENTIALS in asked.flows else [OPENID, EMAIL, PHONE, PROFILE]
    return asked.scope.split() or [*usual, *extra]


def members_of(case: Case) -> dict[str, Any]:
    """The app client's members under the API's names."""
    asked = _metadata(case)
    return {
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthFlows": list(asked.flows),
        "AllowedOAuthScopes": scopes_of(case),
        "CallbackURLs": list(asked.redirect_uris),
        "SupportedIdentityProviders": ["COGNITO"],
    }


NOT_INVITED = Page(
    "IK1050",
    errors.INVALID_TOKEN,
    "This pool registers invited clients only",
    "OpenDcrEnabled is off, and no access token with the scope aws.cognito/dcr/register came.",
    "Send Authorization: Bearer with such a token, or set OpenDcrEnabled in DcrConfiguration.",
    "A valid access token with the registration scope is required.",
    401,
    level="documented",
    console="User pool, Dynamic client registration: allow open registration.",
    terraform="No block of the aws provider is known to us; the awscc provider mirrors CloudFormation.",
)
METADATA_BAD = Page(
    "IK1051",
    errors.INVALID_CLIENT_METADATA,
    "The client's metadata cannot be registered",
    "The body is no JSON object, or a grant type or scope is not given to clients that register themselves.",
    "Leave grant_types and scope out, or change DcrConfiguration of the pool.",
    "The client metadata is not valid.",
    level="inferred",
    console="User pool, Dynamic client registration: allowed scopes and grant types.",
    terraform="No block of the aws provider is known to us; the awscc provider mirrors CloudFormation.",
)
REDIRECT_BAD = Page(
    "IK1052",
    errors.INVALID_REDIRECT_URI,
    "A redirect URI cannot be registered",
    "Redirect URIs are https, http on localhost, or an app's own scheme, without a fragment.",
    "Send redirect_uris that the client is really at.",
    "A redirect URI is not valid.",
    level="inferred",
)
