"""The native realm: its rules as the settings want them, its endpoints and its pages, at one or several origins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from innkeeper.issuer.app.administration import house_of
from innkeeper.issuer.app.ground import Ground, Origins
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.profiles import known_profile
from innkeeper.issuer.core.records import Upstream
from innkeeper.issuer.core.registration import OFF, OPEN
from innkeeper.issuer.desk.realm import Realm, open_realm
from innkeeper.issuer.desk.registry import plant
from innkeeper.issuer.desk.wrapping import provide_for
from innkeeper.issuer.dialects.layout import Cloud, Endpoint, Endpoints, Finder, Layout
from innkeeper.issuer.dialects.native.admin import AdminApi
from innkeeper.issuer.dialects.native.endpoints import NativeEndpoints
from innkeeper.issuer.dialects.native.layout import layout as native_layout
from innkeeper.issuer.dialects.native.registration import RegistrationEndpoints
from innkeeper.issuer.dialects.native.tokens import NativeShape
from innkeeper.issuer.dialects.native.wire import authorization_parameters
from innkeeper.issuer.pages.account import Access, AccountPage
from innkeeper.issuer.pages.account_sign_in import CodesPage, PasskeysPage, PasswordPage
from innkeeper.issuer.pages.admin.console import Console
from innkeeper.issuer.pages.agents import AgentsPage
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
from innkeeper.issuer.pages.sign_up import SignUpPage
from innkeeper.issuer.pages.upstream import ConnectedPage, ReturnPage
from innkeeper.issuer.pages.visit import Visits
from innkeeper.issuer.settings import Server, Settings
from innkeeper.keys.certificates import read_authorities
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.refusals import UsageError

GET = frozenset({"GET", "HEAD"})
FORM = frozenset({"GET", "HEAD", "POST"})

NATIVE_REALM = "native"


class Native:
    """See ``ground.Opened``. Made by ``open_native``."""

    def __init__(self, ground: Ground, realm: Realm) -> None:
        self._ground = ground
        self._origins = Origins(realm, ground.settings.origin)
        self.realm = realm
        self.layout = self._layout(ground.settings.origin)

    def realms(self) -> Iterator[Realm]:
        return iter(self._origins)

    def endpoints(self, origin: str, /) -> Endpoints:
        settings, layout = self._ground.settings, self._layout(origin)
        people = settings.person if self._ground.development else []
        hints = [(one.username, one.password) for one in people]
        return _endpoints(self._origins.at(origin, origin), layout, self._ground.explanations, hints)

    def finders(self, origin: str, /) -> Iterable[Finder]:
        house, layout = house_of(self._ground, self._origins.at(origin, origin)), self._layout(origin)
        return AdminApi(house, layout).find, Console(house, layout, Visits(house.realm, layout)).find

    def cloud(self, _: str, /) -> Cloud | None:
        return None

    def _layout(self, origin: str) -> Layout:
        settings = self._ground.settings
        return native_layout(origin, settings.server.mtls_url.rstrip("/") if origin == settings.origin else "")


async def open_native(ground: Ground) -> Native:
    """The native realm, with the records that the settings want from the start. Raises ``UsageError``."""
    settings, memory = ground.settings, ground.store.realm(NATIVE_REALM)
    policy = policy_of(settings, development=ground.development)
    await plant(memory, ground.seal, settings, ground.clock())
    realm = await open_realm(
        NATIVE_REALM, policy, memory, ground.seal, NativeShape(), ground.clock, ground.observe, ground.fetcher
    )
    known = [await realm.client(one.id) for one in settings.client]
    await provide_for(realm, *[one for one in known if one])
    return Native(ground, realm)


def policy_of(settings: Settings, *, development: bool = False) -> Policy:
    """The realm's rules that the settings ask for. Raises ``UsageError``."""
    times, server, registration = settings.lifetimes, settings.server, settings.registration
    usual = OPEN if development and server.only_this_computer else OFF
    return Policy(
        administered=True,
        dpop_nonce_required=settings.dpop_nonces,
        sign_up=settings.passwords and (settings.sign_up or usual) == OPEN,
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
        assertion_targets={one.issuer: one for one in settings.assertion_target},
        upstreams=_upstreams(settings),
        passwords=settings.passwords,
    )


def _upstreams(settings: Settings) -> dict[str, Upstream]:
    """The issuers at which people may sign in, by id. Raises ``UsageError``."""
    found = {one.id: one for one in settings.upstream}
    if len(found) < len(settings.upstream):
        raise UsageError("two [[upstream]] have the same id; each needs its own")
    if not settings.passwords and not found:
        raise UsageError("passwords = false needs an [[upstream]]: how else shall people sign in?")
    return found


def _authorities(server: Server) -> str:
    """The PEM text of those who vouch for clients' certificates. Raises ``UsageError``."""
    path = server.client_certificate_authorities
    if not path:
        return ""
    if not server.client_certificate_header and not server.takes_certificates:
        raise UsageError(
            "client_certificate_authorities needs client_certificate_header, where certificates come in from a proxy, or "
            "tls_certificate, with which this server asks for them itself"
        )
    try:
        pem = Path(path).read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"client_certificate_authorities: cannot read {path}: {error}") from None
    if not read_authorities(pem):
        raise UsageError(f"client_certificate_authorities: {path} holds no certificate")
    return pem


def _endpoints(realm: Realm, layout: Layout, explanations: Explanations, hints: list[tuple[str, str]]) -> Endpoints:
    visits = Visits(realm, layout)
    access = Access(realm, layout, visits)
    authorize = AuthorizePage(realm, layout, visits, explanations, authorization_parameters)
    leave = LogoutPage(realm, layout, visits, explanations)
    pages = {
        layout.authorize: Endpoint(authorize, FORM),
        layout.sign_in: Endpoint(SignInPage(realm, layout, visits, hints), FORM),
        layout.sign_in_code: Endpoint(CodePage(realm, layout, visits), FORM),
        **({layout.sign_up: Endpoint(SignUpPage(realm, layout, visits), FORM)} if realm.policy.sign_up else {}),
        layout.consent: Endpoint(ConsentPage(realm, layout, visits), FORM),
        layout.device: Endpoint(DevicePage(realm, layout, visits), FORM),
        layout.approvals: Endpoint(ApprovalsPage(realm, layout, visits), FORM),
        layout.logout: Endpoint(leave, FORM),
        f"{layout.logout}/done": Endpoint(leave.done, GET),
        **AccountPage(access).table(),
        **PasswordPage(access).table(),
        **CodesPage(access).table(),
        **PasskeysPage(access).table(),
        **ConnectedPage(access).table(),
        **AgentsPage(access).table(),
        **ReturnPage(realm, layout, visits, explanations).table(),
        EXPLAIN_PATH: Endpoint(explanations.page, GET),
        **{f"{layout.static}/{name}": Endpoint(_StaticFile(name), GET) for name in static_names()},
    }
    native = NativeEndpoints(realm, layout, explanations.address)
    realm.supported = native.document
    registration = RegistrationEndpoints(realm, layout, explanations.address)
    return {**native.table(), **registration.table(), **pages}


class _StaticFile(msgspec.Struct, frozen=True):
    name: str

    async def __call__(self, request: Request) -> Reply:
        return static_reply(self.name, request) or Reply(404)
