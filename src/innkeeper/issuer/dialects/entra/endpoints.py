"""Entra's addresses: the tenant first, then the endpoint; a request finds its answer by both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from innkeeper.issuer.core.entra import asking
from innkeeper.issuer.core.entra.aadsts import refuse
from innkeeper.issuer.core.entra.asking import Ask
from innkeeper.issuer.core.entra.codes import tenants
from innkeeper.issuer.core.entra.device_request import DEVICE_CHECKS, DeviceCase
from innkeeper.issuer.core.entra.grants.device_code import INTERVAL, LIFETIME
from innkeeper.issuer.core.entra.names import ALIASES, V1, V2, is_tenant_name
from innkeeper.issuer.desk.entra.cloud import Cloud, Desk
from innkeeper.issuer.desk.entra.devices import begin
from innkeeper.issuer.desk.entra.token import token
from innkeeper.issuer.dialects.entra import discovery
from innkeeper.issuer.dialects.entra.wire import ask_of, error_reply, json_reply, tokens_reply
from innkeeper.issuer.dialects.layout import Endpoint, Handler
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.parameters import Malformed, Parameters, parse_query
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import follow

GET = frozenset({"GET", "HEAD"})
BOTH = frozenset({"GET", "HEAD", "POST"})

Answer = Callable[[Request, str], Awaitable[Reply]]
"""What answers a request at an authority, the first part of its path."""


class Door(msgspec.Struct, frozen=True):
    """An endpoint below every tenant."""

    answer: Answer
    methods: frozenset[str]
    cors: bool = False

    def at(self, authority: str) -> Endpoint:
        async def handle(request: Request) -> Reply:
            return await self.answer(request, authority)

        return Endpoint(handle, self.methods, self.cors)


class EntraEndpoints:
    """The doors for programs, at one origin. Pages are ``pages/entra``'s, and come in as further doors."""

    def __init__(self, cloud: Cloud, device_page: str) -> None:
        self._cloud = cloud
        self._device_page = device_page

    def doors(self) -> dict[str, Door]:
        """What is below a tenant, by the rest of the path."""
        return {
            "v2.0/.well-known/openid-configuration": Door(self._document(V2), GET, cors=True),
            ".well-known/openid-configuration": Door(self._document(V1), GET, cors=True),
            "discovery/v2.0/keys": Door(self._keys(V2), GET, cors=True),
            "discovery/keys": Door(self._keys(V1), GET, cors=True),
            "discovery/instance": Door(self.instance, GET, cors=True),
            "userrealm/*": Door(self.user_realm, GET),
            "oauth2/v2.0/token": Door(self._token(V2), BOTH, cors=True),
            "oauth2/token": Door(self._token(V1), BOTH, cors=True),
            "oauth2/v2.0/devicecode": Door(self._device(V2), BOTH, cors=True),
            "oauth2/devicecode": Door(self._device(V1), BOTH, cors=True),
        }

    def fixed(self) -> dict[str, Handler]:
        """What is below no tenant."""
        return {"/metadata/endpoints": self.metadata}

    def _document(self, version: int) -> Answer:
        async def answer(request: Request, authority: str) -> Reply:
            desk, refusal = self._named(authority)
            if refusal is not None:
                return self._refused(refusal, request)
            names, home = self._cloud.names, desk or self._cloud.first
            if version == V1:
                return json_reply(discovery.version_1(authority, desk, names), headers=discovery.CACHED)
            appid = _query(request).get("appid")
            document = discovery.version_2(
                authority,
                desk,
                names,
                advertise_pkce=home.switches.advertise_pkce,
                query=f"?{urlencode({'appid': appid})}" if appid else "",
            )
            return json_reply(document, headers=discovery.CACHED)

        return answer

    def _keys(self, version: int) -> Answer:
        async def answer(request: Request, authority: str) -> Reply:
            desk, refusal = self._named(authority)
            if refusal is not None:
                return self._refused(refusal, request)
            desks = [desk] if desk else list(self._cloud)
            return json_reply(discovery.keys(authority, desks, self._cloud.names, version), headers=discovery.CACHED)

        return answer

    async def instance(self, request: Request, _: str) -> Reply:
        """Whether an authority's host is one of the cloud's."""
        endpoint = _query(request).get("authorization_endpoint", "")
        parts = urlsplit(endpoint)
        if not discovery.knows_host(parts.netloc, self._cloud.names):
            return self._refused(
                refuse(tenants.INSTANCE_UNKNOWN, "another host", found=parts.netloc, endpoint=endpoint), request
            )
        authority = parts.path.strip("/").partition("/")[0] or "common"
        found = discovery.instance(authority, parts.netloc, self._cloud.names)
        return json_reply(found, headers=discovery.CACHED)

    async def user_realm(self, request: Request, _: str) -> Reply:
        """Whose passwords are kept where: always here. Asked by MSAL Python before it sends a password."""
        username = request.path.rpartition("/")[2]
        domain = username.rpartition("@")[2]
        known = self._cloud.of_person(username) is not None
        document: dict[str, Any] = {"ver": "1.0", "account_type": "Managed" if known else "Unknown"}
        if known:
            document |= {"domain_name": domain, "cloud_instance_name": "microsoftonline.com"}
            document["cloud_audience_urn"] = "urn:federation:MicrosoftOnline"
        return json_reply(document)

    async def metadata(self, _: Request) -> Reply:
        return json_reply(discovery.resource_manager(self._cloud.names))

    def _token(self, version: int) -> Answer:
        async def answer(request: Request, authority: str) -> Reply:
            ask = ask_of(request, authority, version)
            outcome = await token(self._cloud, ask)
            if isinstance(outcome, Refusal):
                return self._refused(outcome, request, ask.sent)
            return tokens_reply(outcome, ask, request)

        return answer

    def _device(self, version: int) -> Answer:
        async def answer(request: Request, authority: str) -> Reply:
            ask = ask_of(request, authority, version)
            desk = self._cloud.find(authority)
            party = await self._cloud.party(desk, ask.get("client_id"))
            case = DeviceCase(ask, await desk.tenant() if desk else None, party)
            trail = follow("device authorization", DEVICE_CHECKS, case)
            self._cloud.observe(desk, trail)
            if trail.refusal or party is None:
                return self._refused(trail.refusal or asking.missing("client_id"), request, ask.sent)
            return await self._codes(desk or self._cloud.find(party.home) or self._cloud.first, ask)

        return answer

    async def _codes(self, desk: Desk, ask: Ask) -> Reply:
        scope = ask.get("scope") or (f"{ask.get('resource')}/.default" if ask.get("resource") else "")
        codes = await begin(desk, ask.get("client_id"), scope, ask.authority, ask.version)
        message = (
            f"To sign in, use a web browser to open the page {self._device_page} and enter the code "
            f"{codes.user_code} to authenticate."
        )
        where = "verification_url" if ask.version == V1 else "verification_uri"
        told: Callable[[int], object] = str if ask.version == V1 else int
        body = {
            "user_code": codes.user_code,
            "device_code": codes.device_code,
            where: self._device_page,
            "expires_in": told(LIFETIME),
            "interval": told(INTERVAL),
            "message": message,
        }
        return json_reply(body, headers=(("cache-control", "no-store, no-cache"),))

    def _named(self, authority: str) -> tuple[Desk | None, Refusal | None]:
        """The tenant of an address, or why there is none."""
        desk = self._cloud.find(authority)
        if desk is not None or authority in ALIASES:
            return desk, None
        page = tenants.TENANT_UNKNOWN if is_tenant_name(authority) else tenants.TENANT_MALFORMED
        return None, refuse(page, f"{authority!r} is no tenant here", found=authority, tenant=authority)

    def _refused(self, refusal: Refusal, request: Request, sent: Mapping[str, str] = {}) -> Reply:
        return error_reply(refusal, request, self._cloud.first.realm.now(), self._cloud.names.login, sent)


