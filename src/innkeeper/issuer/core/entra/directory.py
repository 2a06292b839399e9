"""A tenant's directory as decisions read it: applications, service principals, assignments, grants, groups.

The documents are Microsoft Graph's; these are the parts of them that decide something. All else in them is kept and
given back as it came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from innkeeper.issuer.core.entra.names import GRAPH_ID, GRAPH_URL, MANAGEMENT_ID, MANAGEMENT_URLS

USER, ADMIN, APPLICATION = "User", "Admin", "Application"
ALL_PRINCIPALS, ONE_PRINCIPAL = "AllPrincipals", "Principal"
WEB, SPA, PUBLIC = "web", "spa", "publicClient"

_MULTI = frozenset({"AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount"})


class Part(msgspec.Struct, frozen=True, rename="camel"):
    """A part of a Graph document."""


class Scope(Part, frozen=True):
    """A delegated permission that an API exposes."""

    id: str
    value: str = ""
    type: str = USER
    is_enabled: bool = True
    user_consent_display_name: str | None = None
    user_consent_description: str | None = None
    admin_consent_display_name: str | None = None
    admin_consent_description: str | None = None

    @property
    def title(self) -> str:
        return self.user_consent_display_name or self.admin_consent_display_name or self.value


class Role(Part, frozen=True):
    """An app role: an application permission, or a role of people, or both."""

    id: str
    value: str | None = None
    display_name: str = ""
    allowed_member_types: tuple[str, ...] = ()
    is_enabled: bool = True


class PreAuthorized(Part, frozen=True):
    app_id: str
    delegated_permission_ids: tuple[str, ...] = ()


class Api(Part, frozen=True):
    requested_access_token_version: int | None = None
    oauth2_permission_scopes: tuple[Scope, ...] = ()
    pre_authorized_applications: tuple[PreAuthorized, ...] = ()
    known_client_applications: tuple[str, ...] = ()


class Implicit(Part, frozen=True):
    enable_access_token_issuance: bool = False
    enable_id_token_issuance: bool = False


class Web(Part, frozen=True):
    redirect_uris: tuple[str, ...] = ()
    implicit_grant_settings: Implicit = Implicit()
    logout_url: str | None = None


class Redirects(Part, frozen=True):
    redirect_uris: tuple[str, ...] = ()


class Password(Part, frozen=True):
    """``digest`` is the secret's SHA-256 and never leaves the house; times are seconds since the epoch."""

    key_id: str
    digest: bytes
    start: int = 0
    end: int = 1 << 62


class Certificate(Part, frozen=True):
    """A certificate that an application signs its assertions with. ``der`` is it whole."""

    key_id: str
    der: bytes
    start: int = 0
    end: int = 1 << 62


class Federated(Part, frozen=True):
    """A federated identity credential: another issuer's word for the application, matched letter by letter."""

    id: str
    name: str
    issuer: str
    subject: str
    audiences: tuple[str, ...] = ()


class OptionalClaim(Part, frozen=True):
    name: str
    additional_properties: tuple[str, ...] = ()


class OptionalClaims(Part, frozen=True):
    access_token: tuple[OptionalClaim, ...] = ()
    id_token: tuple[OptionalClaim, ...] = ()


class Access(Part, frozen=True):
    id: str
    type: str


class Required(Part, frozen=True):
    """The permissions of one resource that an application's registration lists."""

    resource_app_id: str
    resource_access: tuple[Access, ...] = ()


