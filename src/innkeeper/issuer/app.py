"""The one place where store, keys, clock, desk and dialects are joined into an issuer that answers HTTP."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.profiles import known_profile
from innkeeper.issuer.core.registration import OFF, OPEN
from innkeeper.issuer.desk.fetching import Fetcher
from innkeeper.issuer.desk.outside import Outside
from innkeeper.issuer.desk.realm import Clock, Realm, open_realm, random_id
from innkeeper.issuer.desk.registry import plant
from innkeeper.issuer.desk.wrapping import provide_for
from innkeeper.issuer.dialects.layout import Endpoint, Layout
from innkeeper.issuer.dialects.native.endpoints import NativeEndpoints
from innkeeper.issuer.dialects.native.layout import layout as native_layout
from innkeeper.issuer.dialects.native.registration import RegistrationEndpoints
from innkeeper.issuer.dialects.native.tokens import ACCESS_ALGORITHM, NativeShape
from innkeeper.issuer.dialects.native.wire import authorization_parameters
from innkeeper.issuer.http.proxies import Proxies
from innkeeper.issuer.http.proxies import proxies as proxies_of
from innkeeper.issuer.http.site import Site
from innkeeper.issuer.pages.account import Access, AccountPage
from innkeeper.issuer.pages.account_sign_in import CodesPage, PasskeysPage, PasswordPage
from innkeeper.issuer.pages.approvals import ApprovalsPage
from innkeeper.issuer.pages.authorize import AuthorizePage
from innkeeper.issuer.pages.consent import ConsentPage
from innkeeper.issuer.pages.device import DevicePage
from innkeeper.issuer.pages.explanations import PATH as EXPLAIN_PATH
from innkeeper.issuer.pages.explanations import Explanations
from innkeeper.issuer.pages.files import static_names, static_reply
from innkeeper.issuer.pages.logout import LogoutPage
from innkeeper.issuer.pages.second_factor import CodePage
from innkeeper.issuer.pages.sign_in import SignInPage
from innkeeper.issuer.pages.visit import Visits
from innkeeper.issuer.settings import Server, Settings
from innkeeper.issuer.store.sqlite import SqliteStore
from innkeeper.keys.certificates import read_authorities
from innkeeper.keys.seal import Seal, master_key
from innkeeper.protocol.addresses import is_loopback_address
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.refusals import Unreachable, UsageError
from innkeeper.tokens.trail import Observer, Trail, unobserved

GET = frozenset({"GET", "HEAD"})
FORM = frozenset({"GET", "HEAD", "POST"})

NATIVE_REALM = "native"

_LOOK_EVERY = 0.5
_NEVER_LOOKED = -1
_PURGE_EVERY = 60
_PURGE_ROWS = 1_000
_LAST_ERRANDS = 2.0
"""Seconds that errands under way are given when the house closes."""

_KEPT_AFTER_EXPIRY = 86400
"""Seconds that spent codes and tokens are remembered beyond their expiry, so that a late replay is known as one."""

log = logging.getLogger("innkeeper.issuer")


def system_clock() -> int:
    """Whole seconds since the epoch."""
    return int(time.time())


class Issuer:
    """A running issuer: ``site`` is its ASGI application, ``realm`` its realm. Made by ``open_issuer``."""

    def __init__(
        self, store: SqliteStore, realm: Realm, layout: Layout, site: Site, explanations: Explanations
    ) -> None:
        self.realm = realm
        self.layout = layout
        self.site = site
        self.explanations = explanations
        self._store = store

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Inside the block, take up what other processes change and forget what has expired."""
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await self.realm.errands.finished(_LAST_ERRANDS)

    async def _watch(self) -> None:
        version, last_purge = _NEVER_LOOKED, 0
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            now = self.realm.now()
            try:
                if (current := self._store.version()) != version:
                    version = current
                    await self.realm.reload()
                if now - last_purge >= _PURGE_EVERY:
                    last_purge = now
                    await self.realm.store.purge(now - _KEPT_AFTER_EXPIRY, _PURGE_ROWS)
            except (Unreachable, UsageError) as error:
                log.warning("%s", error)

    async def cut_again(self, claims: Mapping[str, Any], at: int) -> str:
        """A token of ours cut once more as if at another time, seconds since the epoch; to show what expiry does."""
        shift = at - int(claims["iat"])
        moved = {name: claims[name] + shift for name in ("iat", "exp", "nbf", "auth_time") if name in claims}
        said = {**claims, **moved, "jti": random_id()}
        return await self.realm.ring.cut(ACCESS_ALGORITHM, self.realm.shape.access_type, said, self.realm.now())

    def close(self) -> None:
        """Finish the writes that were asked for, and let go of the database."""
        self._store.close()


