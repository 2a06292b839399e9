"""Microsoft Entra ID: the parts of ``terraform/entra``, made through Microsoft Graph.

Applications are known again by their tags, groups by their mail nickname; service principals, roles and consent belong to
an application of ours. Ids of scopes and roles follow from tenant, prefix and name, so that nothing granted is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from innkeeper.provision.entra_parts import (
    API,
    LATER,
    MACHINE,
    ROLE,
    SCOPE,
    WEB,
    Application,
    Assignment,
    Consent,
    FederatedCredential,
    Group,
    IdentifierUri,
    Password,
    Principal,
    needless,
    nickname,
    role_value,
)
from innkeeper.provision.entra_tenant import MARK, Remember, Tenant
from innkeeper.provision.graph import LOGIN, Graph
from innkeeper.provision.inputs import EntraInputs, Machine, Web
from innkeeper.provision.parts import Document, Part
from innkeeper.provision.record import Secret


class Entra(Tenant):
    """The parts in one tenant, and what they come to."""

    def __init__(
        self,
        graph: Graph,
        inputs: EntraInputs,
        secrets: Mapping[str, Secret],
        remember: Remember,
        now: datetime,
        login: str = LOGIN,
    ) -> None:
        super().__init__(graph, inputs, secrets, remember, now)
        self._login = f"{login.rstrip('/')}/{inputs.tenant_id}"

    @cached_property
    def api(self) -> Application:
        return Application(self, API, "", api_document(self))

    @cached_property
    def machines(self) -> dict[str, Application]:
        return {
            name: Application(self, MACHINE, name, client_document(self, name, one.scopes, ROLE), self.api)
            for name, one in self.inputs.machine_clients.items()
        }

    @cached_property
    def webs(self) -> dict[str, Application]:
        return {
            name: Application(self, WEB, name, web_document(self, name, one), self.api)
            for name, one in self.inputs.web_clients.items()
        }

    def parts(self) -> Iterator[Part]:
        """What is to be there."""
        principal = Principal(self, self.api, {"appRoleAssignmentRequired": True})
        yield from (self.api, IdentifierUri(self, self.api), principal)
        for name, machine in self.inputs.machine_clients.items():
            yield from self._machine(name, machine, principal)
        for name, web in self.inputs.web_clients.items():
            yield from self._web(name, web, principal)
        yield from (Group(self, *one) for one in self.inputs.groups.items())

    def _machine(self, name: str, machine: Machine, api: Principal) -> Iterator[Part]:
        application = self.machines[name]
        own = Principal(self, application)
        yield from (application, own)
        yield from (Assignment(self, own, api, scope) for scope in sorted(machine.scopes))
        federated = machine.federated_credential
        yield FederatedCredential(self, application, federated) if federated else Password(self, application)

    def _web(self, name: str, web: Web, api: Principal) -> Iterator[Part]:
        application = self.webs[name]
        own = Principal(self, application)
        yield from (application, own)
        if not web.public:
            yield Password(self, application)
        if web.scopes:
            yield Consent(self, own, api, web.scopes)

    def unwanted(self) -> Iterator[Part]:
        """What an earlier run made and nobody asks for any more."""
        wanted = {one.mark for one in (self.api, *self.machines.values(), *self.webs.values())}
        for one in self.made():
            if isinstance(one, Application) and one.mark not in wanted:
                yield one
        api = Principal(self, self.api)
        for name, machine in self.inputs.machine_clients.items():
            yield from needless(self, Principal(self, self.machines[name]), api, machine.scopes)
        groups = {nickname(self.inputs.name_prefix, name) for name in self.inputs.groups}
        yield from (one for one in self.made() if isinstance(one, Group) and one.nickname not in groups)

    def made(self) -> list[Part]:
        """Everything there is of ours: clients first, then the API, then groups."""
        ours = [Application.of(self, one) for one in self.applications()]
        start = f"{MARK}_{self.inputs.name_prefix}_"
        groups = self.graph.all("/groups", filter=f"startswith(mailNickname,'{start}')")
        return [*sorted(ours, key=lambda one: one.role == API), *(Group.of(self, one) for one in groups)]

    def strangers(self) -> list[str]:
        """Applications and groups are removed one by one, so nothing of others goes with them."""
        return []

    def outputs(self) -> dict[str, Any]:
        """What ``terraform/entra`` gives, under its names."""
        api = self.api.read()
        uri = self.inputs.api_identifier or f"api://{api['appId']}"
        clients = {**self.machines, **self.webs}
        return {
            "issuer": f"{self._login}/v2.0",
            "discovery_url": f"{self._login}/v2.0/.well-known/openid-configuration",
            "jwks_uri": f"{self._login}/discovery/v2.0/keys",
            "token_endpoint": f"{self._login}/oauth2/v2.0/token",
            "authorization_endpoint": f"{self._login}/oauth2/v2.0/authorize",
            "audience": [api["appId"]],
            "audience_claim": "aud",
            "client_ids": {name: one.read()["appId"] for name, one in clients.items()},
            "client_secrets": {name: one.text for name, one in self.kept.items() if name in clients},
            "scopes": {name: f"{uri}/{name}" for name in self.inputs.scopes},
            "request_scopes": dict.fromkeys(self.machines, f"{uri}/.default"),
            "roles": {name: role_value(name) for name in self.inputs.scopes},
            "tenant_id": self.inputs.tenant_id,
        }

    def role_named(self, name: str) -> dict[str, Any]:
        text = self.inputs.scopes[name]
        return {
            "id": self.id_of(ROLE, name),
            "value": role_value(name),
            "allowedMemberTypes": ["Application"],
            "displayName": text,
            "description": f"{text}, for a program that acts for itself.",
            "isEnabled": True,
        }

    def scope_named(self, name: str) -> dict[str, Any]:
        text = self.inputs.scopes[name]
        return {
            "id": self.id_of(SCOPE, name),
            "value": name,
            "type": "User",
            "isEnabled": True,
            "adminConsentDisplayName": text,
            "adminConsentDescription": f"{text}, for the person who is signed in.",
            "userConsentDisplayName": text,
            "userConsentDescription": f"{text}, for you.",
        }


def api_document(cloud: Entra) -> Document:
    return {
        "displayName": f"{cloud.inputs.name_prefix} API",
        "signInAudience": "AzureADMyOrg",
        "api": {
            "requestedAccessTokenVersion": 2,
            "oauth2PermissionScopes": [cloud.scope_named(name) for name in cloud.inputs.scopes],
        },
        "appRoles": [cloud.role_named(name) for name in cloud.inputs.scopes],
    }


def client_document(cloud: Entra, name: str, scopes: tuple[str, ...], kind: str) -> Document:
    api = cloud.api.find()
    asked = [{"id": cloud.id_of(kind, scope), "type": kind} for scope in sorted(scopes)]
    access = [{"resourceAppId": api["appId"] if api else LATER, "resourceAccess": asked}] if asked else []
    return {
        "displayName": f"{cloud.inputs.name_prefix} {name}",
        "signInAudience": "AzureADMyOrg",
        "api": {"requestedAccessTokenVersion": 2},
        "requiredResourceAccess": access,
    }


def web_document(cloud: Entra, name: str, one: Web) -> Document:
    kind = "publicClient" if one.public else "web"
    logout = {"logoutUrl": one.logout_uris[0]} if one.logout_uris and not one.public else {}
    return {
        **client_document(cloud, name, one.scopes, SCOPE),
        "isFallbackPublicClient": one.public,
        kind: {"redirectUris": sorted(one.redirect_uris), **logout},
    }