class Application(Part, frozen=True, kw_only=True):
    """An application's registration, with its credentials."""

    id: str
    app_id: str
    display_name: str = ""
    sign_in_audience: str = "AzureADMyOrg"
    identifier_uris: tuple[str, ...] = ()
    api: Api = Api()
    app_roles: tuple[Role, ...] = ()
    required_resource_access: tuple[Required, ...] = ()
    web: Web = Web()
    spa: Redirects = Redirects()
    public_client: Redirects = Redirects()
    is_fallback_public_client: bool | None = None
    optional_claims: OptionalClaims | None = None
    group_membership_claims: str | None = None
    passwords: tuple[Password, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    federated: tuple[Federated, ...] = ()

    @property
    def token_version(self) -> int:
        """Which version of access tokens the API wants; 1 where it says nothing."""
        return 2 if self.api.requested_access_token_version == 2 else 1

    @property
    def multi_tenant(self) -> bool:
        return self.sign_in_audience in _MULTI

    @property
    def redirects(self) -> Mapping[str, tuple[str, ...]]:
        """The registered redirect URIs by platform."""
        return {
            WEB: self.web.redirect_uris,
            SPA: self.spa.redirect_uris,
            PUBLIC: self.public_client.redirect_uris,
        }

    def scope(self, value: str) -> Scope | None:
        return next((one for one in self.api.oauth2_permission_scopes if one.value == value and one.is_enabled), None)

    def answers_to(self, name: str) -> bool:
        """Whether a resource is called this: by the application's id or one of its App ID URIs."""
        return name.lower() == self.app_id or any(same_uri(name, one) for one in self.identifier_uris)

    def optional(self, name: str) -> OptionalClaim | None:
        """An optional claim of access tokens for this API."""
        claims = self.optional_claims.access_token if self.optional_claims else ()
        return next((one for one in claims if one.name == name), None)


def same_uri(sent: str, registered: str) -> bool:
    """App ID URIs are compared letter by letter, but for one slash at the end of an api:// URI."""
    return sent == registered or (registered.startswith("api://") and sent == f"{registered}/")


class ServicePrincipal(Part, frozen=True, kw_only=True):
    """An application in a tenant."""

    id: str
    app_id: str
    display_name: str = ""
    account_enabled: bool = True
    app_role_assignment_required: bool = False


class Assignment(Part, frozen=True, kw_only=True):
    """An app role given to an application, a person or a group. All ids are object ids."""

    id: str
    app_role_id: str
    principal_id: str
    resource_id: str


class PermissionGrant(Part, frozen=True, kw_only=True):
    """Consent: the scopes of a resource that a client may use for one person, or for all. Ids are object ids."""

    id: str
    client_id: str
    resource_id: str
    consent_type: str = ALL_PRINCIPALS
    principal_id: str | None = None
    scope: str = ""

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self.scope.split())


class Group(Part, frozen=True, kw_only=True):
    id: str
    display_name: str = ""
    security_enabled: bool = True
    members: tuple[str, ...] = ()


class Directory:
    """A tenant's directory at one moment, with the indexes that decisions need. Nothing in it changes."""

    def __init__(
        self,
        applications: Iterable[Application] = (),
        principals: Iterable[ServicePrincipal] = (),
        assignments: Iterable[Assignment] = (),
        grants: Iterable[PermissionGrant] = (),
        groups: Iterable[Group] = (),
    ) -> None:
        self.applications = {one.id: one for one in applications}
        self.principals = {one.id: one for one in principals}
        self.assignments = tuple(assignments)
        self.grants = tuple(grants)
        self.groups = {one.id: one for one in groups}
        self._by_app_id = {one.app_id: one for one in self.applications.values()}
        self._principal_of = {one.app_id: one for one in self.principals.values()}
        self._by_uri = {uri: one for one in self.applications.values() for uri in one.identifier_uris}

    def application(self, app_id: str) -> Application | None:
        return self._by_app_id.get(app_id.lower())

    def principal(self, app_id: str) -> ServicePrincipal | None:
        return self._principal_of.get(app_id.lower())

    def named(self, resource: str) -> Application | None:
        """The application that a resource name means: its id, or one of its App ID URIs."""
        found = self._by_app_id.get(resource.lower()) or self._by_uri.get(resource)
        if found is None and resource.startswith("api://") and resource.endswith("/"):
            return self._by_uri.get(resource[:-1])
        return found

    def assigned(self, principals: Iterable[str], resource_id: str) -> list[str]:
        """The app roles that were given to any of these at a resource, as role ids in the order given."""
        wanted = set(principals)
        return [
            one.app_role_id for one in self.assignments if one.principal_id in wanted and one.resource_id == resource_id
        ]

    def granted(self, client_id: str, resource_id: str, person: str) -> frozenset[str]:
        """The scopes that a client may use at a resource for this person. Both ids are service principals'."""
        found = (
            one.scopes
            for one in self.grants
            if one.client_id == client_id
            and one.resource_id == resource_id
            and (one.consent_type == ALL_PRINCIPALS or one.principal_id == person)
        )
        return frozenset().union(*found)

    def groups_of(self, member: str) -> list[Group]:
        """The groups that somebody is in, through other groups too."""
        found: dict[str, Group] = {}
        ahead = [member]
        while ahead:
            near = ahead.pop()
            fresh = [one for one in self.groups.values() if near in one.members and one.id not in found]
            found.update({one.id: one for one in fresh})
            ahead += [one.id for one in fresh]
        return list(found.values())


