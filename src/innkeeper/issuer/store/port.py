"""What the desk may ask of a store, whichever engine is behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from innkeeper.issuer.core.effects import Effect
from innkeeper.issuer.core.records import Client, Code, Consent, Grant, Person, RefreshToken, Resource, Session
from innkeeper.keys.stored import StoredKey


class HeldToken(msgspec.Struct, frozen=True):
    """A refresh token, the grant it belongs to, whether its successor was spent, and the person behind it."""

    token: RefreshToken
    grant: Grant
    successor_spent: bool
    person: Person | None


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What is remembered of an access token: whether it was revoked, its grant, and the person behind it."""

    revoked: bool
    grant: Grant | None
    person: Person | None


class Entry(msgspec.Struct, frozen=True):
    """Something short-lived, as the desk encoded it, and its version for changing it."""

    key: str
    record: bytes
    expires_at: int
    version: int


class Credential(msgspec.Struct, frozen=True):
    """A person's way of signing in, as the desk encoded it."""

    sub: str
    id: str
    record: bytes


class RealmStore(Protocol):
    """The memory of one realm. Look-ups answer None for what is not there; hashes are SHA-256 as bytes."""

    async def client(self, client_id: str) -> Client | None: ...
    async def clients(self) -> Sequence[Client]: ...
    async def put_client(self, client: Client) -> None: ...
    async def remove_client(self, client_id: str) -> bool: ...

    async def resources(self) -> Sequence[Resource]: ...
    async def put_resource(self, resource: Resource) -> None: ...
    async def remove_resource(self, uri: str) -> bool: ...

    async def person(self, sub: str) -> Person | None: ...
    async def person_named(self, username: str) -> Person | None: ...
    async def people(self) -> Sequence[Person]: ...
    async def put_person(self, person: Person) -> None: ...

    async def session(self, digest: bytes) -> Session | None: ...
    async def sessions(self, sub: str) -> Sequence[Session]: ...
    async def consent(self, sub: str, client_id: str) -> Consent | None: ...
    async def consents(self, sub: str) -> Sequence[Consent]: ...
    async def code(self, digest: bytes) -> Code | None: ...
    async def grant(self, grant_id: str) -> Grant | None: ...
    async def grants(self, sub: str) -> Sequence[Grant]: ...
    async def refresh_token(self, digest: bytes) -> HeldToken | None:
        """All of it in one statement."""
        ...

    async def token_is_revoked(self, jti: str) -> bool: ...
    async def standing(self, jti: str, grant_id: str, sub: str) -> Standing:
        """Three look-ups in one statement; what is not asked for is ""."""
        ...

    async def entry(self, kind: str, key: str) -> Entry | None: ...
    async def entries(self, kind: str, prefix: str) -> Sequence[Entry]: ...
    async def credentials(self, sub: str, kind: str) -> Sequence[Credential]: ...
    async def credential(self, kind: str, credential_id: str) -> Credential | None: ...

    async def record(self, shelf: str, key: str) -> bytes | None:
        """The record under a key of one of ``effects.SHELVES``, byte by byte, for ``Unchanged``."""
        ...

    async def keys(self) -> Sequence[StoredKey]: ...
    async def put_keys(self, keys: Sequence[StoredKey]) -> None: ...
    async def secret(self, name: str) -> bytes | None: ...
    async def put_secret(self, name: str, sealed: bytes) -> bytes:
        """Remember a sealed secret, unless one is there already; the one that stands is returned."""
        ...

    async def note(self, name: str) -> str: ...
    async def put_note(self, name: str, text: str) -> None: ...

    async def commit(self, effects: Sequence[Effect]) -> None:
        """Remember all of it, durably, or none. Raises ``Lost`` where a conditional effect came too late."""
        ...

    async def purge(self, now: int, limit: int) -> int:
        """Forget at most ``limit`` rows of each kind that expired before ``now``; how many were forgotten."""
        ...


class Store(Protocol):
    """A whole database."""

    def realm(self, name: str) -> RealmStore: ...
    async def version(self) -> int:
        """A number that grows whenever clients, resources or keys change, by this process or another."""
        ...

    async def news(self) -> None:
        """Wait until something may have changed: until another process says so, or for a moment without news."""
        ...

    def close(self) -> None: ...


GRANT_KEPT = 86400
"""Seconds that a grant without refresh tokens is kept: longer than any access token it gave."""

CLIENT_KEPT = 30 * 86400
"""Seconds that a client which registered itself is kept after the last grant that it got, and then as long as one lives."""

GRANT_SLACK = 86400
"""Seconds that a grant is kept beyond its newest refresh token, so that not every rotation has to write to it."""
