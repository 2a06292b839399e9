"""A tenant's directory as it is kept: Graph documents in the realm's store, read whole and changed one at a time.

Every change counts the version of the whole directory up, so two that were decided on the same pages cannot both stand:
the later one is decided again. A directory that has not changed is not read again.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from innkeeper.issuer.core.effects import DropEntry, Effect, Lost, PutEntry
from innkeeper.issuer.core.entra import directory as core
from innkeeper.issuer.core.entra.names import GRAPH_ID, MANAGEMENT_ID
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.store.port import Entry

KIND, VERSION = "entra", "entra version"
FOR_EVER = 1 << 53
"""Until when a document is kept: longer than any clock reaches."""

APPLICATIONS, PRINCIPALS = "applications", "servicePrincipals"
ASSIGNMENTS, GRANTS, GROUPS = "appRoleAssignments", "oauth2PermissionGrants", "groups"
DELETED = "deletedItems"

Result = TypeVar("Result")
_encode, _decode = msgspec.msgpack.encode, msgspec.msgpack.Decoder


class Kept(msgspec.Struct, frozen=True):
    """A document and what belongs to it but is not shown in it: digests of secrets by key id, certificates by key id,
    owners, members, federated credentials. ``place`` is its place among those made before and after it."""

    document: dict[str, Any]
    secrets: dict[str, bytes] = {}
    certificates: dict[str, bytes] = {}
    owners: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    federated: tuple[dict[str, Any], ...] = ()
    place: int = 0


class Change(msgspec.Struct, frozen=True):
    """A document to keep, or to forget where ``kept`` is None."""

    family: str
    id: str
    kept: Kept | None


class Page(msgspec.Struct, frozen=True):
    """The directory at one version."""

    version: int
    kept: Mapping[tuple[str, str], Kept]
    entries: Mapping[tuple[str, str], int]
    directory: core.Directory

    def get(self, family: str, key: str) -> Kept | None:
        return self.kept.get((family, key))

    def all(self, family: str) -> list[Kept]:
        found = (one for (kind, _), one in self.kept.items() if kind == family)
        return sorted(found, key=lambda one: one.place)


class Books:
    """The directory of one realm."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm
        self._page: Page | None = None

    async def page(self) -> Page:
        """The directory as it is now."""
        marker = await self._realm.store.entry(VERSION, KIND)
        version = marker.version if marker else 0
        if self._page is None or self._page.version != version:
            self._page = _read(version, await self._realm.store.entries(KIND, ""))
        return self._page

    async def change(
        self,
        decide: Callable[[Page], tuple[Result, Sequence[Change]]],
        also: Callable[[Result], Sequence[Effect]] = lambda _: (),
    ) -> Result:
        """Decide on the directory as it is, and keep what comes of it; where somebody was faster, decide again."""
        while True:
            page = await self.page()
            result, changes = decide(page)
            more = tuple(also(result))
            if not changes and not more:
                return result
            marker = PutEntry(VERSION, KIND, b"", FOR_EVER, page.version)
            try:
                await self._realm.store.commit(
                    (marker, *(_effect(page, one, place) for place, one in enumerate(changes)), *more)
                )
            except Lost:
                self._page = None
                continue
            return result


def _effect(page: Page, change: Change, place: int) -> Effect:
    key, version = f"{change.family}/{change.id}", page.entries.get((change.family, change.id), 0)
    if change.kept is None:
        return DropEntry(KIND, key, version)
    kept = change.kept if version else msgspec.structs.replace(change.kept, place=page.version * _MOST_AT_ONCE + place)
    return PutEntry(KIND, key, _encode(kept), FOR_EVER, version)


_MOST_AT_ONCE = 10_000
"""Documents that one change may make and that keep their order."""


def _read(version: int, entries: Sequence[Entry]) -> Page:
    kept: dict[tuple[str, str], Kept] = {}
    versions: dict[tuple[str, str], int] = {}
    for entry in entries:
        family, _, key = entry.key.partition("/")
        kept[family, key] = _kept.decode(entry.record)
        versions[family, key] = entry.version
    return Page(version, kept, versions, _directory(kept))


_kept = _decode(Kept)


def _directory(kept: Mapping[tuple[str, str], Kept]) -> core.Directory:
    def all_of(family: str) -> list[Kept]:
        found = [one for (kind, _), one in kept.items() if kind == family]
        return sorted(found, key=lambda one: one.place)

    return core.Directory(
        applications=(
            core.graph_application(),
            core.management_application(),
            *(application(one) for one in all_of(APPLICATIONS)),
        ),
        principals=(
            GRAPH_PRINCIPAL,
            MANAGEMENT_PRINCIPAL,
            *(core.read(core.ServicePrincipal, one.document) for one in all_of(PRINCIPALS)),
        ),
        assignments=[core.read(core.Assignment, one.document) for one in all_of(ASSIGNMENTS)],
        grants=[core.read(core.PermissionGrant, one.document) for one in all_of(GRANTS)],
        groups=[
            msgspec.structs.replace(core.read(core.Group, one.document), members=one.members) for one in all_of(GROUPS)
        ],
    )


GRAPH_PRINCIPAL = core.ServicePrincipal(
    id="00000003-0000-0000-c000-0000000000b0", app_id=GRAPH_ID, display_name="Microsoft Graph"
)
MANAGEMENT_PRINCIPAL = core.ServicePrincipal(
    id="797f4846-ba00-4fd7-ba43-dac1f8f630b0",
    app_id=MANAGEMENT_ID,
    display_name="Windows Azure Service Management API",
)


def application(kept: Kept) -> core.Application:
    """An application's registration as decisions read it, with its credentials."""
    found: core.Application = core.read(core.Application, kept.document)
    passwords = {one["keyId"]: one for one in kept.document.get("passwordCredentials", [])}
    keys = {one["keyId"]: one for one in kept.document.get("keyCredentials", [])}
    return msgspec.structs.replace(
        found,
        passwords=tuple(
            core.Password(key, kept.secrets[key], moment(one.get("startDateTime"), 0), moment(one.get("endDateTime")))
            for key, one in passwords.items()
            if key in kept.secrets
        ),
        certificates=tuple(
            core.Certificate(
                key, kept.certificates[key], moment(one.get("startDateTime"), 0), moment(one.get("endDateTime"))
            )
            for key, one in keys.items()
            if key in kept.certificates
        ),
        federated=tuple(core.read(core.Federated, one) for one in kept.federated),
    )


def moment(text: object, otherwise: int = FOR_EVER) -> int:
    """Seconds since the epoch of a time as Graph writes it."""
    if not isinstance(text, str):
        return otherwise
    try:
        return int(datetime.datetime.fromisoformat(text).timestamp())
    except ValueError:
        return otherwise


def written(moment: int) -> str:
    """A time as Graph writes it."""
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
