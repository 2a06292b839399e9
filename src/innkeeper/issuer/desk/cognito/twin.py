"""The twin of an account's user pools: finds them, opens them, tells how each is called at an origin."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from innkeeper.issuer.core.cognito import formats, known
from innkeeper.issuer.core.cognito.records import AppClient, Branding, Domain, Group, Pool, ResourceServer
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.shelf import Kept, Shelf
from innkeeper.issuer.desk.fetching import Fetcher
from innkeeper.issuer.desk.realm import Clock, Realm, digest, open_realm
from innkeeper.issuer.desk.shape import TokenShape
from innkeeper.issuer.store.port import RealmStore, Store
from innkeeper.keys.ring import make
from innkeeper.keys.seal import Seal
from innkeeper.keys.stored import StoredKey
from innkeeper.tokens.trail import Observer

ACCOUNT_REALM = "cognito"

Found = TypeVar("Found")

POOLS, CLIENTS = Shelf("pool", Pool), Shelf("client", AppClient)
SERVERS, DOMAINS = Shelf("resource server", ResourceServer), Shelf("domain", Domain)
BRANDINGS = Shelf("branding", Branding)
GROUPS = Shelf("group", Group)

ACCESS, IDENTITY = "access", "id"
"""What the two keys of a pool sign."""


class Switches(msgspec.Struct, frozen=True):
    """What a pool does otherwise than we hold that the cloud does: ``lenient_scopes`` leaves out scopes that the client does not
    have, where it usually refuses them; ``advertise_pkce`` puts S256 into the discovery document."""

    lenient_scopes: bool = False
    advertise_pkce: bool = False


class Ways(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say of a pool. ``cloud_shaped`` spells issuers as the cloud does, wherever they are fetched from;
    ``triggers`` are Python callables (``module:name``) and http addresses by the name of the function they stand for."""

    cloud_shaped: bool = False
    triggers: Mapping[str, str] = {}
    switches: Switches = Switches()


class Twin:
    """Every user pool of one store. ``ways`` are those of the pools in the settings, by pool id; a pool that was made over
    the API goes by the first one's."""

    account_id = "123456789012"

    def __init__(
        self,
        ways: Mapping[str, Ways],
        store: Store,
        seal: Seal,
        shape: TokenShape,
        clock: Clock,
        observe: Observer,
        fetcher: Fetcher,
    ) -> None:
        self._ways = ways
        self.account = store.realm(ACCOUNT_REALM)
        self.seal = seal
        self.now = clock
        self.observe = observe
        self.fetcher = fetcher
        self._store = store
        self._shape = shape
        self._open: dict[str, Realm] = {}
        self._opening = asyncio.Lock()

    def realms(self) -> Iterator[Realm]:
        return iter(tuple(self._open.values()))

    def ways_of(self, pool: Pool) -> Ways:
        return self._ways.get(pool.id) or next(iter(self._ways.values()), Ways())

    def store_of(self, pool: Pool) -> RealmStore:
        return self._store.realm(pool.id)

    async def realm(self, pool: Pool, issuer: str) -> Realm:
        """The realm of a pool, opened on first use, as it is called here."""
        home = self._open.get(pool.id) or await self._opened(pool)
        return home if home.policy.issuer == issuer else home.known_as(issuer)

    async def _opened(self, pool: Pool) -> Realm:
        async with self._opening:
            if pool.id not in self._open:
                policy = Policy(issuer=cloud_issuer(pool), title=pool.name, code_lifetime=300, session_lifetime=3600)
                self._open[pool.id] = await open_realm(
                    *(pool.id, policy, self.store_of(pool), self.seal, self._shape, self.now, self.observe),
                    fetcher=self.fetcher,
                    first_keys=pool_keys,
                )
            return self._open[pool.id]

    def forget(self, pool: Pool) -> None:
        self._open.pop(pool.id, None)


def pool_keys(seal: Seal, now: int, stored: Sequence[StoredKey]) -> list[StoredKey]:
    """The two keys of a pool, as far as they are missing: one for access tokens, one for ID tokens."""
    missing = [one for one in (ACCESS, IDENTITY) if all(key.purpose != one for key in stored)]
    return [make("RS256", seal, now=now, active_from=now, purpose=purpose, named=formats.key_id) for purpose in missing]


