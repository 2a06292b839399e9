"""Graph's service principals: applications in a tenant, their owners, and the app roles given at them and to them."""

from __future__ import annotations

import uuid

import msgspec

from innkeeper.issuer.core.entra import documents
from innkeeper.issuer.core.entra.directory import GRAPH_ROLES, GRAPH_SCOPES, management_application
from innkeeper.issuer.core.entra.documents import Document, bad
from innkeeper.issuer.core.entra.graph import SAME_KEY
from innkeeper.issuer.core.entra.names import GRAPH_ID, GRAPH_URL, MANAGEMENT_ID
from innkeeper.issuer.desk.entra.books import (
    APPLICATIONS,
    ASSIGNMENTS,
    GRANTS,
    GRAPH_PRINCIPAL,
    MANAGEMENT_PRINCIPAL,
    PRINCIPALS,
    Change,
    Kept,
    Page,
    written,
)
from innkeeper.issuer.desk.entra.cloud import Cloud, Desk
from innkeeper.issuer.desk.entra.consenting import new_id
from innkeeper.issuer.dialects.entra.graph import odata
from innkeeper.issuer.dialects.entra.graph.deleted import binned
from innkeeper.issuer.dialects.entra.graph.odata import Call, Refused
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.refusals import Refusal

AT, TO = "appRoleAssignedTo", "appRoleAssignments"


class Principals:
    """``/servicePrincipals``, by object id, or by application id as ``servicePrincipals(appId='…')``."""

    def __init__(self, desk: Desk, cloud: Cloud) -> None:
        self._desk = desk
        self._cloud = cloud

    async def answer(self, call: Call) -> Reply:
        page = await self._desk.books.page()
        if len(call.segments) == 1:
            if call.method == "POST":
                return await self._create(call)
            return odata.many(
                call, [_graph(), _management(), *[await self._shown(one) for one in page.all(PRINCIPALS)]]
            )
        key = found(page, call.segments[1])
        if len(call.segments) == 2:
            return await self._one(call, page, key)
        what = call.segments[2]
        if what in (AT, TO):
            return await assignments(self._desk, call, key, at=what == AT)
        if what == "owners":
            return await self._owners(call, page, key)
        if what == "oauth2PermissionGrants":
            return odata.many(call, [one.document for one in page.all(GRANTS) if one.document["clientId"] == key])
        if what in ("memberOf", "transitiveMemberOf"):
            groups = page.directory.groups_of(key)
            return odata.many(call, [{"@odata.type": "#microsoft.graph.group", "id": one.id} for one in groups])
        raise odata.not_found(what)

    async def _one(self, call: Call, page: Page, key: str) -> Reply:
        kept = page.get(PRINCIPALS, key)
        if kept is None:
            return odata.one(call, _graph() if key == GRAPH_PRINCIPAL.id else _management())
        if call.method == "PATCH":
            said = {name: value for name, value in call.body.items() if name not in _OURS and "@odata" not in name}
            changed = msgspec.structs.replace(kept, document=documents.merged(kept.document, said))
            await self._desk.books.change(lambda _: (None, [Change(PRINCIPALS, key, changed)]))
            return odata.nothing()
        if call.method == "DELETE":
            app_id = str(kept.document["appId"])
            await self._desk.books.change(lambda page: (None, without_principal(page, app_id, call.now)))
            return odata.nothing()
        return odata.one(call, await self._shown(kept))

    async def _create(self, call: Call) -> Reply:
        app_id, key = call.text("appId"), str(uuid.uuid4())
        party = await self._cloud.party(None, app_id)
        if party is None or (party.home != self._desk.id and not party.application.multi_tenant):
            message = f"The appId '{app_id}' of the service principal does not reference a valid application object."
            raise Refused(bad(message, app_id))
        said = {name: value for name, value in call.body.items() if name not in _OURS and "@odata" not in name}
        own = {
            "id": key,
            "appId": app_id,
            "appOwnerOrganizationId": party.home,
            "createdDateTime": written(call.now),
            "displayName": party.name,
        }
        owners = tuple(odata.bound(call.body, "owners")) or (str(call.caller.get("oid", "")),)
        kept = Kept(documents.merged(documents.PRINCIPAL, said) | own, owners=owners)

        def decide(page: Page) -> tuple[None, list[Change]]:
            if page.directory.principal(app_id) is not None:
                raise Refused(Refusal(SAME_KEY, "there is one", "none", app_id))
            return None, [Change(PRINCIPALS, key, kept)]

        await self._desk.books.change(decide)
        return odata.one(call, await self._shown(kept), 201)

    async def _owners(self, call: Call, page: Page, key: str) -> Reply:
        kept = page.get(PRINCIPALS, key)
        if kept is None or call.method == "GET":
            owners = kept.owners if kept else ()
            return odata.many(call, [{"@odata.type": "#microsoft.graph.servicePrincipal", "id": one} for one in owners])
        if call.method == "POST":
            owners = (*kept.owners, odata.reference(call))
        else:
            owners = tuple(one for one in kept.owners if one != call.segments[3])
        changed = msgspec.structs.replace(kept, owners=tuple(dict.fromkeys(owners)))
        await self._desk.books.change(lambda _: (None, [Change(PRINCIPALS, key, changed)]))
        return odata.nothing()

    async def _shown(self, kept: Kept) -> Document:
        """A service principal as it is read, with what its application says, wherever that is registered."""
        for desk in self._cloud:
            page = await desk.books.page()
            for one in page.all(APPLICATIONS):
                if one.document["appId"] == kept.document["appId"]:
                    application = documents.whole(one.document, documents.APPLICATION)
                    return documents.principal_of(kept.document, application)
        return documents.principal_of(kept.document, kept.document)


