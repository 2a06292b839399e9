"""The Cognito twin is opened: one store for all user pools, found by path, by target or by the cloud's host names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from innkeeper.issuer.app.ground import Ground
from innkeeper.issuer.desk.cognito.seed import plant_pool
from innkeeper.issuer.desk.cognito.twin import DOMAINS, OpenPool, Place, Region, Twin
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.dialects.cognito.api.dispatch import Api
from innkeeper.issuer.dialects.cognito.hosts import POOL_PATH, Routed, routed
from innkeeper.issuer.dialects.cognito.oauth import PoolEndpoint, table
from innkeeper.issuer.dialects.cognito.tokens import CognitoShape
from innkeeper.issuer.dialects.layout import Endpoint, Endpoints, Finder
from innkeeper.issuer.dialects.native.layout import layout
from innkeeper.issuer.pages.cognito.accounts import AccountPages
from innkeeper.issuer.pages.cognito.authorize import SignInPages
from innkeeper.issuer.pages.cognito.hosted import Hosted
from innkeeper.issuer.pages.cognito.leaving import LeavingPages
from innkeeper.issuer.settings import SeedTwin
from innkeeper.protocol.exchange import Reply, Request

API_METHODS = frozenset({"POST", "OPTIONS"})


class Cognito:
    """See ``ground.Opened``. Made by ``open_cognito``."""

    def __init__(self, ground: Ground, twin: Twin, seed: SeedTwin) -> None:
        self._twin = twin
        self._region = seed.id.partition("_")[0]
        people = ground.settings.person if ground.development else []
        hints = [(one.username, one.password) for one in people]
        static = layout(ground.settings.origin).static
        hosted = Hosted(ground.explanations, static, hints, development=ground.development)
        pages = (SignInPages(hosted).table(), AccountPages(hosted).table(), LeavingPages(hosted, static).table())
        self._table = {path: endpoint for one in (table(), *pages) for path, endpoint in one.items()}
        self._api = Api()

    def realms(self) -> Iterator[Realm]:
        return self._twin.realms()

    def endpoints(self, _: str, /) -> Endpoints:
        return {}

    def finders(self, origin: str, /) -> Iterable[Finder]:
        return (self._by_host, _Finder(self, Place(self._twin, origin, self._region)))

    def _by_host(self, scope: Mapping[str, Any]) -> Endpoint | None:
        """What answers where the cloud's own host names lead here."""
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        meant = routed(host)
        if meant is None:
            return None
        place = Place(self._twin, f"https://{host}", meant.region, routed=True)
        return self.below_domain(place, meant, scope["path"]) if meant.prefix else self.found(place, scope)

    def found(self, place: Place, scope: Mapping[str, Any]) -> Endpoint | None:
        """What answers at an origin: the JSON API at its root, a pool below."""
        path, below = scope["path"], POOL_PATH.fullmatch(scope["path"])
        at_a_root = path == "/" or (below is not None and below["rest"] in (None, "/"))
        if at_a_root and scope["method"] in API_METHODS:
            return Endpoint(_At(self._api, place), API_METHODS)
        endpoint = self._table.get(below["rest"] or "/") if below else None
        if below is None or endpoint is None:
            return None
        return Endpoint(_Below(endpoint, place, below["pool"]), endpoint.methods, endpoint.cors)

    def below_domain(self, place: Place, meant: Routed, path: str) -> Endpoint | None:
        endpoint = self._table.get(path)
        bound = _Below(endpoint, place, "", meant.prefix) if endpoint else None
        return Endpoint(bound, endpoint.methods, endpoint.cors) if bound and endpoint else None


class _Finder(msgspec.Struct, frozen=True):
    cognito: Cognito
    place: Place

    def __call__(self, scope: Mapping[str, Any]) -> Endpoint | None:
        return self.cognito.found(self.place, scope)


class _At(msgspec.Struct, frozen=True):
    """The JSON API at a place."""

    api: Api
    place: Place

    async def __call__(self, request: Request) -> Reply:
        return await self.api(self.place, request)


class _Below(msgspec.Struct, frozen=True):
    """An endpoint of one pool, which is named by its id or by the prefix of its domain."""

    endpoint: PoolEndpoint
    place: Place
    pool_id: str
    prefix: str = ""

    async def __call__(self, request: Request) -> Reply:
        pool = await self._pool()
        if pool is None:
            named = self.pool_id or self.prefix
            body = {"message": f"User pool {named} does not exist."}
            return Reply(404, (("content-type", "application/json"),), msgspec.json.encode(body))
        return await self.endpoint.handler(pool, request)

    async def _pool(self) -> OpenPool | None:
        if not self.prefix:
            return await self.place.find(self.pool_id)
        domain = await DOMAINS.find(self.place.twin.account, self.prefix)
        return await self.place.find(domain.record.pool_id) if domain else None


async def open_cognito(ground: Ground, seed: SeedTwin) -> Cognito:
    """The twin with the pool that the settings want from the start. Raises ``UsageError``."""
    region = Region(region=seed.id.partition("_")[0], cloud_shaped=seed.issuer == "cloud", triggers=dict(seed.triggers))
    twin = Twin(region, ground.store, ground.seal, CognitoShape(), ground.clock, ground.observe, ground.fetcher)
    await plant_pool(Place(twin, ground.settings.origin, region.region), seed.id, ground.settings)
    return Cognito(ground, twin, seed)
