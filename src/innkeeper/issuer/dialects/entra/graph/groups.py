"""Graph's groups and their members."""

from __future__ import annotations

import uuid

import msgspec

from innkeeper.issuer.core.entra import documents
from innkeeper.issuer.core.entra.documents import GROUP, Document
from innkeeper.issuer.desk.entra.books import GROUPS, Change, Kept, written
from innkeeper.issuer.desk.entra.cloud import Desk
from innkeeper.issuer.dialects.entra.graph import odata
from innkeeper.issuer.dialects.entra.graph.deleted import binned
from innkeeper.issuer.dialects.entra.graph.odata import Call
from innkeeper.issuer.dialects.entra.graph.principals import assignments
from innkeeper.protocol.exchange import Reply


class Groups:
    """``/groups``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def answer(self, call: Call) -> Reply:
        page = await self._desk.books.page()
        if len(call.segments) == 1:
            return await self._create(call) if call.method == "POST" else odata.many(call, map(shown, page.all(GROUPS)))
        kept = page.get(GROUPS, call.segments[1])
        if kept is None:
            raise odata.not_found(call.segments[1])
        if len(call.segments) > 2:
            return await self._below(call, kept)
        if call.method == "PATCH":
            said = {name: value for name, value in call.body.items() if name != "id" and "@odata" not in name}
            await self._keep(
                call.segments[1], msgspec.structs.replace(kept, document=documents.merged(kept.document, said))
            )
            return odata.nothing()
        if call.method == "DELETE":
            gone = [Change(GROUPS, call.segments[1], None), binned(GROUPS, kept, call.now)]
            await self._desk.books.change(lambda _: (None, gone))
            return odata.nothing()
        return odata.one(call, shown(kept))

    async def _create(self, call: Call) -> Reply:
        call.text("displayName")
        said = {name: value for name, value in call.body.items() if "@odata" not in name}
        own = {"id": str(uuid.uuid4()), "createdDateTime": written(call.now)}
        members, owners = (tuple(odata.bound(call.body, name)) for name in ("members", "owners"))
        kept = Kept({**documents.whole(said, GROUP), **own}, members=members, owners=owners)
        await self._keep(own["id"], kept)
        return odata.one(call, shown(kept), 201)

    async def _below(self, call: Call, kept: Kept) -> Reply:
        key, what = call.segments[1], call.segments[2]
        if what == "appRoleAssignments":
            return await assignments(self._desk, call, key, at=False)
        if what not in ("members", "owners", "transitiveMembers"):
            raise odata.not_found(what)
        now = kept.owners if what == "owners" else kept.members
        if call.method == "GET":
            return odata.many(call, [await self._member(one) for one in now])
        if call.method == "POST":
            then = tuple(dict.fromkeys((*now, odata.reference(call))))
        else:
            then = tuple(one for one in now if one != call.segments[3])
        changed = {"owners": then} if what == "owners" else {"members": then}
        await self._keep(key, msgspec.structs.replace(kept, **changed))
        return odata.nothing()

    async def _member(self, key: str) -> Document:
        person = await self._desk.realm.store.person(key)
        if person is None:
            return {"@odata.type": "#microsoft.graph.servicePrincipal", "id": key}
        said = {"userPrincipalName": person.username, "displayName": person.claims.get("name")}
        return {"@odata.type": "#microsoft.graph.user", "id": key, **said}

    async def _keep(self, key: str, kept: Kept) -> None:
        await self._desk.books.change(lambda _: (None, [Change(GROUPS, key, kept)]))


def shown(kept: Kept) -> Document:
    return documents.whole(kept.document, GROUP)