async def open_issuer(
    settings: Settings,
    *,
    development: bool,
    observe: Observer = unobserved,
    master: str | None = None,
    clock: Clock = system_clock,
    outside: Outside | None = None,
) -> Issuer:
    """The issuer that the settings describe. ``development`` shows reasons and hints; ``master`` is a master key
    from the environment; ``outside`` is the way to others' documents where it is not to be made from the settings.
    Raises ``UsageError`` where state or settings are no good."""
    policy, server = policy_of(settings, development=development), settings.server
    proxies = proxies_of(server.trusted_proxies, server.client_certificate_header)
    store, seal = open_state(settings, master)
    layout = native_layout(settings.origin, server.mtls_url.rstrip("/"))
    explanations = Explanations(layout.origin, settings.title, layout.static, development=development)

    def see(trail: Trail) -> None:
        explanations.observe(trail)
        observe(trail)

    memory = store.realm(NATIVE_REALM)
    await plant(memory, seal, settings, clock())
    fetcher = Fetcher(outside or outside_of(settings), clock, redirects=settings.fetching.redirects)
    realm = await open_realm(NATIVE_REALM, policy, memory, seal, NativeShape(), clock, see, fetcher)
    known = [await realm.client(one.id) for one in settings.client]
    await provide_for(realm, *[one for one in known if one])
    hints = [(one.username, one.password) for one in settings.person] if development else []
    return Issuer(store, realm, layout, _site(realm, layout, explanations, hints, proxies), explanations)


def open_state(settings: Settings, master: str | None) -> tuple[SqliteStore, Seal]:
    """The database and the master key in the state folder, made where missing."""
    state = Path(settings.server.state)
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the state folder {state}: {error.strerror}. Choose another STATE.") from None
    store = SqliteStore(state / "innkeeper.db")
    return store, Seal(master_key(state / "master.key", master))


def outside_of(settings: Settings) -> Outside:
    """The way to others' documents that the settings allow. Raises ``UsageError`` for a host not of this computer."""
    for listed in settings.fetching.allow_loopback_hosts:
        host, _, port = listed.rpartition(":")
        if not port.isdigit() or not (host == "localhost" or is_loopback_address(host.strip("[]"))):
            raise UsageError(
                f"fetching.allow_loopback_hosts: {listed!r} is no host and port of this computer, as 127.0.0.1:8765 is"
            )
    return Outside(frozenset(settings.fetching.allow_loopback_hosts))


def policy_of(settings: Settings, *, development: bool = False) -> Policy:
    """The realm's rules that the settings ask for. Raises ``UsageError``."""
    times, server, registration = settings.lifetimes, settings.server, settings.registration
    usual = OPEN if development and server.only_this_computer else OFF
    return Policy(
        registration=registration.mode or usual,
        client_documents=registration.documents,
        document_hosts=tuple(one.lower() for one in registration.document_hosts),
        profile=known_profile(settings.profile),
        mutual_tls=bool(server.client_certificate_header),
        client_authorities=_authorities(server),
        issuer=settings.origin,
        title=settings.title,
        code_lifetime=times.code,
        access_lifetime=times.access_token,
        id_lifetime=times.id_token,
        refresh_lifetime=times.refresh_token,
        refresh_grace=times.refresh_grace,
        session_lifetime=times.session,
        device_lifetime=times.device_code,
        backchannel_lifetime=times.backchannel,
        max_actors=settings.delegation.max_actors,
        require_may_act=settings.delegation.require_may_act,
        trusted_issuers={one.issuer: one for one in settings.trusted_issuer},
    )


def _authorities(server: Server) -> str:
    """The PEM text of those who vouch for clients' certificates. Raises ``UsageError``."""
    path = server.client_certificate_authorities
    if not path:
        return ""
    if not server.client_certificate_header:
        raise UsageError("client_certificate_authorities needs client_certificate_header, where certificates come in")
    try:
        pem = Path(path).read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"client_certificate_authorities: cannot read {path}: {error}") from None
    if not read_authorities(pem):
        raise UsageError(f"client_certificate_authorities: {path} holds no certificate")
    return pem


def _site(
    realm: Realm, layout: Layout, explanations: Explanations, hints: list[tuple[str, str]], proxies: Proxies
) -> Site:
    visits = Visits(realm, layout)
    access = Access(realm, layout, visits)
    authorize = AuthorizePage(realm, layout, visits, explanations, authorization_parameters)
    pages = {
        layout.authorize: Endpoint(authorize, FORM),
        layout.sign_in: Endpoint(SignInPage(realm, layout, visits, hints), FORM),
        layout.sign_in_code: Endpoint(CodePage(realm, layout, visits), FORM),
        layout.consent: Endpoint(ConsentPage(realm, layout, visits), FORM),
        layout.device: Endpoint(DevicePage(realm, layout, visits), FORM),
        layout.approvals: Endpoint(ApprovalsPage(realm, layout, visits), FORM),
        layout.logout: Endpoint(LogoutPage(realm, layout, visits, explanations), FORM),
        **AccountPage(access).table(),
        **PasswordPage(access).table(),
        **CodesPage(access).table(),
        **PasskeysPage(access).table(),
        EXPLAIN_PATH: Endpoint(explanations.page, GET),
        **{f"{layout.static}/{name}": Endpoint(_StaticFile(name), GET) for name in static_names()},
    }
    native = NativeEndpoints(realm, layout, explanations.address)
    realm.supported = native.document
    registration = RegistrationEndpoints(realm, layout, explanations.address)
    return Site({**native.table(), **registration.table(), **pages}, proxies)


class _StaticFile(msgspec.Struct, frozen=True):
    name: str

    async def __call__(self, request: Request) -> Reply:
        return static_reply(self.name, request) or Reply(404)
