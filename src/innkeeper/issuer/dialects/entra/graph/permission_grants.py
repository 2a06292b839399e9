"""Graph's permission grants: consent as objects that can be listed, given, changed and taken back."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.entra.directory import ALL_PRINCIPALS, ONE_PRINCIPAL
from innkeeper.issuer.core.entra.documents import Document, bad
from innkeeper.issuer.desk.entra.books import GRANTS, Change, Kept, Page
from innkeeper.issuer.desk.entra.cloud import Desk
from innkeeper.issuer.desk.entra.consenting import new_id
from innkeeper.issuer.dialects.entra.graph import odata
from innkeeper.issuer.dialects.entra.graph.odata import Call, Refused
from innkeeper.protocol.exchange import Reply


class PermissionGrants:
    """``/oauth2PermissionGrants``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def answer(self, call: Call) -> Reply:
        page = await self._desk.books.page()
        if len(call.segments) == 1:
            if call.method == "POST":
                return await self._create(call)
            return odata.many(call, [one.document for one in page.all(GRANTS)])
        kept = page.get(GRANTS, call.segments[1])
        if kept is None:
            raise odata.not_found(call.segments[1])
        if call.method == "DELETE":
            await self._desk.books.change(lambda _: (None, [Change(GRANTS, call.segments[1], None)]))
            return odata.nothing()
        if call.method == "PATCH":
            changed = msgspec.structs.replace(
                kept, document={**kept.document, "scope": str(call.body.get("scope", ""))}
            )
            await self._desk.books.change(lambda _: (None, [Change(GRANTS, call.segments[1], changed)]))
            return odata.nothing()
        return odata.one(call, kept.document)

    async def _create(self, call: Call) -> Reply:
        kind, principal = call.body.get("consentType"), call.body.get("principalId")
        if kind not in (ALL_PRINCIPALS, ONE_PRINCIPAL) or (kind == ONE_PRINCIPAL) != bool(principal):
            raise Refused(
                bad(
                    "Invalid value specified for property 'consentType' of resource 'OAuth2PermissionGrant'.", str(kind)
                )
            )
        document: Document = {
            "clientId": call.text("clientId"),
            "consentType": kind,
            "id": new_id(),
            "principalId": principal,
            "resourceId": call.text("resourceId"),
            "scope": str(call.body.get("scope", "")),
        }

        def decide(page: Page) -> tuple[None, list[Change]]:
            for name in ("clientId", "resourceId"):
                if document[name] not in page.directory.principals:
                    raise odata.not_found(str(document[name]))
            return None, [Change(GRANTS, str(document["id"]), Kept(document))]

        await self._desk.books.change(decide)
        return odata.one(call, document, 201)
