"""The parts that a tenant of Entra ID is set up from: applications, what belongs to them, groups."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from innkeeper.client.refused import refuse
from innkeeper.provision import refusals
from innkeeper.provision.entra_tenant import MARK, Tenant
from innkeeper.provision.inputs import Federated
from innkeeper.provision.parts import Document, Part
from innkeeper.provision.record import Secret

API, MACHINE, WEB = "api", "machine", "web"
SECRET = "made by innkeeper provision"
ROLE, SCOPE = "Role", "Scope"
LATER = "(known once the API is made)"


def role_value(scope: str) -> str:
    """Scopes and roles share one name space."""
    return f"role.{scope}"


class _InTenant:
    final: frozenset[str] = frozenset()

    def __init__(self, cloud: Tenant) -> None:
        self.cloud = cloud
        self.graph = cloud.graph


class Application(_InTenant):
    """An application that bears our mark, and in a second one what it is among ours. A client's asks for an ``api``."""

    kind = "application"

    def __init__(
        self, cloud: Tenant, role: str, name_here: str, document: Document, api: Application | None = None
    ) -> None:
        super().__init__(cloud)
        self._api = api
        self.role, self.name_here = role, name_here
        self.name = str(document["displayName"])
        self._document = document
        self._found: dict[str, Any] | None = None

    @classmethod
    def of(cls, cloud: Tenant, found: Document) -> Application:
        """An application of ours that is there, whatever it was made for."""
        part = next((tag for tag in found["tags"] if tag.startswith("innkeeper-part/")), "innkeeper-part//")
        _, role, name = part.split("/", 2)
        made = cls(cloud, role, name, found)
        made._found = dict(found)
        return made

    @property
    def mark(self) -> str:
        return f"innkeeper-part/{self.role}/{self.name_here}"

    def wanted(self) -> Document:
        document = self._document
        if self._api and any(one["resourceAppId"] == LATER for one in document["requiredResourceAccess"]):
            one = next(iter(document["requiredResourceAccess"]))
            api = self._api.find()
            filled = {**one, "resourceAppId": api["appId"] if api else LATER}
            document = {**document, "requiredResourceAccess": [filled]}
        return {**document, "tags": [f"{MARK}/{self.cloud.inputs.name_prefix}", self.mark]}

    def find(self) -> dict[str, Any] | None:
        if self._found is not None:
            return self.graph.one(f"/applications/{self._found['id']}")
        ours = [one for one in self.cloud.applications() if self.mark in one["tags"]]
        if len(ours) > 1:
            both = ", ".join(one["appId"] for one in ours)
            raise refuse(refusals.MARKED_TWICE, f"the applications {both} bear the tag {self.mark}")
        self._found = ours[0] if ours else None
        return self._found

    def read(self) -> dict[str, Any]:
        """The application, which has been made."""
        found = self.find()
        assert found is not None  # noqa: S101 - its part comes before those that read it
        return found

    def make(self) -> None:
        self._found = self.graph.do("POST", "/applications", {**self.wanted(), **self.cloud.owners()})

    def change(self, found: Document) -> None:
        """A scope or role is disabled before it can go."""
        path, wanted = f"/applications/{found['id']}", self.wanted()
        if self.role == API and (disabled := _disabled(found, wanted)):
            self.graph.do("PATCH", path, disabled)
        self.graph.do("PATCH", path, wanted)

    def remove(self) -> None:
        self.graph.do("DELETE", f"/applications/{self.read()['id']}")
        self._found = None


def _disabled(found: Document, wanted: Document) -> Document:
    """What goes, switched off, beside what stays; empty where nothing goes."""
    scopes = _off(found["api"]["oauth2PermissionScopes"], wanted["api"]["oauth2PermissionScopes"])
    roles = _off(found["appRoles"], wanted["appRoles"])
    said: dict[str, Any] = {"appRoles": roles} if roles else {}
    return {**said, "api": {"oauth2PermissionScopes": scopes}} if scopes else said


def _off(found: list[Document], wanted: list[Document]) -> list[Document]:
    kept = {one["id"] for one in wanted}
    off: list[Document] = [{**one, "isEnabled": one["id"] in kept} for one in found]
    return off if any(one["id"] not in kept for one in found) else []


class _OfApplication(_InTenant):
    """A part that belongs to an application."""

    def __init__(self, cloud: Tenant, application: Application) -> None:
        super().__init__(cloud)
        self.application = application
        self.name = f"of {application.name}"

    @property
    def path(self) -> str:
        return f"/applications/{self.application.read()['id']}"


