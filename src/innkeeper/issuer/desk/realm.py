"""A realm at work: one issuer's store, keys, policy and clock, which every desk function is handed."""

from __future__ import annotations

import asyncio
import copy
import hmac
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from innkeeper.issuer.core.admin.permissions import admin_resource
from innkeeper.issuer.core.admin.rules import OVERRIDES, overridden
from innkeeper.issuer.core.client_document import is_address
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client, Session
from innkeeper.issuer.desk.client_documents import ClientDocuments
from innkeeper.issuer.desk.errands import Errands
from innkeeper.issuer.desk.fetching import Fetcher
from innkeeper.issuer.desk.matter import concerns
from innkeeper.issuer.desk.outside import Outside
from innkeeper.issuer.desk.shape import TokenShape
from innkeeper.issuer.store.port import RealmStore
from innkeeper.keys.ring import DEFAULT_ALGORITHMS, Ring, make
from innkeeper.keys.seal import Seal
from innkeeper.keys.stored import StoredKey
from innkeeper.protocol import base64url
from innkeeper.protocol.refusals import Refusal, UsageError
from innkeeper.tokens.trail import Observer

Clock = Callable[[], int]

FirstKeys = Callable[[Seal, int, Sequence[StoredKey]], list[StoredKey]]
"""Makes the keys that a realm still needs: from the seal, the time, and those it has."""

_CLIENTS_KEPT = 10_000


class Sought(msgspec.Struct, frozen=True, gc=False):
    """A client that was looked for, and where there is none, what is to be said of it beyond that."""

    client: Client | None
    problem: str = ""


class Realm:
    """One issuer. Open it with ``open_realm``; ``reload`` when another process may have changed the store."""

    def __init__(
        self,
        *,
        name: str,
        policy: Policy,
        store: RealmStore,
        seal: Seal,
        shape: TokenShape,
        clock: Clock,
        observe: Observer,
        ring: Ring,
        secret: bytes,
        fetcher: Fetcher,
    ) -> None:
        self.name = name
        self.policy = policy
        self._told = policy
        self.store = store
        self.shape = shape
        self.now = clock
        self.observe = observe
        self.ring = ring
        self.seal = seal
        self.fetcher = fetcher
        self.making_keys = asyncio.Lock()
        self.errands = Errands()
        self.documents = ClientDocuments(fetcher, observe)
        self._secret = secret
        self._clients: dict[str, Client] = {}
        self.supported: Callable[[], Mapping[str, Any]] = dict
        """What is spoken here: the discovery document, which a dialect writes."""

    def known_as(self, issuer: str) -> Realm:
        """The same realm under another issuer: one store, one set of keys and caches. It has to be reloaded, too."""
        other = copy.copy(self)
        other._told = msgspec.structs.replace(self._told, issuer=issuer)
        other.policy = msgspec.structs.replace(self.policy, issuer=issuer)
        return other

    async def client(self, client_id: str | None) -> Client | None:
        """The client by that id: registered here, or described by its own document at that address."""
        return (await self.sought(client_id)).client

    async def sought(self, client_id: str | None) -> Sought:
        """The client by that id, or why its own document does not make it one."""
        known = self._clients.get(client_id or "")
        if known is not None:
            return Sought(known)
        if not client_id or not is_address(client_id):
            return Sought(await self._registered(client_id) if client_id else None)
        found = await self.documents.find(client_id, self.policy, self.supported())
        return Sought(None, found.reason) if isinstance(found, Refusal) else Sought(found)

    async def _registered(self, client_id: str) -> Client | None:
        found = await self.store.client(client_id)
        if found is not None:
            if len(self._clients) >= _CLIENTS_KEPT:
                self._clients.clear()
            self._clients[client_id] = found
        return found

    def forget_client(self, client_id: str) -> None:
        """Read a client from the store again: it has changed."""
        self._clients.pop(client_id, None)

    async def session(self, cookie: str | None) -> Session | None:
        """The live session that a cookie stands for, of somebody whose account is open."""
        if not cookie:
            return None
        found = await self.store.session(digest(cookie))
        if found is None or found.ended_at is not None or found.expires_at <= self.now():
            return None
        person = await self.store.person(found.sub)
        concerns(self.name, subject=found.sub)
        return found if person is not None and not person.disabled else None

    async def reload(self) -> None:
        """Take up what others changed in the store: clients, resources, keys."""
        self._clients.clear()
        resources = {one.uri: one for one in await self.store.resources()}
        if self._told.administered:
            own = admin_resource(self.policy.issuer)
            resources[own.uri] = own
        self.policy = msgspec.structs.replace(await self._rules(), resources=resources)
        self.ring = Ring(await self.store.keys(), self.seal)

    async def _rules(self) -> Policy:
        """The rules that the settings tell, with those in their place that an administrator set."""
        entry = await self.store.entry(OVERRIDES, "") if self._told.administered else None
        return overridden(self._told, entry.record) if entry else self._told

    @property
    def told(self) -> Policy:
        """The rules as the settings tell them, without their resources."""
        return self._told

    def mac(self, purpose: str, value: str) -> bytes:
        """A MAC under the realm's secret, for values that this issuer hands out and takes back."""
        return hmac.digest(self._secret, f"{purpose}\0{value}".encode(), "sha256")

    def successor_of(self, refresh_token: str) -> str:
        """The one refresh token that follows ``refresh_token``: the same on every node, and told by nobody else."""
        return following(refresh_token, self.mac("refresh successor", refresh_token))