_OURS = ("id", "appId", "createdDateTime", "appOwnerOrganizationId", "passwordCredentials")


def found(page: Page, name: str) -> str:
    """The object id that a path names. Raises ``Refused``."""
    if name.startswith("("):
        principal = page.directory.principal(name.strip("()").removeprefix("appId=").strip("'"))
        if principal is not None:
            return principal.id
    if name not in page.directory.principals:
        raise odata.not_found(name.strip("()"))
    return name


def without_principal(page: Page, app_id: str, now: int) -> list[Change]:
    """A service principal goes, with all that was given to it and at it."""
    principal = page.directory.principal(app_id)
    if principal is None:
        return []
    given = (
        one
        for one in page.all(ASSIGNMENTS)
        if principal.id in (one.document["principalId"], one.document["resourceId"])
    )
    granted = (
        one for one in page.all(GRANTS) if principal.id in (one.document["clientId"], one.document["resourceId"])
    )
    return [
        *(Change(ASSIGNMENTS, str(one.document["id"]), None) for one in given),
        *(Change(GRANTS, str(one.document["id"]), None) for one in granted),
        Change(PRINCIPALS, principal.id, None),
        *(binned(PRINCIPALS, one, now) for one in page.all(PRINCIPALS) if one.document["id"] == principal.id),
    ]


async def assignments(desk: Desk, call: Call, key: str, *, at: bool) -> Reply:
    """App roles given at a resource, or to a principal: listed, given, looked at, taken back."""
    page, side = await desk.books.page(), "resourceId" if at else "principalId"
    own = [one.document for one in page.all(ASSIGNMENTS) if one.document[side] == key]
    if len(call.segments) == 3:
        return await _assign(desk, call) if call.method == "POST" else odata.many(call, own)
    name = call.segments[3]
    document = next((one for one in own if one["id"] == name), None)
    if document is None:
        raise odata.not_found(name)
    if call.method == "DELETE":
        await desk.books.change(lambda _: (None, [Change(ASSIGNMENTS, name, None)]))
        return odata.nothing()
    return odata.one(call, document)


async def _assign(desk: Desk, call: Call) -> Reply:
    role, principal, resource = (call.text(name) for name in ("appRoleId", "principalId", "resourceId"))
    person = await desk.realm.store.person(principal)

    def decide(page: Page) -> tuple[Document, list[Change]]:
        directory = page.directory
        client, api, group = (
            directory.principals.get(principal),
            directory.principals.get(resource),
            directory.groups.get(principal),
        )
        if api is None or (client is None and person is None and group is None):
            raise Refused(bad("Not a valid reference update.", principal))
        registered = directory.application(api.app_id)
        known = [one.id for one in registered.app_roles] if registered else [role]
        if role not in known and role != _NO_ROLE:
            raise Refused(bad("Permission being assigned was not found on application.", role))
        if role in directory.assigned([principal], resource):
            raise Refused(bad("Permission being assigned already exists on the object.", role))
        names = [(client, "ServicePrincipal"), (group, "Group")]
        named = next(((one.display_name, kind) for one, kind in names if one is not None), None)
        title, kind = named or (str(person.claims.get("name", "")) if person else "", "User")
        document = {
            "id": new_id(),
            "appRoleId": role,
            "createdDateTime": written(call.now),
            "deletedDateTime": None,
            "principalDisplayName": title,
            "principalId": principal,
            "principalType": kind,
            "resourceDisplayName": registered.display_name if registered else api.display_name,
            "resourceId": resource,
        }
        return document, [Change(ASSIGNMENTS, str(document["id"]), Kept(document))]

    return odata.one(call, await desk.books.change(decide), 201)


_NO_ROLE = "00000000-0000-0000-0000-000000000000"
"""Assigned where an application has no roles: access, and nothing more."""


def _graph() -> Document:
    """Microsoft Graph's own service principal, which nobody can change."""
    roles = [
        {"id": key, "value": value, "displayName": value, "allowedMemberTypes": ["Application"], "isEnabled": True}
        for value, key in GRAPH_ROLES.items()
    ]
    scopes = [{"id": key, "value": value, "type": "User", "isEnabled": True} for value, key in GRAPH_SCOPES.items()]
    application = {
        "appId": GRAPH_ID,
        "displayName": "Microsoft Graph",
        "appRoles": roles,
        "api": {"oauth2PermissionScopes": scopes},
        "identifierUris": [GRAPH_URL],
    }
    return documents.principal_of(
        {"id": GRAPH_PRINCIPAL.id, "appId": GRAPH_ID, "appOwnerOrganizationId": _MICROSOFT}, application
    )


def _management() -> Document:
    """The resource manager's, which nobody can change either."""
    application = management_application()
    scopes = [{"id": one.id, "value": one.value, "type": "User"} for one in application.api.oauth2_permission_scopes]
    return documents.principal_of(
        {"id": MANAGEMENT_PRINCIPAL.id, "appId": MANAGEMENT_ID, "appOwnerOrganizationId": _MICROSOFT},
        {
            "appId": MANAGEMENT_ID,
            "displayName": application.display_name,
            "appRoles": [],
            "api": {"oauth2PermissionScopes": scopes},
            "identifierUris": list(application.identifier_uris),
        },
    )


_MICROSOFT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