def roles_named(application: Application, role_ids: Iterable[str]) -> tuple[str, ...]:
    """The values of these roles, in the order assigned, each once; those that are off or have none are left out."""
    values = {one.id: one.value for one in application.app_roles if one.is_enabled and one.value}
    return tuple(dict.fromkeys(str(values[one]) for one in role_ids if one in values))


def graph_application() -> Application:
    """Microsoft Graph itself, which every tenant has, with the permissions that the twin's Graph asks for."""
    scopes = (
        Scope(
            key,
            value,
            ADMIN if value in _FOR_ADMINISTRATORS else USER,
            user_consent_display_name=_SENTENCES.get(value),
        )
        for value, key in GRAPH_SCOPES.items()
    )
    return Application(
        id=GRAPH_OBJECT,
        app_id=GRAPH_ID,
        display_name="Microsoft Graph",
        sign_in_audience="AzureADMultipleOrgs",
        identifier_uris=(GRAPH_URL,),
        api=Api(oauth2_permission_scopes=tuple(scopes)),
        app_roles=tuple(Role(key, value, value, (APPLICATION,)) for value, key in GRAPH_ROLES.items()),
    )


def management_application() -> Application:
    """Azure's resource manager, which every tenant has, too: the Azure command line signs in at it."""
    scope = Scope("41094075-9dad-400e-a0bd-54e686782033", "user_impersonation", USER)
    return Application(
        id="797f4846-ba00-4fd7-ba43-dac1f8f630a0",
        app_id=MANAGEMENT_ID,
        display_name="Windows Azure Service Management API",
        sign_in_audience="AzureADMultipleOrgs",
        identifier_uris=tuple(f"{url}{end}" for url in MANAGEMENT_URLS for end in ("", "/")),
        api=Api(oauth2_permission_scopes=(scope,)),
    )


GRAPH_OBJECT = "00000003-0000-0000-c000-0000000000a0"

GRAPH_SCOPES = {
    "openid": "37f7f235-527c-4136-accd-4a02d197296e",
    "profile": "14dad69e-099b-42c9-810b-d002981feec1",
    "email": "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
    "offline_access": "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
    "User.Read": "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
    "User.ReadBasic.All": "b340eb25-3456-403f-be2f-af7a0d370277",
    "User.Read.All": "a154be20-db9c-4678-8ab7-66f6cc099a59",
    "Application.ReadWrite.All": "bdfbf15f-ee85-4955-8675-146e8e5296b5",
    "Directory.Read.All": "06da0dbc-49e2-44d2-8312-53f166ab848a",
    "Directory.ReadWrite.All": "c5366453-9fb0-48a5-a156-24f0c49a4b84",
}
GRAPH_ROLES = {
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "DelegatedPermissionGrant.ReadWrite.All": "8e8e4742-1d95-4f68-9d56-6ee75648c72a",
    "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "Directory.ReadWrite.All": "19dbc75e-c2e2-444c-a770-ec69d8559fc7",
    "Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b",
    "Group.ReadWrite.All": "62a82d76-70ea-41e2-9197-370581804d09",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca",
}
_SENTENCES = {
    "openid": "Sign you in",
    "profile": "View your basic profile",
    "email": "View your e-mail address",
    "offline_access": "Keep working for you while you are away",
    "User.Read": "Sign you in and read your profile",
}
"""What people are asked, where it is not the scope's own name."""

_FOR_ADMINISTRATORS = frozenset(
    {"User.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
)


def read(kind: type[Any], document: Mapping[str, Any]) -> Any:
    """A Graph document as the typed value that decisions read. Raises ``msgspec.ValidationError``."""
    return msgspec.convert({key: value for key, value in document.items() if value is not None}, kind, strict=False)