def digest(value: str) -> bytes:
    """What is stored of a value that only its holder knows."""
    return sha256(value.encode()).digest()


def following(refresh_token: str, secret: bytes) -> str:
    """The refresh token that carries ``secret``, 32 bytes, and the mark of the family that ``refresh_token`` is of."""
    return base64url.encode_text(refresh_digest(refresh_token)[:_MARK] + secret)


def refresh_digest(token: str) -> bytes:
    """What is stored of a refresh token: its hash, begun by the mark of its family where it has one, the beginning of the
    first one's hash. So a family's rows are neighbours, and a rotation touches one page of a large store instead of two."""
    hashed = digest(token)
    if len(token) != _MARKED:
        return hashed
    try:
        return base64url.decode(token[:_MARK_TEXT]) + hashed[_MARK:]
    except base64url.NotBase64Url:
        return hashed


_MARK, _MARK_TEXT, _MARKED = 6, 8, 51
"""Bytes of a family's mark, its characters in base64url, and those of a whole token that has one and 256 bits besides."""


def random_value() -> str:
    """256 random bits as 43 characters of base64url."""
    return secrets.token_urlsafe(32)


def random_id() -> str:
    """An identifier nobody guesses: 128 random bits as 22 characters of base64url."""
    return base64url.encode_text(os.urandom(16))


def usual_keys(seal: Seal, now: int, stored: Sequence[StoredKey]) -> list[StoredKey]:
    """A key for each usual algorithm that has none."""
    missing = [alg for alg in DEFAULT_ALGORITHMS if all(one.alg != alg for one in stored)]
    return [make(alg, seal, now=now, active_from=now) for alg in missing]


async def open_realm(
    name: str,
    policy: Policy,
    store: RealmStore,
    seal: Seal,
    shape: TokenShape,
    clock: Clock,
    observe: Observer,
    fetcher: Fetcher | None = None,
    first_keys: FirstKeys | None = None,
) -> Realm:
    """The realm with its keys and secret, made and remembered where it has none yet.

    ``fetcher`` gets others' documents: from https on public addresses alone by default. ``first_keys`` makes the keys
    that are missing, where a dialect wants others than the native one.
    """
    missing = (first_keys or usual_keys)(seal, clock(), await store.keys())
    if missing:
        await store.put_keys(missing)
    purpose = f"realm secret of {name}"
    sealed = await store.secret("realm") or await store.put_secret(
        "realm", seal.close(secrets.token_bytes(32), purpose)
    )
    realm = Realm(
        name=name,
        policy=policy,
        store=store,
        seal=seal,
        shape=shape,
        clock=clock,
        observe=observe,
        ring=Ring((), seal),
        secret=seal.open(sealed, purpose),
        fetcher=fetcher or Fetcher(Outside(), clock),
    )
    await realm.reload()
    if not policy.issuer or policy.issuer.endswith("/"):
        raise UsageError(f"issuer {policy.issuer!r}: it must be a URL without a slash at its end")
    return realm
