"""Records of one kind in a store's entries: read with their version, changed only as they were read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from innkeeper.issuer.core.effects import DropEntry, Effect, PutEntry
from innkeeper.issuer.store.port import RealmStore

FOR_GOOD = 253_402_300_799
"""The end of the year 9999: when what is kept for good expires."""

Record = TypeVar("Record", bound=msgspec.Struct)


class Kept(msgspec.Struct, Generic[Record], frozen=True):
    """A record as it was read, its key and the version that a change of it must name."""

    key: str
    record: Record
    version: int
    expires_at: int = FOR_GOOD


class Shelf(Generic[Record]):
    def __init__(self, kind: str, record: type[Record]) -> None:
        self._kind = f"cognito {kind}"
        self._decode = msgspec.msgpack.Decoder(record).decode

    async def find(self, store: RealmStore, key: str) -> Kept[Record] | None:
        entry = await store.entry(self._kind, key)
        return Kept(key, self._decode(entry.record), entry.version, entry.expires_at) if entry else None

    async def all(self, store: RealmStore, prefix: str = "") -> Sequence[Kept[Record]]:
        entries = await store.entries(self._kind, prefix)
        return [Kept(one.key, self._decode(one.record), one.version, one.expires_at) for one in entries]

    def put(self, key: str, record: Record, version: int = 0, expires_at: int = FOR_GOOD) -> Effect:
        """Remember it. Conditional: it is still of the version, 0 meaning that nothing is there."""
        return PutEntry(self._kind, key, msgspec.msgpack.encode(record), expires_at, version)

    def drop(self, kept: Kept[Record]) -> Effect:
        return DropEntry(self._kind, kept.key, kept.version)
