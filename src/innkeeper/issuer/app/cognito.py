"""The Cognito twin is opened: one store for all user pools, found by path, by target or by the cloud's host names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from innkeeper.issuer.app.ground import Ground, switches_of
from innkeeper.issuer.core.cognito.records import Pool
from innkeeper.issuer.desk.cognito.seed import plant_pool, seeded_client_id, seeded_client_secret, seeded_scopes
from innkeeper.issuer.desk.cognito.twin import DOMAINS, OpenPool, Place, Switches, Twin, Ways, cloud_issuer
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.dialects.cognito.api.dispatch import Api
from innkeeper.issuer.dialects.cognito.hosts import POOL_PATH, routed
from innkeeper.issuer.dialects.cognito.oauth import GET, PoolEndpoint, PoolHandler, table
from innkeeper.issuer.dialects.cognito.tokens import CognitoShape
from innkeeper.issuer.dialects.layout import Cloud, Endpoint, Endpoints, Finder
from innkeeper.issuer.dialects.native.layout import layout
from innkeeper.issuer.pages.cognito.accounts import AccountPages
from innkeeper.issuer.pages.cognito.authorize import SignInPages
from innkeeper.issuer.pages.cognito.hosted import Hosted
from innkeeper.issuer.pages.cognito.leaving import LeavingPages
from innkeeper.issuer.pages.files import static_names, static_reply
from innkeeper.issuer.settings import SeedClient, SeedTwin, Settings
from innkeeper.protocol.exchange import Reply, Request

API_METHODS = frozenset({"POST", "OPTIONS"})


class Cognito:
    """See ``ground.Opened``. Made by ``open_cognito``."""

    def __init__(self, ground: Ground, twin: Twin, region: str) -> None:
        self._twin = twin
        self._region = region
        people = ground.settings.guests if ground.development else []
        hints = [(one.username, one.password) for one in people]
        static = layout(ground.settings.origin).static
        hosted = Hosted(ground.explanations, static, hints, development=ground.development)
        pages = (SignInPages(hosted).table(), AccountPages(hosted).table(), LeavingPages(hosted, static).table())
        files = {f"{static}/{name}": PoolEndpoint(_file(name), GET) for name in static_names()}
        self._table = {path: endpoint for one in (table(), *pages, files) for path, endpoint in one.items()}
        self._api = Api()

    def realms(self) -> Iterator[Realm]:
        return self._twin.realms()

    def endpoints(self, _: str, /) -> Endpoints:
        return {}

    def paths(self) -> dict[str, frozenset[str]]:
        """What answers below a pool, with its methods."""
        return {path: one.methods for path, one in self._table.items()}

    def finders(self, origin: str, /) -> Iterable[Finder]:
        meant = routed(urlsplit(origin).hostname or "")
        region = meant.region if meant else self._region
        return (_Finder(Place(self._twin, origin, region, meant is not None), self._api, self._table),)

    def cloud(self, host: str, /) -> Cloud | None:
        """The API's, the issuers' and STS's hosts lead to the root, a domain's host to its pool."""
        meant = routed(host)
        if meant is None or not meant.prefix:
            return Cloud(f"https://{host}") if meant else None
        return Cloud(f"https://cognito-idp.{meant.region}.amazonaws.com", f"/{_DOMAIN}{meant.prefix}")


class _Finder(msgspec.Struct, frozen=True):
    """What answers at an origin: the JSON API at its root, a pool below its id or below its domain's name."""

    place: Place
    api: Api
    table: dict[str, PoolEndpoint]

    def __call__(self, scope: Mapping[str, Any]) -> Endpoint | None:
        path = scope["path"]
        pool = POOL_PATH.fullmatch(path)
        at_a_root = path == "/" or (pool is not None and pool["rest"] in (None, "/"))
        if at_a_root and scope["method"] in API_METHODS:
            return Endpoint(_At(self.api, self.place), API_METHODS)
        found = pool or (_DOMAIN_PATH.fullmatch(path) if self.place.routed else None)
        endpoint = self.table.get(found["rest"] or "/") if found else None
        if found is None or endpoint is None:
            return None
        bound = _Below(endpoint, self.place, found["pool"], is_domain=found is not pool)
        return Endpoint(bound, endpoint.methods, endpoint.cors)


