"""A real issuer on a free port of this computer, in a thread: opened once, set back between tests."""

from __future__ import annotations

import asyncio
import logging
import socket
import tempfile
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import uvicorn

from innkeeper.client.credentials import Client as Caller
from innkeeper.client.credentials import Secret
from innkeeper.client.discovery import discover
from innkeeper.client.grants import client_credentials
from innkeeper.client.token import Access
from innkeeper.client.wire import run
from innkeeper.issuer.app import Issuer, open_issuer
from innkeeper.issuer.core import effects as fx
from innkeeper.issuer.core.records import Client, Person
from innkeeper.issuer.settings import SeedClient, SeedPerson, SeedResource, Settings
from innkeeper.keys.ring import SIGNING_ALGORITHMS, make
from innkeeper.keys.stored import StoredKey
from innkeeper.protocol.refusals import Unreachable
from innkeeper.testing.clock import Clock
from innkeeper.testing.clouds import Clouds
from innkeeper.testing.faults import App, Faults
from innkeeper.testing.forge import Forge
from innkeeper.tokens.trail import Trail

START = 30.0
API = "https://api.example/orders"
"""The API that tokens are for, unless the settings name others."""

_FOREVER = 1 << 60
_ALL = 1_000_000

Result = TypeVar("Result")


def usual() -> Settings:
    """An API with two scopes; a client with a secret, a public one, and a person."""
    scopes = ["orders:read", "orders:write"]
    return Settings(
        title="A house for tests",
        resource=[SeedResource(API, "Orders", {"orders:read": "See orders", "orders:write": "Change orders"})],
        client=[
            SeedClient(
                id="machine",
                name="A machine",
                secret="machine-secret",
                grants=("client_credentials", "token_exchange"),
                scopes=scopes,
            ),
            SeedClient(
                id="guest-app",
                name="An app",
                native=True,
                grants=("authorization_code", "refresh_token", "device_code"),
                redirect_uris=["http://127.0.0.1/callback", "http://localhost/callback"],
                scopes=["openid", "profile", "email", "offline_access", *scopes],
            ),
        ],
        person=[
            SeedPerson(
                sub="guest-204",
                username="guest@hotel.example",
                password="Correct-Horse-7",
                claims={"name": "A guest", "email": "guest@hotel.example"},
            )
        ],
    )


