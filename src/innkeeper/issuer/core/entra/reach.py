"""What a person's client may reach: the one resource that a token is for, its scopes, and who consented to them."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.entra.aadsts import refuse
from innkeeper.issuer.core.entra.codes import scopes as codes
from innkeeper.issuer.core.entra.directory import USER, Application, Scope
from innkeeper.issuer.core.entra.names import GRAPH_ID
from innkeeper.issuer.core.entra.parties import Party, Tenant
from innkeeper.issuer.core.entra.scopes import DEFAULT, OPENID_WORDS, Wish, Wishes, spelt
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, check


class Target(msgspec.Struct, frozen=True):
    """What is asked of a resource, and the resource as the tenant knows it, None where it does not."""

    wish: Wish
    resource: Party | None


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """``targets`` are the resources asked for, the first one's token is cut; ``granted`` are the scopes at it that the
    client may use for ``person``, an object id. ``parameter`` is the resource parameter of version 2."""

    tenant: Tenant
    client: Party
    wishes: Wishes
    targets: tuple[Target, ...]
    person: str = ""
    parameter: str = ""
    refuse_parameter: bool = False

    @property
    def target(self) -> Target:
        return self.targets[0]

    def granted(self, resource: Party) -> frozenset[str]:
        return self.tenant.granted(self.client, resource, self.person)


@check("AADSTS 901002")
def the_resource_parameter_is_taken(case: Case) -> Seen | Refusal:
    """Version 2 takes a resource parameter since 2026; before, and by a switch of the twin, it refused any."""
    if case.parameter and case.refuse_parameter:
        return refuse(codes.RESOURCE_PARAMETER, "the twin is set to before 2026", found=case.parameter)
    return Seen(case.parameter or "not sent")


@check("AADSTS 9010010")
def the_resource_parameter_fits_the_scopes(case: Case) -> Seen | Refusal:
    """It equals, letter by letter, an App ID URI of the application that owns the scopes."""
    if not case.parameter:
        return Seen("not sent")
    for one in case.targets:
        uris = one.resource.application.identifier_uris if one.resource else ()
        if not case.wishes.resources or one.wish.bare or case.parameter not in uris:
            expected = " or ".join(uris) or "an App ID URI"
            return refuse(codes.RESOURCE_MISMATCH, "it is another", expected=expected, found=case.parameter)
    return Seen(case.parameter)


@check("AADSTS 28000")
def one_resource_is_asked_for(case: Case) -> Seen | Refusal:
    """A token is for one resource."""
    if len(case.targets) > 1:
        names = " ".join(one.wish.resource for one in case.targets)
        asked = " ".join(scope for one in case.targets for scope in one.wish.spelt())
        return refuse(codes.SEVERAL_RESOURCES, "several resources", expected="one", found=names, scope=asked)
    return Seen(case.target.wish.resource)


@check("AADSTS 70011")
def default_stands_alone(case: Case) -> Seen | Refusal:
    """.default means all that was granted at the resource, so no named scope of it stands beside."""
    for one in case.targets:
        if one.wish.default and len(one.wish.values) > 1:
            asked = " ".join(one.wish.spelt())
            return refuse(
                codes.SCOPE_INVALID, ".default and named scopes", expected="one of both", found=asked, scope=asked
            )
    return Seen(case.target.wish.values)


@check("AADSTS 500011")
def the_resource_is_in_the_tenant(case: Case) -> Seen | Refusal:
    """Each resource is an application with a service principal in the tenant."""
    for one in case.targets:
        if one.resource is None:
            name = one.wish.resource
            return refuse(
                codes.RESOURCE_UNKNOWN, f"nothing answers to {name}", found=name, resource=name, tenant=case.tenant.name
            )
    return Seen(case.target.wish.resource)


@check("AADSTS 650053")
def the_scopes_exist_there(case: Case) -> Seen | Refusal:
    """Each scope is one that its resource exposes and did not switch off."""
    for one in case.targets:
        for value in one.wish.values:
            if one.resource and value != DEFAULT and one.resource.application.scope(value) is None:
                known = (scope.value for scope in one.resource.application.api.oauth2_permission_scopes)
                return refuse(
                    codes.SCOPE_NOT_ON_RESOURCE,
                    f"{one.resource.name} exposes no {value}",
                    expected=" or ".join(known),
                    found=value,
                    name=case.client.name,
                    scope=value,
                    resource=one.resource.id,
                )
    return Seen(case.target.wish.values)


@check("AADSTS 65001")
def somebody_consented(case: Case) -> Seen | Refusal:
    """The person or an administrator allowed the client these scopes, or the API lists it as pre-authorized."""
    lacking = lacks(case)
    if lacking:
        return refuse(
            codes.NOT_CONSENTED,
            "no consent",
            expected=" ".join(sorted(lacking)),
            found=" ".join(sorted(case.granted(case.target.resource))) if case.target.resource else "",
            client=case.client.id,
            name=case.client.name,
        )
    return Seen(case.target.wish.values)


def lacks(case: Case) -> frozenset[str]:
    """The scopes that are asked for and that nobody allowed; .default where nothing at all was."""
    missing: set[str] = set()
    for one in case.targets:
        if one.resource is None or one.resource.id == case.client.id:
            continue
        granted = case.granted(one.resource)
        wanted = set(one.wish.values) - granted
        if one.wish.default:
            wanted = set() if granted else {DEFAULT}
        missing |= {spelt(one.wish.resource, value) for value in wanted}
    return frozenset(missing)


def listed(application: Application, resource: Application) -> list[Scope]:
    """The delegated permissions of a resource that an application's registration lists: what .default asks consent for."""
    ids = {
        access.id
        for one in application.required_resource_access
        if one.resource_app_id == resource.app_id
        for access in one.resource_access
        if access.type == "Scope"
    }
    return [one for one in resource.api.oauth2_permission_scopes if one.id in ids and one.is_enabled]


def scopes_of(case: Case) -> tuple[str, ...]:
    """The scopes of the token: all that were consented at the resource, in the order the resource lists them."""
    resource = case.target.resource
    if resource is None:
        return ()
    granted = case.granted(resource) | (set(case.wishes.openid) if resource.id == GRAPH_ID else set())
    ordered = [one.value for one in resource.application.api.oauth2_permission_scopes if one.value in granted]
    return tuple(ordered)


def told(case: Case) -> tuple[str, ...]:
    """The scopes as the answer spells them: with the resource before them, the OpenID words bare."""
    resource = case.target.wish.resource
    values = (one for one in scopes_of(case) if one not in OPENID_WORDS)
    return (*(spelt(resource, one) for one in values), *sorted(case.wishes.openid - {"offline_access"}))


def is_for_people(scope: Scope) -> bool:
    """Whether a person may consent to it without an administrator."""
    return scope.type == USER


REACH_CHECKS = (
    the_resource_parameter_is_taken,
    the_resource_parameter_fits_the_scopes,
    one_resource_is_asked_for,
    default_stands_alone,
    the_resource_is_in_the_tenant,
    the_scopes_exist_there,
    somebody_consented,
)
"""At the token endpoint: one resource."""

ASKING_CHECKS = (
    the_resource_parameter_is_taken,
    the_resource_parameter_fits_the_scopes,
    default_stands_alone,
    the_resource_is_in_the_tenant,
    the_scopes_exist_there,
)
"""At the authorization endpoint: several resources, and consent is asked for afterwards."""
