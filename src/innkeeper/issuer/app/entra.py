"""The Entra twin: its tenants as realms, its endpoints, pages and Graph, at one or several origins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from innkeeper.issuer.app.entra_shown import domains_of
from innkeeper.issuer.app.ground import Ground, Origins, switches_of
from innkeeper.issuer.core.entra.names import CLOUD, CLOUD_HOSTS, GRAPH_URL, MANAGEMENT_URLS, Names, names_at
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.desk.entra.cloud import Cloud, Desk, Switches
from innkeeper.issuer.desk.entra.rotating import CERTIFIED
from innkeeper.issuer.desk.entra.seeding import plant
from innkeeper.issuer.desk.realm import Realm, open_realm
from innkeeper.issuer.dialects.entra.endpoints import BOTH, GET, Door, EntraEndpoints, Finder, looks_like_a_tenant
from innkeeper.issuer.dialects.entra.graph.gate import ALL, Graph
from innkeeper.issuer.dialects.entra.management import Management
from innkeeper.issuer.dialects.layout import Cloud as CloudHost
from innkeeper.issuer.dialects.layout import Endpoint, Endpoints
from innkeeper.issuer.dialects.layout import Finder as AnyFinder
from innkeeper.issuer.dialects.native.tokens import NativeShape
from innkeeper.issuer.pages.entra.authorize import AuthorizePages
from innkeeper.issuer.pages.entra.device import DevicePages
from innkeeper.issuer.pages.entra.leaving import OtherPages
from innkeeper.issuer.pages.entra.shared import Front, Pages
from innkeeper.issuer.settings import SeedTwin
from innkeeper.keys.certified import make_certified

DEVICE_PAGE = "/common/oauth2/deviceauth"


class Entra:
    """See ``ground.Opened``: every tenant of the settings, which make up one cloud. Made by ``open_entra``."""

    def __init__(self, ground: Ground, desks: Sequence[Desk], *, as_the_cloud: bool = False) -> None:
        self._ground = ground
        self._as_the_cloud = as_the_cloud
        self._desks = desks
        self._origins = {one.id: Origins(one.realm, ground.settings.origin) for one in desks}

    def realms(self) -> Iterator[Realm]:
        return (realm for origins in self._origins.values() for realm in origins)

    def endpoints(self, _: str, /) -> Endpoints:
        return {}

    def finders(self, origin: str, /) -> Iterable[AnyFinder]:
        names = names_at(origin, as_the_cloud=self._as_the_cloud)
        cloud = self._cloud(origin, names)
        endpoints = EntraEndpoints(cloud, f"{names.login}{DEVICE_PAGE}")
        pages = Pages(cloud, self._front())
        authorize, others = AuthorizePages(pages), OtherPages(pages)
        fixed = {path: Endpoint(handler, BOTH) for path, handler in endpoints.fixed().items()}
        fixed |= {path: Endpoint(handler, GET) for path, handler in Management(cloud).fixed().items()}
        fixed["/error"] = Endpoint(others.error_lookup, BOTH)
        doors = {
            **endpoints.doors(),
            **authorize.doors(),
            **DevicePages(pages, authorize).doors(),
            **others.doors(),
        }
        graph = Graph(cloud)
        fixed["/oidc/userinfo"] = Endpoint(graph.userinfo, BOTH, cors=True)
        doors["openid/userinfo"] = Door(lambda request, _: graph.userinfo(request), BOTH, cors=True)
        deep = dict.fromkeys(("v1.0", "beta"), Endpoint(graph.answer, ALL, cors=True))
        return (Finder(doors, fixed, deep, looks_like_a_tenant),)

    def cloud(self, host: str, /) -> CloudHost | None:
        """Microsoft's own hosts for signing in, for Graph and for the resource manager, each answered below its own name."""
        if host in CLOUD_HOSTS:
            return CloudHost(CLOUD)
        own = f"https://{host}"
        return CloudHost(own) if own in (GRAPH_URL, *MANAGEMENT_URLS) else None

    def _front(self) -> Front:
        settings, development = self._ground.settings, self._ground.development
        hints = [(one.username, one.password) for one in settings.guests] if development else []
        return Front(settings.title, development, hints)

    def _cloud(self, origin: str, names: Names) -> Cloud:
        """The tenants as they are at an origin, one set of keys, books and caches behind all of them."""
        return Cloud([self._at(one, origin) for one in self._desks], names)

    def _at(self, desk: Desk, origin: str) -> Desk:
        realm = self._origins[desk.id].at(origin, f"{origin}/{desk.id}")
        return desk if realm is desk.realm else desk.under(realm)


async def open_desks(ground: Ground, twins: Sequence[SeedTwin]) -> list[Desk]:
    """The tenants at work, without their endpoints, for commands. Raises ``UsageError``."""
    return [await _open(ground, one) for one in twins]


async def open_entra(ground: Ground, twins: Sequence[SeedTwin]) -> Entra:
    """The tenants that the settings name, with what they start with. Raises ``UsageError``."""
    as_the_cloud = any(one.issuer == "cloud" for one in twins)
    return Entra(ground, await open_desks(ground, twins), as_the_cloud=as_the_cloud)


async def _open(ground: Ground, twin: SeedTwin) -> Desk:
    settings, name = ground.settings, f"entra-{twin.id}"
    memory = ground.store.realm(name)
    if not any(one.certificate for one in await memory.keys()):
        now = ground.clock()
        await memory.put_keys([make_certified(CERTIFIED, ground.seal, now=now, active_from=now)])
    policy = Policy(
        issuer=f"{settings.origin}/{twin.id}",
        title=settings.title,
        session_lifetime=settings.lifetimes.session,
        acr="1",
    )
    realm = await open_realm(
        name, policy, memory, ground.seal, NativeShape(), ground.clock, ground.observe, ground.fetcher
    )
    desk = Desk(realm, twin.id, settings.title, domains_of(twin), switches_of(twin, Switches))
    if settings.server.only_this_computer:
        await plant(desk, settings)
    return desk