class IdentifierUri(_OfApplication):
    """The API's name in requests; with its own client id in it, it can only be said afterwards."""

    kind = "identifier URI"

    def wanted(self) -> Document:
        api = self.application.find()
        own = f"api://{api['appId']}" if api else LATER
        return {"identifierUris": [self.cloud.inputs.api_identifier or own]}

    def find(self) -> Document | None:
        api = self.application.find()
        return api if api and api["identifierUris"] else None

    def make(self) -> None:
        self.graph.do("PATCH", self.path, self.wanted())

    def change(self, found: Document) -> None:  # noqa: ARG002 - the whole is sent
        self.make()

    def remove(self) -> None:
        """It goes with the application."""


class Principal(_OfApplication):
    """The application in the tenant."""

    kind = "service principal"

    def __init__(self, cloud: Tenant, application: Application, said: Document | None = None) -> None:
        super().__init__(cloud, application)
        self._said = said or {}

    def wanted(self) -> Document:
        return self._said

    def find(self) -> dict[str, Any] | None:
        application = self.application.find()
        if application is None:
            return None
        found = self.graph.all("/servicePrincipals", filter=f"appId eq '{application['appId']}'")
        return found[0] if found else None

    def make(self) -> None:
        said = {"appId": self.application.read()["appId"], **self._said, **self.cloud.owners()}
        self.graph.do("POST", "/servicePrincipals", said)

    def change(self, found: Document) -> None:
        self.graph.do("PATCH", f"/servicePrincipals/{found['id']}", self._said)

    def remove(self) -> None:
        """It goes with the application."""


class Assignment(_InTenant):
    """A role given to a program: the administrator's consent to it."""

    kind = "role assignment"

    def __init__(self, cloud: Tenant, client: Principal, api: Principal, scope: str) -> None:
        super().__init__(cloud)
        self._client, self._api = client, api
        self._role = cloud.id_of(ROLE, scope)
        self.name = f"{role_value(scope)} {client.name}".replace(" of ", " to ")

    def wanted(self) -> Document:
        return {}

    def find(self) -> Document | None:
        client, api = self._client.find(), self._api.find()
        if client is None or api is None:
            return None
        given = self.graph.all(f"/servicePrincipals/{client['id']}/appRoleAssignments")
        same = [one for one in given if (one["resourceId"], one["appRoleId"]) == (api["id"], self._role)]
        return same[0] if same else None

    def make(self) -> None:
        client, api = self._client.find() or {}, self._api.find() or {}
        said = {"appRoleId": self._role, "principalId": client["id"], "resourceId": api["id"]}
        self.graph.do("POST", f"/servicePrincipals/{api['id']}/appRoleAssignedTo", said)

    def change(self, found: Document) -> None:
        """There is nothing about it that could change."""

    def remove(self) -> None:
        found = self.find() or {}
        self.graph.do("DELETE", f"/servicePrincipals/{found['resourceId']}/appRoleAssignedTo/{found['id']}")


def needless(cloud: Tenant, client: Principal, api: Principal, scopes: tuple[str, ...]) -> Iterator[Part]:
    """Roles of the API that a program has and is not to have."""
    others = (name for name in cloud.inputs.scopes if name not in scopes)
    yield from (one for name in others if (one := Assignment(cloud, client, api, name)).find())


class Password(_OfApplication):
    """A client's secret. Entra ID tells it once, so one that nobody remembers is no secret of ours."""

    kind = "secret"

    def wanted(self) -> Document:
        begin = self.cloud.inputs.secrets_begin
        return {"startDateTime": _as_told(begin)} if begin else {}

    def find(self) -> Document | None:
        application, kept = self.application.find(), self.cloud.kept.get(self.application.name_here)
        if application is None or kept is None:
            return None
        known = [one for one in application["passwordCredentials"] if one["keyId"] == kept.key]
        if not known or _moment(known[0]["endDateTime"]) <= self.cloud.now:
            return None
        return {**known[0], "startDateTime": _as_told(known[0]["startDateTime"])}

    def make(self) -> None:
        begin = self.cloud.inputs.secrets_begin
        start = _moment(begin) if begin else self.cloud.now
        end = start + timedelta(days=self.cloud.inputs.secret_days)
        said = {"displayName": SECRET, "startDateTime": _written(start), "endDateTime": _written(end)}
        made = self.graph.do("POST", f"{self.path}/addPassword", {"passwordCredential": said})
        secret = Secret(made["secretText"], made["keyId"])
        self.cloud.kept[self.application.name_here] = secret
        self.cloud.remember(self.application.name_here, secret)

    def change(self, found: Document) -> None:
        """Another beginning is another secret; the one before goes once the new one is remembered."""
        self.make()
        self.graph.do("POST", f"{self.path}/removePassword", {"keyId": found["keyId"]})

    def remove(self) -> None:
        """It goes with the application."""


