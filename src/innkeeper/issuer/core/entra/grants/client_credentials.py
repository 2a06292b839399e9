"""An application on its own behalf: .default of one resource, and the app roles that were assigned to it."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.entra.aadsts import refuse
from innkeeper.issuer.core.entra.asking import Ask, missing
from innkeeper.issuer.core.entra.codes import scopes as codes
from innkeeper.issuer.core.entra.names import V1, V2
from innkeeper.issuer.core.entra.parties import Party, Tenant
from innkeeper.issuer.core.entra.reach import Target
from innkeeper.issuer.core.entra.token_request import Issue
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, check, follow


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """``targets`` are the resources that the scope names."""

    ask: Ask
    tenant: Tenant
    client: Party
    targets: tuple[Target, ...]
    strength: str

    @property
    def resource(self) -> Party | None:
        return self.targets[0].resource if self.targets else None

    @property
    def roles(self) -> tuple[str, ...]:
        """The app roles that the caller has at the resource."""
        return self.tenant.roles_of([self.client.object_id], self.resource) if self.resource else ()


def decide(case: Case) -> Decision[Issue]:
    """A token for the client itself."""
    trail = follow("token", CHECKS, case)
    if trail.refusal or case.resource is None:
        return Decision(trail.refusal or missing("scope"), trail)
    issue = Issue(
        tenant=case.tenant,
        client=case.client,
        resource=case.resource,
        audience=case.targets[0].wish.resource,
        strength=case.strength,
        roles=case.roles,
    )
    return Decision(issue, trail)


@check("AADSTS 900144")
def a_resource_is_asked_for(case: Case) -> Seen | Refusal:
    """The request names a resource: in scope, or in resource at the version 1 endpoint."""
    name = "resource" if case.ask.version == V1 else "scope"
    return Seen(case.ask.get(name)) if case.ask.get(name) else missing(name)


@check("AADSTS 1002012")
def the_scope_is_default(case: Case) -> Seen | Refusal:
    """An application cannot choose among its roles: every scope is a resource's .default."""
    asked = case.ask.get("scope")
    if case.ask.version == V2 and not (case.targets and all(one.wish.values == (".default",) for one in case.targets)):
        return refuse(
            codes.NOT_DEFAULT, "a scope without .default", expected="<App ID URI>/.default", found=asked, scope=asked
        )
    return Seen(asked)


@check("AADSTS 28000")
def one_resource_is_asked_for(case: Case) -> Seen | Refusal:
    """A token is for one resource."""
    if len(case.targets) > 1:
        asked = case.ask.get("scope")
        return refuse(codes.SEVERAL_RESOURCES, "several resources", expected="one", found=asked, scope=asked)
    return Seen(case.targets[0].wish.resource)


@check("AADSTS 500011")
def the_resource_is_in_the_tenant(case: Case) -> Seen | Refusal:
    """The resource is an application with a service principal in the tenant."""
    name = case.targets[0].wish.resource
    if case.resource is None:
        why = f"nothing in {case.tenant.name} answers to {name}"
        return refuse(codes.RESOURCE_UNKNOWN, why, found=name, resource=name, tenant=case.tenant.name)
    return Seen(case.resource.name)


@check("AADSTS 90009")
def a_token_for_itself_names_its_id(case: Case) -> Seen | Refusal:
    """An application that asks for a token for itself names itself by its GUID."""
    name = case.targets[0].wish.resource
    if case.resource and case.resource.id == case.client.id and name.lower() != case.client.id:
        what = {"client": case.client.id, "name": case.client.name}
        return refuse(codes.SELF_BY_NAME, "by its App ID URI", expected=case.client.id, found=name, **what)
    return Seen(name)


@check("AADSTS 501051")
def a_role_is_assigned_where_one_is_required(case: Case) -> Seen | Refusal:
    """Without a role the token has no roles claim; where the resource requires an assignment there is no token."""
    resource = case.resource
    required = bool(resource and resource.principal and resource.principal.app_role_assignment_required)
    if required and resource and not case.tenant.directory.assigned([case.client.object_id], resource.object_id):
        return refuse(
            codes.NO_ROLE,
            "no app role is assigned",
            expected="an app role assignment",
            found="none",
            client=case.client.id,
            name=case.client.name,
            resource=resource.id,
            resource_name=resource.name,
        )
    return Seen(case.roles or "no roles")


CHECKS = (
    a_resource_is_asked_for,
    the_scope_is_default,
    one_resource_is_asked_for,
    the_resource_is_in_the_tenant,
    a_token_for_itself_names_its_id,
    a_role_is_assigned_where_one_is_required,
)
