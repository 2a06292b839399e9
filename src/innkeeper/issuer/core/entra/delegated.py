"""A token for a person: what the grants that stand for one have in common, once the grant itself holds."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.entra import reach
from innkeeper.issuer.core.entra.aadsts import refuse
from innkeeper.issuer.core.entra.codes import people
from innkeeper.issuer.core.entra.codes import scopes as codes
from innkeeper.issuer.core.entra.parties import Party
from innkeeper.issuer.core.entra.token_request import Issue
from innkeeper.issuer.core.records import Grant, Person
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, Trail, check, follow


class Case(msgspec.Struct, frozen=True):
    """The person behind a grant, None where they are gone, and whether client or resource want an assignment."""

    person: Person | None
    reach: reach.Case


@check("AADSTS 50034")
def the_person_is_still_here(case: Case) -> Seen | Refusal:
    """The person is in the directory."""
    if case.person is None:
        what = {"user": "", "tenant": case.reach.tenant.name}
        return refuse(people.NOT_IN_DIRECTORY, "the person was removed", **what)
    return Seen(case.person.username)


@check("AADSTS 50057")
def the_account_is_enabled(case: Case) -> Seen | Refusal:
    """Nobody disabled the account."""
    if case.person is not None and case.person.disabled:
        return refuse(people.DISABLED, "accountEnabled is false")
    return Seen("enabled")


@check("AADSTS 50105")
def the_person_is_assigned_where_required(case: Case) -> Seen | Refusal:
    """Where the client's or the resource's service principal requires an assignment, the person or a group has one."""
    parties = [case.reach.client, case.reach.target.resource]
    lacking = next((one for one in parties if one and case.person and not assigned(case, one, case.person)), None)
    if lacking is not None and case.person is not None:
        return not_assigned(case.person, lacking)
    return Seen("assigned, or nobody needs to be")


def assigned(case: Case, party: Party, person: Person) -> bool:
    """Whether a person may use an application as far as its assignments go."""
    principal = party.principal
    if principal is None or not principal.app_role_assignment_required:
        return True
    directory = case.reach.tenant.directory
    return bool(directory.assigned([person.sub, *(one.id for one in directory.groups_of(person.sub))], principal.id))


def not_assigned(person: Person, party: Party) -> Refusal:
    what = {"user": person.username, "client": party.id, "name": party.name}
    return refuse(codes.NOT_ASSIGNED, "no assignment", expected="an app role assignment", found="none", **what)


PERSON_CHECKS = (the_person_is_still_here, the_account_is_enabled, the_person_is_assigned_where_required)


def judge(case: Case) -> Trail:
    """What a person's token needs beside the grant."""
    trail = follow("token", reach.REACH_CHECKS, case.reach)
    return trail if trail.refusal else trail.then(follow("token", PERSON_CHECKS, case))


def issue(case: Case, grant: Grant, strength: str, *, nonce: str | None = None, until: int | None = None) -> Issue:
    """The token of a person, where everything holds."""
    resource, tenant, person = case.reach.target.resource, case.reach.tenant, case.person
    if resource is None or person is None:
        raise ValueError("the checks before see to it that both are there")
    groups = [one.id for one in tenant.directory.groups_of(person.sub)]
    return Issue(
        tenant=tenant,
        client=case.reach.client,
        resource=resource,
        audience=case.reach.target.wish.resource,
        strength=strength,
        scopes=reach.scopes_of(case.reach),
        roles=tenant.roles_of([person.sub, *groups], resource),
        told=reach.told(case.reach),
        openid=case.reach.wishes.openid,
        person=person,
        grant=grant,
        nonce=nonce,
        refresh_until=until,
    )