_DOMAIN = "domain:"
_DOMAIN_PATH = re.compile(rf"/{_DOMAIN}(?P<pool>[a-z0-9-]+)(?P<rest>/.*)?")


class _At(msgspec.Struct, frozen=True):
    """The JSON API at a place."""

    api: Api
    place: Place

    async def __call__(self, request: Request) -> Reply:
        return await self.api(self.place, request)


class _Below(msgspec.Struct, frozen=True):
    """An endpoint of one pool, which is named by its id or by its domain."""

    endpoint: PoolEndpoint
    place: Place
    name: str
    is_domain: bool

    async def __call__(self, request: Request) -> Reply:
        pool = await self._pool()
        if pool is None:
            body = {"message": f"User pool {self.name} does not exist."}
            return Reply(404, (("content-type", "application/json"),), msgspec.json.encode(body))
        return await self.endpoint.handler(pool, request)

    async def _pool(self) -> OpenPool | None:
        if not self.is_domain:
            return await self.place.find(self.name)
        domain = await DOMAINS.find(self.place.twin.account, self.name)
        return await self.place.find(domain.record.pool_id) if domain else None


def _file(name: str) -> PoolHandler:
    async def answer(_: OpenPool, request: Request) -> Reply:
        return static_reply(name, request) or Reply(404)

    return answer


async def open_cognito(ground: Ground, seeds: Sequence[SeedTwin]) -> Cognito:
    """The twin with the pools that the settings want from the start. Raises ``UsageError``."""
    twin = open_pools(ground, seeds)
    if ground.development or ground.settings.server.only_this_computer:  # everybody knows a seed's secrets
        for seed in seeds:
            await plant_pool(home_of(ground, twin, seed.id), seed.id, ground.settings)
    return Cognito(ground, twin, _region_of(seeds[0].id))


def open_pools(ground: Ground, seeds: Sequence[SeedTwin]) -> Twin:
    """The pools at work, without their endpoints, for commands too. Raises ``UsageError``."""
    ways = {one.id: _ways(one) for one in seeds}
    return Twin(ways, ground.store, ground.seal, CognitoShape(), ground.clock, ground.observe, ground.fetcher)


def home_of(ground: Ground, twin: Twin, pool_id: str) -> Place:
    """Where a pool is at home: the house's own origin, in the pool's region."""
    return Place(twin, ground.settings.origin, _region_of(pool_id))


def _region_of(pool_id: str) -> str:
    return pool_id.partition("_")[0]


def _ways(seed: SeedTwin) -> Ways:
    switches = switches_of(seed, Switches)
    return Ways(cloud_shaped=seed.issuer == "cloud", triggers=dict(seed.triggers), switches=switches)


def shown(settings: Settings, seed: SeedTwin) -> dict[str, Any]:
    """What ``innkeeper twin show`` says of the pool that is there from the start: it is the same wherever it is planted."""
    domain, pool = f"{settings.origin}/{seed.id}", Pool(id=seed.id, name=settings.title, created_at=0, modified_at=0)
    issuer = cloud_issuer(pool) if seed.issuer == "cloud" else domain
    return {
        "dialect": seed.dialect,
        "issuer": issuer,
        "pool": seed.id,
        "region": pool.region,
        "endpoints": {
            "discovery": f"{domain}/.well-known/openid-configuration",
            "jwks": f"{domain}/.well-known/jwks.json",
            "authorize": f"{domain}/oauth2/authorize",
            "token": f"{domain}/oauth2/token",
            "userinfo": f"{domain}/oauth2/userInfo",
            "revoke": f"{domain}/oauth2/revoke",
            "logout": f"{domain}/logout",
            "api": f"{settings.origin}/",
        },
        "clients": [_shown_client(settings, seed, one) for one in settings.client],
        "scopes": sorted({one for client in settings.client for one in seeded_scopes(client, settings)}),
        "people": [{"username": one.username, "password": one.password} for one in settings.guests],
    }


def _shown_client(settings: Settings, seed: SeedTwin, client: SeedClient) -> dict[str, Any]:
    return {
        "name": client.id,
        "id": seeded_client_id(seed.id, client.id),
        "secret": seeded_client_secret(seed.id, client.id) if client.secret else None,
        "redirect_uris": client.redirect_uris,
        "scopes": seeded_scopes(client, settings),
    }
