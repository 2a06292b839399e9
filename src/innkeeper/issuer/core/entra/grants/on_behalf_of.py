"""On behalf of: an API trades the token a person's client sent it for one to the next API, the person staying in it."""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core.entra.aadsts import refuse
from innkeeper.issuer.core.entra.codes import clients, grants, tenants
from innkeeper.issuer.core.entra.parties import Party
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, check

USE = "on_behalf_of"


class Case(msgspec.Struct, frozen=True):
    """``claims`` are the assertion's, verified; ``problem`` why they are not, "" where they are."""

    client: Party
    use: str
    claims: dict[str, Any]
    problem: str
    tenant: str
    now: int


@check("AADSTS 9002313")
def the_use_is_on_behalf_of(case: Case) -> Seen | Refusal:
    """requested_token_use is on_behalf_of."""
    if case.use != USE:
        return refuse(tenants.MALFORMED, "requested_token_use is another", expected=USE, found=case.use)
    return Seen(USE)


@check("AADSTS 50013")
def the_assertion_is_a_token_of_this_tenant(case: Case) -> Seen | Refusal:
    """It is an access token that this tenant signed. Microsoft Graph's cannot be verified by anybody else."""
    if case.problem:
        return refuse(grants.ASSERTION_INVALID, case.problem, detail=f"Reason - {case.problem}.")
    if case.claims.get("tid") != case.tenant:
        found = str(case.claims.get("tid"))
        return refuse(
            grants.ASSERTION_INVALID,
            "another tenant's",
            expected=case.tenant,
            found=found,
            detail="Reason - wrong tenant.",
        )
    return Seen("verified")


@check("AADSTS 500133")
def the_assertion_is_in_its_time(case: Case) -> Seen | Refusal:
    """It has not expired."""
    if int(case.claims.get("exp", 0)) <= case.now:
        return refuse(
            grants.ASSERTION_TIME, "it has expired", expected=f"after {case.now}", found=f"{case.claims.get('exp')}"
        )
    return Seen(f"{case.claims['exp']}")


@check("AADSTS 500131")
def the_assertion_is_for_the_caller(case: Case) -> Seen | Refusal:
    """Its audience is the application that redeems it."""
    audience = str(case.claims.get("aud"))
    if not case.client.application.answers_to(audience):
        what = {"audience": audience, "client": case.client.id}
        return refuse(grants.ASSERTION_AUDIENCE, "another audience", expected=case.client.id, found=audience, **what)
    return Seen(audience)


@check("AADSTS 7000114")
def a_person_is_in_the_assertion(case: Case) -> Seen | Refusal:
    """It has scopes, so a person stands behind it; an application's own token has nobody to act for."""
    if "scp" not in case.claims:
        return refuse(clients.MAY_NOT_ACT, "app-only", expected="scp", found="no scp", client=case.client.id)
    return Seen(str(case.claims["scp"]))


CHECKS = (
    the_use_is_on_behalf_of,
    the_assertion_is_a_token_of_this_tenant,
    the_assertion_is_in_its_time,
    the_assertion_is_for_the_caller,
    a_person_is_in_the_assertion,
)
