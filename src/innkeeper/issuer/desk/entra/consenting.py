"""Consent at work: a yes becomes permission grants in the tenant's directory, and installs what was not there yet."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from innkeeper.issuer.core.entra.consent import Lacking
from innkeeper.issuer.core.entra.directory import ALL_PRINCIPALS, ONE_PRINCIPAL, Application
from innkeeper.issuer.core.entra.parties import Party
from innkeeper.issuer.desk.entra.books import GRANTS, PRINCIPALS, Change, Kept, Page, written
from innkeeper.issuer.desk.entra.cloud import Desk


async def allow(desk: Desk, client: Party, person: str | None, allowed: Sequence[Lacking]) -> None:
    """Remember what a person (or, with None, an administrator for everybody) allowed a client."""
    now = desk.realm.now()

    def decide(page: Page) -> tuple[None, list[Change]]:
        known = page.directory.principal(client.id)
        installed = [] if known else [installation(client.application, client.home, now)]
        principal = known.id if known else installed[0].id
        given = [_grant(page, one.client.object_id if one.client else principal, person, one) for one in allowed]
        return None, [*installed, *given]

    await desk.books.change(decide)


def _grant(page: Page, client: str, person: str | None, allowed: Lacking) -> Change:
    """The grant of these scopes: added to the one there is of this client, resource and person, else a new one."""
    kind, resource = ONE_PRINCIPAL if person else ALL_PRINCIPALS, allowed.resource.object_id
    values = [one.value for one in allowed.scopes]
    for kept in page.all(GRANTS):
        document = kept.document
        if (document["clientId"], document["resourceId"]) == (client, resource) and document.get(
            "principalId"
        ) == person:
            scope = " ".join(dict.fromkeys([*document["scope"].split(), *values]))
            return Change(GRANTS, document["id"], msgspec.structs.replace(kept, document={**document, "scope": scope}))
    document = {
        "id": new_id(),
        "clientId": client,
        "consentType": kind,
        "principalId": person,
        "resourceId": resource,
        "scope": " ".join(values),
    }
    return Change(GRANTS, str(document["id"]), Kept(document))


def new_id() -> str:
    """An id of a grant or an assignment: 43 letters of base64url, as Graph's are."""
    return uuid.uuid4().hex + uuid.uuid4().hex[:11]


def installation(application: Application, home: str, now: int, **more: Any) -> Change:
    """A service principal for an application that a tenant does not have yet."""
    object_id = str(uuid.uuid4())
    document = {
        "id": object_id,
        "appId": application.app_id,
        "displayName": application.display_name,
        "accountEnabled": True,
        "appRoleAssignmentRequired": False,
        "appOwnerOrganizationId": home,
        "servicePrincipalType": "Application",
        "createdDateTime": written(now),
        **more,
    }
    return Change(PRINCIPALS, object_id, Kept(document))
