"""Graph's deleted items: applications, service principals, groups and people, who can be brought back for thirty days."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from innkeeper.issuer.core.effects import Effect, PutPerson
from innkeeper.issuer.core.entra import graph as core
from innkeeper.issuer.core.entra.documents import Document, bad
from innkeeper.issuer.core.entra.graph import SAME_KEY
from innkeeper.issuer.core.records import Person
from innkeeper.issuer.desk.entra.books import (
    APPLICATIONS,
    DELETED,
    GROUPS,
    PRINCIPALS,
    Change,
    Kept,
    Page,
    moment,
    written,
)
from innkeeper.issuer.desk.entra.cloud import Desk
from innkeeper.issuer.dialects.entra.graph import odata
from innkeeper.issuer.dialects.entra.graph.odata import Call, Refused
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.refusals import Refusal

PEOPLE = "users"
KINDS = {APPLICATIONS: "application", PRINCIPALS: "servicePrincipal", GROUPS: "group", PEOPLE: "user"}
_FAMILIES = {kind: family for family, kind in KINDS.items()}
_NEEDS = {
    APPLICATIONS: core.APPLICATIONS_OWNED,
    PRINCIPALS: core.APPLICATIONS_OWNED,
    GROUPS: core.GROUPS_WRITE,
    PEOPLE: core.USERS_WRITE,
}
ALL_WRITE = frozenset().union(*_NEEDS.values())
"""What lets in at all; which kind may be changed is asked again."""

_TYPE = "#microsoft.graph."
_KEPT = 30 * 86_400
_PERSON = "person"


def binned(family: str, kept: Kept, now: int) -> Change:
    """An object on its way out, remembered so that it can be brought back."""
    told = {"deletedDateTime": written(now), "@odata.type": f"{_TYPE}{KINDS[family]}"}
    return Change(DELETED, str(kept.document["id"]), msgspec.structs.replace(kept, document={**kept.document, **told}))


def binned_person(document: Document, person: Person, now: int) -> Change:
    return binned(PEOPLE, Kept(document, secrets={_PERSON: msgspec.msgpack.encode(person)}), now)


class Deleted:
    """``/directory/deletedItems``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def answer(self, call: Call) -> Reply:
        segments = call.segments[2:]
        if call.segments[1:2] != (DELETED,) or not segments:
            raise odata.not_found("/".join(call.segments))
        page = await self._desk.books.page()
        kind = segments[0]
        if kind in _FAMILIES:
            return odata.many(call, [one.document for one in _all(page, call.now) if _kind(one) == kind])
        kept = _found(page, segments[0], call.now)
        if call.method == "GET":
            return odata.one(call, kept.document)
        self._demand(call, _FAMILIES[_kind(kept)])
        if call.method == "POST" and segments[1:] == ("restore",):
            return await self._restore(call, segments[0])
        if call.method == "DELETE":
            await self._desk.books.change(lambda _: (None, [Change(DELETED, segments[0], None)]))
            return odata.nothing()
        raise odata.not_found("/".join(call.segments))

    async def _restore(self, call: Call, key: str) -> Reply:
        """The object comes back as it was; an application's service principal comes with it."""
        person = _person(_found(await self._desk.books.page(), key, call.now))
        if person is not None and await self._desk.person(person.username) is not None:
            raise Refused(bad("Another object with the same value for property userPrincipalName already exists."))

        def decide(page: Page) -> tuple[Document, list[Change]]:
            kept = _found(page, key, call.now)
            together = [kept, *_principal_of(page, kept, call.now)]
            return _plain(kept).document, [change for one in together for change in _back(page, one)]

        def also(_: Document) -> Sequence[Effect]:
            return [PutPerson(person)] if person else []

        return odata.one(call, await self._desk.books.change(decide, also))

    def _demand(self, call: Call, family: str) -> None:
        has = core.Case(True, dict(call.caller), "", "", _NEEDS[family], call.now)
        outcome = core.it_allows_the_call.judge(has)
        if isinstance(outcome, Refusal):
            raise Refused(outcome)


def _all(page: Page, now: int) -> list[Kept]:
    return [one for one in page.all(DELETED) if moment(one.document["deletedDateTime"]) + _KEPT > now]


def _found(page: Page, key: str, now: int) -> Kept:
    kept = next((one for one in _all(page, now) if one.document["id"] == key), None)
    if kept is None:
        raise odata.not_found(key)
    return kept


def _kind(kept: Kept) -> str:
    return str(kept.document["@odata.type"]).removeprefix(_TYPE)


def _person(kept: Kept) -> Person | None:
    return _decode(kept.secrets[_PERSON]) if _kind(kept) == KINDS[PEOPLE] else None


_decode = msgspec.msgpack.Decoder(Person).decode


def _plain(kept: Kept) -> Kept:
    rest = {name: value for name, value in kept.document.items() if name != "@odata.type"}
    return msgspec.structs.replace(kept, document={**rest, "deletedDateTime": None})


def _principal_of(page: Page, kept: Kept, now: int) -> list[Kept]:
    if _kind(kept) != KINDS[APPLICATIONS]:
        return []
    app_id = kept.document["appId"]
    return [one for one in _all(page, now) if _kind(one) == KINDS[PRINCIPALS] and one.document["appId"] == app_id][-1:]


def _back(page: Page, kept: Kept) -> list[Change]:
    """What brings an object back. Raises ``Refused`` where another has taken its place."""
    family, key = _FAMILIES[_kind(kept)], str(kept.document["id"])
    if family == PRINCIPALS and page.directory.principal(str(kept.document["appId"])) is not None:
        raise Refused(Refusal(SAME_KEY, "there is one", "none", str(kept.document["appId"])))
    if any(page.directory.named(uri) for uri in kept.document.get("identifierUris") or []):
        raise Refused(bad("Another object with the same value for property identifierUris already exists."))
    gone = Change(DELETED, key, None)
    return [gone] if family == PEOPLE else [gone, Change(family, key, _plain(kept))]