def _query(request: Request) -> Parameters:
    try:
        return parse_query(request.query)
    except Malformed:
        return Parameters([])


class Finder:
    """Finds what answers by the path: fixed addresses first, then tenant and door, then Graph."""

    def __init__(
        self,
        doors: Mapping[str, Door],
        fixed: Mapping[str, Endpoint],
        deep: Mapping[str, Endpoint],
        realms: Callable[[str], bool],
    ) -> None:
        """``deep`` are first parts of paths below which one handler answers everything."""
        self._doors = doors
        self._fixed = fixed
        self._deep = deep
        self._is_ours = realms

    def __call__(self, scope: Mapping[str, Any]) -> Endpoint | None:
        path = str(scope["path"])
        found = self._fixed.get(path) or self._fixed.get(path.rstrip("/"))
        if found is not None:
            return found
        first, _, rest = path[1:].partition("/")
        if first in self._deep:
            return self._deep[first]
        door = self._doors.get(rest) or self._doors.get(f"{rest.rpartition('/')[0]}/*")
        return door.at(first) if door is not None and self._is_ours(first) else None

    def paths(self) -> dict[str, frozenset[str]]:
        """What it finds, with its methods: below a tenant, at fixed addresses, and below a first part."""
        doors = {f"/{{tenant}}/{path}": one.methods for path, one in self._doors.items()}
        deep = {f"/{first}/*": one.methods for first, one in self._deep.items()}
        return doors | {path: one.methods for path, one in self._fixed.items()} | deep


def looks_like_a_tenant(authority: str) -> bool:
    """Whether a path's first part is to be answered as a tenant's, known or not."""
    return bool(authority) and authority not in _HOUSES


_HOUSES = frozenset({"hotel", "static", "tour", "_explain"})
"""First parts of paths that are the house's own."""
