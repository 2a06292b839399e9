"""Opening an issuer: its realms at every origin, one ASGI application in front of them, a watch behind them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any

import msgspec

from innkeeper.issuer.app.administration import house_of
from innkeeper.issuer.app.cognito import open_cognito
from innkeeper.issuer.app.entra import open_entra
from innkeeper.issuer.app.ground import Ground, Opened, open_state, outside_of, system_clock
from innkeeper.issuer.app.native import Native, open_native, policy_of
from innkeeper.issuer.app.twin_clock import TwinClock
from innkeeper.issuer.desk.admin.house import House
from innkeeper.issuer.desk.fetching import Fetcher
from innkeeper.issuer.desk.key_care import Cupboard, rotate_who_is_due
from innkeeper.issuer.desk.outside import Outside
from innkeeper.issuer.desk.realm import Clock, random_id
from innkeeper.issuer.dialects.layout import Cloud, Endpoint, Finder
from innkeeper.issuer.dialects.native.layout import layout
from innkeeper.issuer.dialects.native.tokens import ACCESS_ALGORITHM
from innkeeper.issuer.http.fronts import Fronts
from innkeeper.issuer.http.health import ALIVE, READY, Health
from innkeeper.issuer.http.site import Site
from innkeeper.issuer.pages.dress import Dress, Served, dress_of
from innkeeper.issuer.pages.explanations import Explanations
from innkeeper.issuer.pages.speaking import dressed, dressed_one
from innkeeper.issuer.settings import SeedTwin, Settings
from innkeeper.issuer.witness.store import watched
from innkeeper.issuer.witness.witness import Witness
from innkeeper.keys.stored import StoredKey
from innkeeper.protocol.proxies import Proxies, proxies
from innkeeper.protocol.refusals import Unreachable, UsageError
from innkeeper.tokens.trail import Observer, together, unobserved

_GET = frozenset({"GET", "HEAD"})
PROBES = (ALIVE, READY)
_NEVER_LOOKED = -1
_DAY = 86_400
_PURGE_EVERY = 60
_PURGE_PAUSE = 0.05
_PURGE_ROWS = 200
"""Rows of each kind that are forgotten at a time: some 4,000 a second where that many expire."""

_LAST_ERRANDS = 2.0
"""Seconds that errands under way are given when the house closes."""

_KEPT_AFTER_EXPIRY = 86400
"""Seconds that spent codes and tokens are remembered beyond their expiry, so that a late replay is known as one."""

log = logging.getLogger("innkeeper.issuer")


class Issuer:
    """A running issuer: ``site`` is its ASGI application, ``realm`` its native realm, ``opened`` are the dialects, the native one
    first. Made by ``open_issuer``."""

    def __init__(
        self,
        ground: Ground,
        native: Native,
        others: Sequence[Opened],
        site: Site | Fronts,
        health: Health,
        twin_clock: TwinClock,
    ) -> None:
        self.realm = native.realm
        self.layout = native.layout
        self.site = site
        self.health = health
        self.explanations = ground.explanations
        self.witness = ground.witness
        self._ground = ground
        self._rotate_days = ground.settings.keys.rotate_days
        self._store = ground.store
        self.opened = (native, *others)
        self._twin_clock = twin_clock
        self._seen = _NEVER_LOOKED
        self._synced_at = 0

    def house(self) -> House:
        """The house as it is administered from the native realm at home."""
        return house_of(self._ground, self.realm)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Inside the block, take up what other processes change and forget what has expired."""
        at_work = [asyncio.create_task(self._watch()), asyncio.create_task(self._tidy())]
        try:
            yield
        finally:
            for task in at_work:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            for opened in self.opened:
                for realm in opened.realms():
                    await realm.errands.finished(_LAST_ERRANDS)

    async def _watch(self) -> None:
        while True:
            await self._store.news()
            self._sync_books()
            try:
                await self.look()
            except (Unreachable, UsageError) as error:
                log.warning("%s", error)

    def _sync_books(self) -> None:
        """Have the disk take the audit log, once a second and off the loop: it may take its time."""
        if self.witness is not None and self._synced_at != self.realm.now():
            self._synced_at = self.realm.now()
            self._syncing = asyncio.get_running_loop().run_in_executor(None, self.witness.sync)

    async def look(self) -> None:
        """Take up what other processes have changed. What could not be taken up is tried again at the next look."""
        if (version := await self._store.version()) != self._seen:
            await self._reload()
            self._seen = version

    async def _tidy(self) -> None:
        """Forget what has expired, a little at a time, so that nobody who waits for the database notices."""
        while True:
            forgotten = 0
            try:
                forgotten = await self._purge()
                await self.care_for_keys()
            except (Unreachable, UsageError) as error:
                log.warning("%s", error)
            await asyncio.sleep(_PURGE_EVERY if forgotten < _PURGE_ROWS else _PURGE_PAUSE)

    async def _reload(self) -> None:
        await self._twin_clock.reload()
        for opened in self.opened:
            for realm in opened.realms():
                await realm.reload()

    async def care_for_keys(self) -> list[StoredKey]:
        """Make the keys whose time has come, of every realm; the new ones."""
        period, fresh = self._rotate_days * _DAY, list[StoredKey]()
        homes = {realm.name: realm for opened in self.opened for realm in opened.realms()} if period else {}
        for realm in homes.values():
            with self.witness.command("key rotation") if self.witness is not None else nullcontext():
                fresh += await rotate_who_is_due(Cupboard.of(realm), period)
        for key in fresh:
            log.info("key %s signs %s from %d on", key.kid, key.alg, key.active_from)
        return fresh

    async def _purge(self) -> int:
        """How many rows were forgotten in the realm that had most of them, each by its own clock."""
        times = {realm.name: realm.now() for opened in self.opened for realm in opened.realms()}
        purged = [
            await self._store.realm(name).purge(now - _KEPT_AFTER_EXPIRY, _PURGE_ROWS) for name, now in times.items()
        ]
        return max(purged)

    async def cut_again(self, claims: Mapping[str, Any], at: int) -> str:
        """A token of ours cut once more as if at another time, seconds since the epoch; to show what expiry does."""
        shift = at - int(claims["iat"])
        moved = {name: claims[name] + shift for name in ("iat", "exp", "nbf", "auth_time") if name in claims}
        said = {**claims, **moved, "jti": random_id()}
        return await self.realm.ring.cut(ACCESS_ALGORITHM, self.realm.shape.access_type, said, self.realm.now())

    def close(self) -> None:
        """Finish the writes that were asked for, and let go of the database."""
        self._store.close()
        if self.witness is not None:
            self.witness.close()


