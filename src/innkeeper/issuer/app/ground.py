"""What all realms of one process stand on: settings, database, master key, clock, the way to others' documents."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from innkeeper.issuer.desk.fetching import Fetcher
from innkeeper.issuer.desk.outside import Outside, Through
from innkeeper.issuer.desk.realm import Clock, Realm
from innkeeper.issuer.dialects.layout import Cloud, Endpoints, Finder
from innkeeper.issuer.pages.explanations import Explanations
from innkeeper.issuer.settings import SeedTwin, Settings
from innkeeper.issuer.store.opening import open_store
from innkeeper.issuer.store.port import Store
from innkeeper.issuer.witness.witness import Witness
from innkeeper.keys.seal import Seal, master_key
from innkeeper.keys.unwrapping import unwrapped
from innkeeper.protocol.addresses import is_loopback_address
from innkeeper.protocol.refusals import UsageError
from innkeeper.tokens.trail import Observer

Switches = TypeVar("Switches", bound=msgspec.Struct)


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What a realm is opened with. ``development`` shows reasons and hints; ``observe`` takes every decision's trail;
    ``witness`` sees the requests; ``opened`` are the dialects, once they are open."""

    settings: Settings
    store: Store
    seal: Seal
    clock: Clock
    observe: Observer
    fetcher: Fetcher
    explanations: Explanations
    development: bool
    witness: Witness | None = None
    opened: list[Opened] = msgspec.field(default_factory=list)


class Opened(Protocol):
    """A dialect whose realms are open: what answers at an origin, such as ``https://localhost:8443``."""

    def realms(self) -> Iterable[Realm]:
        """Every realm that has to take up what other processes change."""
        ...

    def endpoints(self, origin: str, /) -> Endpoints:
        """Paths to what answers there."""
        ...

    def finders(self, origin: str, /) -> Iterable[Finder]:
        """Ways to endpoints whose paths are not known beforehand, asked in turn where no path fits."""
        ...

    def cloud(self, host: str, /) -> Cloud | None:
        """Where a request is answered that was meant for a cloud's own host, such as ``login.microsoftonline.com``; None
        for a host that is not stood in for. ``endpoints`` and ``finders`` are then asked for the cloud's origin."""
        ...


class Origins:
    """A realm at each origin that it is served at: one store, one set of keys and caches, an issuer string each."""

    def __init__(self, home: Realm, origin: str) -> None:
        self.home = home
        self._at = {origin: home}

    def __iter__(self) -> Iterator[Realm]:
        return iter(tuple(self._at.values()))

    def at(self, origin: str, issuer: str) -> Realm:
        """The realm as it is at an origin, where it is called ``issuer``."""
        if origin not in self._at:
            self._at[origin] = self.home.known_as(issuer)
        return self._at[origin]


def switches_of(twin: SeedTwin, switches: type[Switches]) -> Switches:
    """The twin's switches as its dialect knows them. Raises ``UsageError`` for one that it does not have."""
    known = switches.__struct_fields__
    for name in twin.switches:
        if name not in known:
            raise UsageError(f"twin {twin.id}: no switch {name!r}; there are {', '.join(known)}")
    return msgspec.convert(twin.switches, switches)


def system_clock() -> int:
    """Whole seconds since the epoch."""
    return int(time.time())


async def open_state(settings: Settings, master: str | None) -> tuple[Store, Seal]:
    """The database that the settings name, and the master key. Both are in the state folder, made where missing, unless
    they are elsewhere. Raises ``UsageError``, ``Unreachable``."""
    seal = open_seal(settings, master)
    return await open_store(settings.database, settings.server.database_connections), seal


def open_seal(settings: Settings, master: str | None) -> Seal:
    """The master key: from where the settings say, else in the state folder, made where missing. Raises ``UsageError``."""
    state = Path(settings.server.state)
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the state folder {state}: {error.strerror}. Choose another STATE.") from None
    source = settings.keys.master
    return Seal(unwrapped(source) if source and not master else master_key(state / "master.key", master))


def outside_of(settings: Settings) -> Outside:
    """The way to others' documents that the settings allow. Raises ``UsageError`` for a host not of this computer."""
    for listed in settings.fetching.allow_loopback_hosts:
        host, _, port = listed.rpartition(":")
        if not port.isdigit() or not (host == "localhost" or is_loopback_address(host.strip("[]"))):
            raise UsageError(
                f"fetching.allow_loopback_hosts: {listed!r} is no host and port of this computer, as 127.0.0.1:8765 is"
            )
    proxy, hosts = settings.fetching.proxy, frozenset(one.lower() for one in settings.fetching.proxy_hosts)
    if bool(proxy) != bool(hosts) or not proxy.startswith(("", "http://")[bool(proxy)]):
        raise UsageError("fetching.proxy is an http address, and goes together with fetching.proxy_hosts")
    through = Through(proxy, hosts) if proxy else None
    return Outside(frozenset(settings.fetching.allow_loopback_hosts), through=through)
