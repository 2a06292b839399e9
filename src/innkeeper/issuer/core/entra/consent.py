"""Consent: what an application asks a person for, who may say yes, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from innkeeper.issuer.core.entra.aadsts import refuse
from innkeeper.issuer.core.entra.codes import scopes as codes
from innkeeper.issuer.core.entra.directory import Scope
from innkeeper.issuer.core.entra.parties import Party, Tenant, is_administrator
from innkeeper.issuer.core.entra.reach import Target, is_for_people, listed
from innkeeper.issuer.core.records import Person
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, check


class Lacking(msgspec.Struct, frozen=True):
    """Scopes of one resource that nobody allowed yet. ``client`` is who would use them, where that is not who asks."""

    resource: Party
    scopes: tuple[Scope, ...]
    client: Party | None = None


class Case(msgspec.Struct, frozen=True):
    tenant: Tenant
    client: Party
    person: Person
    targets: tuple[Target, ...]
    lacking: tuple[Lacking, ...]


@check("AADSTS 650056")
def default_stands_for_something(case: Case) -> Seen | Refusal:
    """.default means what was granted, or else what the application's registration lists; one of both is there."""
    for one in case.targets:
        resource = one.resource
        if resource is None or not one.wish.default or resource.id == case.client.id:
            continue
        granted = case.tenant.granted(case.client, resource, case.person.sub)
        if not granted and not listed(case.client.application, resource.application):
            return refuse(codes.APP_MISCONFIGURED, "nothing is listed and nothing granted", resource=resource.name)
    return Seen(" ".join(one.wish.resource for one in case.targets))


@check("AADSTS 90094")
def the_person_may_consent(case: Case) -> Seen | Refusal:
    """Scopes of type Admin want an administrator; all others any person."""
    for one in case.lacking:
        reserved = [scope.value for scope in one.scopes if not is_for_people(scope)]
        if reserved and not is_administrator(case.person):
            return refuse(codes.ADMIN_NEEDED, "no administrator", expected="an administrator", found=" ".join(reserved))
    return Seen(case.person.username)


CHECKS = (default_stands_for_something, the_person_may_consent)


def lacking(
    tenant: Tenant, client: Party, person: str, targets: Sequence[Target], *, anew: bool = False
) -> tuple[Lacking, ...]:
    """What has to be asked, by resource; with ``anew`` all that the request names, allowed before or not.

    .default asks only where nothing is granted at the resource yet, and then for all that the registration lists.
    """
    found = []
    for one in targets:
        if one.resource is None or one.resource.id == client.id:
            continue
        granted = frozenset() if anew else tenant.granted(client, one.resource, person)
        if one.wish.default:
            wanted = [] if granted else listed(client.application, one.resource.application)
        else:
            api = one.resource.application.api
            wanted = [scope for scope in api.oauth2_permission_scopes if scope.value in one.wish.values]
        missing = tuple(scope for scope in wanted if scope.value not in granted)
        if missing:
            found.append(Lacking(one.resource, missing))
    return tuple(found)


def knows(api: Party, client: Party) -> bool:
    """Whether an API lists a client among those that may ask for all that it needs itself, in one step."""
    return client.id in api.application.api.known_client_applications


def behind(tenant: Tenant, api: Party, resources: Sequence[Party], person: str) -> tuple[Lacking, ...]:
    """What an API needs of the APIs behind it, by its registration, and nobody allowed it yet."""
    found = []
    for one in resources:
        granted = tenant.granted(api, one, person)
        missing = tuple(scope for scope in listed(api.application, one.application) if scope.value not in granted)
        if missing:
            found.append(Lacking(one, missing, api))
    return tuple(found)