async def open_issuer(
    settings: Settings,
    *,
    development: bool,
    observe: Observer = unobserved,
    master: str | None = None,
    clock: Clock = system_clock,
    outside: Outside | None = None,
    also_at: Sequence[str] = (),
    health: Health | None = None,
    witness: Witness | None = None,
) -> Issuer:
    """The issuer that the settings describe. ``development`` shows reasons and hints; ``master`` is a master key
    from the environment; ``outside`` is the way to others' documents where it is not to be made from the settings;
    ``also_at`` are further origins at which all realms are served, each realm under an issuer of that origin; ``health``
    is told when all is open, and told by whoever stops the process that it leaves; ``witness`` sees all that happens, and is
    closed with the issuer.
    Raises ``UsageError`` where state or settings are no good."""
    server, way = settings.server, outside or outside_of(settings)
    dress_of(settings.theme)
    policy_of(settings, development=development)  # refuses what is no good before anything is made
    believed = proxies(server.trusted_proxies, server.client_certificate_header)
    store, seal = await open_state(settings, master)
    static = layout(settings.origin).static
    explanations = Explanations(settings.origin, settings.title, static, development=development)

    see = together(explanations.observer, observe, witness.observe if witness is not None else unobserved)
    fetcher = Fetcher(way, clock, redirects=settings.fetching.redirects)
    ground = Ground(
        settings=settings,
        store=watched(store) if witness is not None else store,
        seal=seal,
        clock=clock,
        observe=see,
        fetcher=fetcher,
        explanations=explanations,
        development=development,
        witness=witness,
    )
    try:
        return await _opened(ground, believed, also_at, health or Health())
    except BaseException:
        store.close()
        if witness is not None:
            witness.close()
        raise


async def _opened(ground: Ground, believed: Proxies, also_at: Sequence[str], health: Health) -> Issuer:
    with ground.witness.command("start") if ground.witness is not None else nullcontext():
        native = await open_native(ground)
        clock = TwinClock(ground.clock, ground.store)
        await clock.reload()
        twins = await _open_twins(msgspec.structs.replace(ground, clock=clock))
    ground.opened.extend((native, *twins))
    site = _front(ground, believed, [native, *twins], also_at, health)
    health.opened(ground.store.version)
    return Issuer(ground, native, twins, site, health, clock)


async def _open_twins(ground: Ground) -> list[Opened]:
    """A cloud's realms are opened together: people go from one tenant to another, and pools are one account's."""
    seeds = {name: [one for one in ground.settings.twin if one.dialect == name] for name in TWINS}
    _refuse_twice([one.id for one in ground.settings.twin])
    return [await TWINS[name](ground, named) for name, named in seeds.items() if named]


def _refuse_twice(ids: Sequence[str]) -> None:
    for one in ids:
        if ids.count(one) > 1:
            raise UsageError(f"two [[twin]] have the id {one}; each needs its own")


TWINS: dict[str, Callable[[Ground, Sequence[SeedTwin]], Awaitable[Opened]]] = {
    "cognito": open_cognito,
    "entra": open_entra,
}
"""How the realms of a cloud's dialect are opened."""


def _front(
    ground: Ground, believed: Proxies, opened: Sequence[Opened], also_at: Sequence[str], health: Health
) -> Site | Fronts:
    """One site for every origin, behind what tells them apart where there are several."""
    probes = dict(zip(PROBES, (Endpoint(health.alive, _GET), Endpoint(health.ready, _GET)), strict=True))
    home, dress = ground.settings.origin, dress_of(ground.settings.theme)

    def site(origin: str) -> Site:
        table = {path: endpoint for one in opened for path, endpoint in one.endpoints(origin).items()}
        finders = [_dressing(finder, dress) for one in opened for finder in one.finders(origin)]
        return Site({**dressed(table, dress), **_files(dress, home), **probes}, believed, finders, ground.witness)

    def cloud(host: str) -> Cloud | None:
        return next((found for one in opened if (found := one.cloud(host))), None)

    return Fronts(site, home, also_at, cloud) if also_at or len(opened) > 1 else site(home)


def _dressing(finder: Finder, dress: Dress) -> Finder:
    def found(scope: Mapping[str, Any]) -> Endpoint | None:
        endpoint = finder(scope)
        return dressed_one(endpoint, dress) if endpoint else None

    return found


def _files(dress: Dress, origin: str) -> dict[str, Endpoint]:
    """What a dress adds to the house's own files."""
    static = layout(origin).static
    return {f"{static}/{name}": Endpoint(Served(*file), _GET) for name, file in dress.files().items()}
