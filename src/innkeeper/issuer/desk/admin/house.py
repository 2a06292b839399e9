"""What administrators look after: the realm, the others that are open beside it, the log and the counters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from innkeeper.issuer.core.effects import Unchanged
from innkeeper.issuer.desk.key_care import Cupboard
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.store.port import Store
from innkeeper.protocol import base64url

Lines = Callable[[Mapping[str, str]], Mapping[str, Any]]
"""Looks through the audit log: a query to its answer."""


class Missing(Exception):
    """There is nothing by that id; the message names it."""


class House(msgspec.Struct, frozen=True):
    """``realms`` gives every realm that is open, the native one at each of its origins among them; ``audit`` looks through the
    log, ``figures`` says how the server is doing, each None where there is none here; ``elsewhere`` gives the keys of a realm
    that is not open here, where the database can be asked for them."""

    realm: Realm
    store: Store
    realms: Callable[[], Iterable[Realm]]
    audit: Lines | None = None
    figures: Callable[[], Mapping[str, Any]] | None = None
    elsewhere: Callable[[str], Cupboard] | None = None

    def named(self) -> dict[str, Realm]:
        """One realm for each name, as it is at home."""
        found: dict[str, Realm] = {}
        for one in self.realms():
            found.setdefault(one.name, one)
        return found

    def cupboard(self, name: str) -> Cupboard:
        """The keys of a realm. Raises ``Missing``."""
        realm = self.named().get(name)
        if realm is not None:
            return Cupboard.of(realm)
        if self.elsewhere is None:
            raise Missing(f"no realm {name!r} is open here")
        return self.elsewhere(name)

    async def take_up(self, name: str, *, client: str = "") -> None:
        """Let this process know at once what it has changed; others hear of it by themselves."""
        for realm in tuple(self.realms()):
            if realm.name == name:
                realm.forget_client(client)
                await realm.reload()

    async def seen(self, shelf: str, key: str) -> Seen:
        """The record behind something that is about to change. Raises ``Missing``."""
        record = await self.realm.store.record(shelf, key)
        if record is None:
            raise Missing(f"no {shelf} {key!r}")
        return Seen(self.version_of(record), Unchanged(shelf, key, record))

    def version_of(self, record: bytes) -> str:
        """What stands for this very state of a record, and tells nothing of it."""
        return base64url.encode_text(self.realm.mac("admin version", record.hex())[:12])


class Seen(msgspec.Struct, frozen=True):
    """The version of what was read, and the condition that it is still so."""

    version: str
    still: Unchanged
