"""A store whose changes are seen: what was committed is noted in the matter at hand, once it is durable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from innkeeper.issuer.core.effects import Effect
from innkeeper.issuer.core.records import Client, Person, Resource
from innkeeper.issuer.desk.matter import current
from innkeeper.issuer.store.port import RealmStore, Store
from innkeeper.keys.stored import StoredKey


def watched(store: Store) -> Store:
    """The same store, seen."""
    return cast("Store", _Store(store))


class _Store:
    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def realm(self, name: str) -> RealmStore:
        return cast("RealmStore", _Realm(self._store.realm(name)))


class _Realm:
    """Look-ups are the store's own methods, called without a detour."""

    def __init__(self, store: RealmStore) -> None:
        self._store = store
        for name in dir(store):
            if not name.startswith("_") and name not in _SEEN:
                setattr(self, name, getattr(store, name))

    async def commit(self, effects: Sequence[Effect]) -> None:
        await self._store.commit(effects)
        _note(*effects)

    async def put_client(self, client: Client) -> None:
        await self._store.put_client(client)
        _note(f"put client {client.id}")

    async def remove_client(self, client_id: str) -> bool:
        removed = await self._store.remove_client(client_id)
        _note(f"remove client {client_id}")
        return removed

    async def put_resource(self, resource: Resource) -> None:
        await self._store.put_resource(resource)
        _note(f"put resource {resource.uri}")

    async def remove_resource(self, uri: str) -> bool:
        removed = await self._store.remove_resource(uri)
        _note(f"remove resource {uri}")
        return removed

    async def put_person(self, person: Person) -> None:
        await self._store.put_person(person)
        _note(f"put person {person.sub}")

    async def put_keys(self, keys: Sequence[StoredKey]) -> None:
        await self._store.put_keys(keys)
        _note(*(f"put key {one.kid} {one.alg}" for one in keys))


_SEEN = frozenset(name for name in vars(_Realm) if not name.startswith("_"))


def _note(*changes: Effect | str) -> None:
    matter = current.get()
    if matter is not None and not matter.over:
        matter.changes.extend(changes)