def cloud_issuer(pool: Pool) -> str:
    """The issuer as the cloud spells it, in the form that the pool is set to."""
    host = "issuer-cognito-idp" if pool.issuer_type == "UPDATED" else "cognito-idp"
    return f"https://{host}.{pool.region}.amazonaws.com/{pool.id}"


class OpenPool(msgspec.Struct, frozen=True):
    """A pool at work: its document, its realm under the issuer that it has here, the address of its domain."""

    twin: Twin
    kept: Kept[Pool]
    realm: Realm
    domain: str

    @property
    def pool(self) -> Pool:
        return self.kept.record

    @property
    def ways(self) -> Ways:
        return self.twin.ways_of(self.pool)

    @property
    def store(self) -> RealmStore:
        return self.realm.store

    def now(self) -> int:
        return self.twin.now()

    async def servers(self) -> list[ResourceServer]:
        return [one.record for one in await SERVERS.all(self.twin.account, f"{self.pool.id}|")]

    async def custom_scopes(self) -> frozenset[str]:
        return frozenset(scope for one in await self.servers() for scope in one.full_scopes)

    async def client(self, client_id: str) -> Kept[AppClient] | None:
        found = await CLIENTS.find(self.twin.account, client_id) if client_id else None
        return found if found and found.record.pool_id == self.pool.id else None


class Place(msgspec.Struct, frozen=True):
    """The twin at an origin. ``routed`` where the cloud's own host names lead here: then every address is the cloud's."""

    twin: Twin
    origin: str
    region: str = "us-east-1"
    routed: bool = False

    def issuer(self, pool: Pool) -> str:
        cloudy = self.routed or self.twin.ways_of(pool).cloud_shaped
        return cloud_issuer(pool) if cloudy else f"{self.origin}/{pool.id}"

    def domain(self, pool: Pool) -> str:
        if not self.routed:
            return f"{self.origin}/{pool.id}"
        if "." in pool.domain:
            return f"https://{pool.domain}"
        return f"https://{pool.domain or pool.id}.auth.{pool.region}.amazoncognito.com"

    async def find(self, pool_id: str) -> OpenPool | None:
        kept = await POOLS.find(self.twin.account, pool_id)
        return await self._open(kept) if kept else None

    async def pool(self, pool_id: str) -> OpenPool:
        """The pool by that id. Raises ``Declined``."""
        kept = await POOLS.find(self.twin.account, pool_id)
        demand("user pool", known.THE_POOL, known.Named(pool_id, kept is not None))
        return await self._open(there(kept))

    async def client(self, client_id: str) -> tuple[OpenPool, AppClient]:
        """The app client by that id, and its pool. Raises ``Declined``."""
        kept = await CLIENTS.find(self.twin.account, client_id)
        demand("app client", known.THE_CLIENT, known.Named(client_id, kept is not None))
        client = there(kept).record
        return await self.pool(client.pool_id), client

    async def client_of(self, pool_id: str, client_id: str) -> tuple[OpenPool, Kept[AppClient]]:
        """The app client of a pool. Raises ``Declined``."""
        pool = await self.pool(pool_id)
        kept = await pool.client(client_id)
        demand("app client", known.THE_CLIENT, known.Named(client_id, kept is not None))
        return pool, there(kept)

    async def _open(self, kept: Kept[Pool]) -> OpenPool:
        pool = kept.record
        return OpenPool(self.twin, kept, await self.twin.realm(pool, self.issuer(pool)), self.domain(pool))


def there(found: Found | None) -> Found:
    """What a check has just found."""
    if found is None:
        raise LookupError("a check found it a moment ago")
    return found


def proves(client: AppClient, secret: str | None) -> bool:
    """Whether a secret is one of the client's."""
    sent = digest(secret or "")
    return bool(secret) and any(secrets.compare_digest(one.digest, sent) for one in client.secrets)


def random_uuid() -> str:
    return formats.as_uuid(secrets.token_bytes(16))