class IssuerForTests:
    """A running issuer. ``url`` is its issuer; ``forge`` makes tokens, ``clock`` moves its time, ``faults`` make trouble.

    ``trails`` are the decisions it made since the last ``reset``. Made by ``serving``.
    """

    def __init__(self, port: int, settings: Settings) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.clock, self.faults = Clock(), Faults()
        self.trails: list[Trail] = []
        self.audience = settings.resource[0].uri if settings.resource else API
        self.forge = Forge(self.url, self.audience, self.clock, self._cut, self._published)
        self._settings = settings
        self._opened: Issuer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._before = _Before()

    @property
    def jwks_uri(self) -> str:
        """Where its keys are."""
        return f"{self.url}/jwks"

    def token(
        self,
        client_id: str = "machine",
        client_secret: str = "machine-secret",
        *,
        scope: str = "",
        resource: str | None = None,
    ) -> str:
        """A token from the token endpoint, as a machine gets it. Raises the client's ``Refused``."""
        access, caller = Access(scope, resource or self.audience), Caller(client_id, Secret(client_secret))
        return run(client_credentials(run(discover(self.url)), caller, access)).access_token

    def rotate_keys(self, *, keep_old: bool = False) -> None:
        """New signing keys; the old ones are gone at once, unless they are to stay published."""
        self._do(self._rotated(keep_old))

    def reset(self) -> None:
        """As it was when it was opened: clock, faults, keys, clients, people, and nothing granted to anyone."""
        self.clock.reset()
        self.faults.clear()
        self.trails.clear()
        self._do(self._restored())

    # -- within the issuer's own thread -----------------------------------------------------------------------------

    async def open(self) -> App:
        """Open the issuer; what answers is returned."""
        server = msgspec.structs.replace(self._settings.server, host="127.0.0.1", port=int(self.url.rpartition(":")[2]))
        settings = msgspec.structs.replace(self._settings, server=server)
        self._loop = asyncio.get_running_loop()
        self._opened = await open_issuer(settings, development=True, observe=self.trails.append, clock=self.clock.whole)
        store = self._opened.realm.store
        await store.put_keys([msgspec.structs.replace(one, active_from=0) for one in await store.keys()])
        await self._opened.realm.reload()
        self._before = _Before(tuple(await store.keys()), tuple(await store.clients()), tuple(await store.people()))
        site: Any = self._issuer.site
        return self.faults.before(Clouds(self.url, self.forge.cloud_keys).before(site))

    def close(self) -> None:
        """Let go of the database."""
        if self._opened is not None:
            self._opened.close()

    @property
    def _issuer(self) -> Issuer:
        if self._opened is None:
            raise Unreachable("the issuer for tests is not open")
        return self._opened

    def _do(self, work: Coroutine[Any, Any, Result]) -> Result:
        if self._loop is None:
            work.close()
            raise Unreachable("the issuer for tests is not open")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START)

    def _cut(self, alg: str, typ: str, claims: Mapping[str, Any]) -> str:
        return self._do(self._issuer.realm.ring.cut(alg, typ, claims, self.clock.whole()))

    def _published(self) -> list[dict[str, str]]:
        return self._issuer.realm.ring.published(self.clock.whole())

    async def _rotated(self, keep_old: bool) -> None:
        realm, now = self._issuer.realm, self.clock.whole()
        old = [one for one in await realm.store.keys() if one.alg in SIGNING_ALGORITHMS and one.expires_at is None]
        gone = [] if keep_old else [msgspec.structs.replace(one, expires_at=now - 1) for one in old]
        fresh = [make(alg, realm.seal, now=now, active_from=now) for alg in sorted({one.alg for one in old})]
        await realm.store.put_keys([*fresh, *gone])
        await realm.reload()

    async def _restored(self) -> None:
        realm, before = self._issuer.realm, self._before
        store, now = realm.store, self.clock.whole()
        await store.purge(_FOREVER, _ALL)
        people = {one.sub for one in await store.people()} | {one.sub for one in before.people}
        strangers = {one.id for one in await store.clients()} - {one.id for one in before.clients}
        await store.commit(
            [
                *(fx.RemovePerson(sub, now) for sub in sorted(people)),
                *(fx.RemoveClient(client_id, now) for client_id in sorted(strangers)),
                *(fx.PutPerson(one) for one in before.people),
            ]
        )
        known = {one.id: one for one in await store.clients()}
        for one in before.clients:
            if known.get(one.id) != one:
                await store.put_client(one)
        await self._restore_keys()
        await realm.reload()

    async def _restore_keys(self) -> None:
        store, before = self._issuer.realm.store, self._before
        now_there = {one.kid: one for one in await store.keys()}
        changed = [one for one in before.keys if now_there.get(one.kid) != one]
        added = [one for kid, one in now_there.items() if kid not in {one.kid for one in before.keys}]
        ended = [msgspec.structs.replace(one, expires_at=0) for one in added if one.expires_at != 0]
        if changed or ended:
            await store.put_keys([*changed, *ended])


class _Before(msgspec.Struct, frozen=True):
    """What was there when the issuer was opened."""

    keys: tuple[StoredKey, ...] = ()
    clients: tuple[Client, ...] = ()
    people: tuple[Person, ...] = ()


@contextmanager
def serving(settings: Settings | None = None, folder: Path | None = None) -> Iterator[IssuerForTests]:
    """An issuer that runs inside the block, on a free port of this computer; by default that of ``usual``.

    ``folder`` keeps its state; without one it is gone afterwards.
    """
    with tempfile.TemporaryDirectory() as temporary, _listening() as listening:
        chosen = settings or usual()
        state = str(folder or Path(temporary) / "state")
        server = msgspec.structs.replace(chosen.server, state=state)
        issuer = IssuerForTests(listening.getsockname()[1], msgspec.structs.replace(chosen, server=server))
        runner = _Runner(issuer, listening)
        try:
            runner.start()
            yield issuer
        finally:
            runner.stop()


@contextmanager
def _listening() -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        yield listening


class _Runner(threading.Thread):
    """The thread that an issuer and its server live in."""

    def __init__(self, issuer: IssuerForTests, listening: socket.socket) -> None:
        super().__init__(name="innkeeper for tests", daemon=True)
        self._issuer, self._listening = issuer, listening
        self._ready = threading.Event()
        self._server: uvicorn.Server | None = None
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Return once it answers. Raises what kept it from opening."""
        super().start()
        if not self._ready.wait(START) or self._failure:
            raise self._failure or Unreachable(f"the issuer for tests did not open within {START:.0f} s")

    def stop(self) -> None:
        if self._server is not None:
            self._server.should_exit = True
        self.join(START)

    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:  # noqa: BLE001 - raised again in the thread that waits
            self._failure = failure
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        app = await self._issuer.open()
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none", proxy_headers=False)
        self._server = _Server(config, self._ready)
        try:
            await self._server.serve([self._listening])
        finally:
            self._issuer.close()


class _Server(uvicorn.Server):
    """Tells when it answers."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()