class FederatedCredential(_OfApplication):
    """Another issuer's token in the place of a secret."""

    kind = "federated credential"

    def __init__(self, cloud: Tenant, application: Application, said: Federated) -> None:
        super().__init__(cloud, application)
        self._said = said
        self._name = f"{cloud.inputs.name_prefix}-{application.name_here}"

    def wanted(self) -> Document:
        return {"issuer": self._said.issuer, "subject": self._said.subject, "audiences": [self._said.audience]}

    def find(self) -> Document | None:
        if self.application.find() is None:
            return None
        known = self.graph.all(f"{self.path}/federatedIdentityCredentials")
        return next((one for one in known if one["name"] == self._name), None)

    def make(self) -> None:
        self.graph.do("POST", f"{self.path}/federatedIdentityCredentials", {"name": self._name, **self.wanted()})

    def change(self, found: Document) -> None:
        self.graph.do("PATCH", f"{self.path}/federatedIdentityCredentials/{found['id']}", self.wanted())

    def remove(self) -> None:
        """It goes with the application."""


class Consent(_InTenant):
    """The administrator's consent for everybody: nobody is asked again for what stands here."""

    kind = "consent"

    def __init__(self, cloud: Tenant, client: Principal, api: Principal, scopes: tuple[str, ...]) -> None:
        super().__init__(cloud)
        self._client, self._api, self._scopes = client, api, scopes
        self.name = client.name.replace("of ", "for everybody who uses ")

    def wanted(self) -> Document:
        return {"scopes": sorted(self._scopes)}

    def find(self) -> Document | None:
        client, api = self._client.find(), self._api.find()
        if client is None or api is None:
            return None
        given = self.graph.all("/oauth2PermissionGrants", filter=f"clientId eq '{client['id']}'")
        same = [one for one in given if (one["resourceId"], one["consentType"]) == (api["id"], "AllPrincipals")]
        return {"id": same[0]["id"], "scopes": same[0]["scope"].split()} if same else None

    def make(self) -> None:
        client, api = self._client.find() or {}, self._api.find() or {}
        said = {"clientId": client["id"], "resourceId": api["id"], "consentType": "AllPrincipals"}
        self.graph.do("POST", "/oauth2PermissionGrants", {**said, "scope": " ".join(sorted(self._scopes))})

    def change(self, found: Document) -> None:
        self.graph.do("PATCH", f"/oauth2PermissionGrants/{found['id']}", {"scope": " ".join(sorted(self._scopes))})

    def remove(self) -> None:
        """It goes with the client's service principal."""


class Group(_InTenant):
    """A security group of people; groups have no tags, so the mail nickname, which no mail goes to, is the mark."""

    kind = "group"

    def __init__(self, cloud: Tenant, name: str, description: str) -> None:
        super().__init__(cloud)
        self.name, self._description = name, description
        self.nickname = nickname(cloud.inputs.name_prefix, name)

    @classmethod
    def of(cls, cloud: Tenant, found: Document) -> Group:
        """A group of ours that is there."""
        made = cls(cloud, found["displayName"], found["description"] or "")
        made.nickname = found["mailNickname"]
        return made

    def wanted(self) -> Document:
        return {"displayName": self.name, "description": self._description, "securityEnabled": True}

    def find(self) -> Document | None:
        found = self.graph.all("/groups", filter=f"mailNickname eq '{self.nickname}'")
        return found[0] if found else None

    def make(self) -> None:
        said = {"mailNickname": self.nickname, "mailEnabled": False, **self.cloud.owners()}
        self.graph.do("POST", "/groups", {**self.wanted(), **said})

    def change(self, found: Document) -> None:
        self.graph.do("PATCH", f"/groups/{found['id']}", self.wanted())

    def remove(self) -> None:
        self.graph.do("DELETE", f"/groups/{(self.find() or {})['id']}")


def nickname(prefix: str, name: str) -> str:
    """The mark of a group: letters and digits only, at most 64, with an underscore that no prefix has."""
    own = uuid.uuid5(uuid.NAMESPACE_URL, name).hex[:8]
    return f"{MARK}_{prefix}_{own}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _as_told(text: str) -> str:
    """A time in one spelling, whatever fractions it came with."""
    return _written(_moment(text))
