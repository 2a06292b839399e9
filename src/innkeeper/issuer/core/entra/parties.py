"""Who takes part in a request: the calling application and the resource, as one tenant sees them."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.entra.directory import Application, Directory, ServicePrincipal, roles_named
from innkeeper.issuer.core.records import Person

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
"""The template id of the directory role that may consent for everybody."""


class Party(msgspec.Struct, frozen=True):
    """An application in a tenant: its registration, which may live in the tenant ``home``, and its service principal
    here, None where it was never installed."""

    application: Application
    principal: ServicePrincipal | None
    home: str

    @property
    def id(self) -> str:
        return self.application.app_id

    @property
    def name(self) -> str:
        return self.application.display_name

    @property
    def object_id(self) -> str:
        return self.principal.id if self.principal else ""


class Tenant(msgspec.Struct, frozen=True):
    """A tenant by its id, with its name, its domains (the first is its own onmicrosoft.com one) and its directory."""

    id: str
    name: str
    domains: tuple[str, ...]
    directory: Directory

    def roles_of(self, principals: list[str], resource: Party) -> tuple[str, ...]:
        """The values of the app roles that any of these object ids have at a resource."""
        return roles_named(resource.application, self.directory.assigned(principals, resource.object_id))

    def granted(self, client: Party, resource: Party, person: str) -> frozenset[str]:
        """The scopes that the client may use at the resource for a person: by consent, or pre-authorized by the API."""
        by_consent = self.directory.granted(client.object_id, resource.object_id, person)
        api = resource.application.api
        allowed = {
            scope
            for one in api.pre_authorized_applications
            if one.app_id == client.id
            for scope in one.delegated_permission_ids
        }
        return by_consent | {one.value for one in api.oauth2_permission_scopes if one.id in allowed}


def is_administrator(person: Person) -> bool:
    return GLOBAL_ADMINISTRATOR in person.claims.get("wids", ())


def is_guest(person: Person) -> bool:
    return "#EXT#" in person.username or person.claims.get("userType") == "Guest"
