"""Graph's door: the token is read, the call told apart, the family asked, its answer or error spelt."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from innkeeper.issuer.core.entra import graph as core
from innkeeper.issuer.core.entra.documents import Document
from innkeeper.issuer.desk.entra.books import written
from innkeeper.issuer.desk.entra.cloud import Cloud, Desk
from innkeeper.issuer.desk.entra.signing import read_graphs
from innkeeper.issuer.dialects.entra.graph import batches, expanding, odata
from innkeeper.issuer.dialects.entra.graph.applications import Applications
from innkeeper.issuer.dialects.entra.graph.deleted import ALL_WRITE, Deleted
from innkeeper.issuer.dialects.entra.graph.groups import Groups
from innkeeper.issuer.dialects.entra.graph.odata import Call, Refused
from innkeeper.issuer.dialects.entra.graph.people import People, userinfo
from innkeeper.issuer.dialects.entra.graph.permission_grants import PermissionGrants
from innkeeper.issuer.dialects.entra.graph.principals import Principals
from innkeeper.keys.ring import NotOurs
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import follow

READ = frozenset({"GET", "HEAD"})
ALL = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"})

Answer = Callable[[Call], Awaitable[Reply]]


class Family(msgspec.Struct, frozen=True):
    """What answers below one collection, and the permissions to read and to change it."""

    make: Callable[[Desk, Cloud], Answer]
    read: frozenset[str]
    write: frozenset[str]


FAMILIES: Mapping[str, Family] = {
    "applications": Family(lambda desk, _: Applications(desk).answer, core.APPLICATIONS_READ, core.APPLICATIONS_OWNED),
    "servicePrincipals": Family(
        lambda desk, cloud: Principals(desk, cloud).answer, core.APPLICATIONS_READ, core.APPLICATIONS_OWNED
    ),
    "oauth2PermissionGrants": Family(
        lambda desk, _: PermissionGrants(desk).answer, core.GRANTS_WRITE | core.DIRECTORY_READ, core.GRANTS_WRITE
    ),
    "users": Family(lambda desk, _: People(desk).answer, core.USERS_READ, core.USERS_WRITE),
    "me": Family(lambda desk, _: People(desk).answer, core.OWN_PROFILE, core.OWN_PROFILE),
    "groups": Family(lambda desk, _: Groups(desk).answer, core.GROUPS_READ, core.GROUPS_WRITE),
    "directory": Family(lambda desk, _: Deleted(desk).answer, core.APPLICATIONS_READ | core.USERS_READ, ALL_WRITE),
    "directoryObjects": Family(lambda desk, cloud: _Objects(desk, cloud).answer, core.APPLICATIONS_READ, frozenset()),
    "organization": Family(
        lambda desk, _: _Organization(desk).answer, core.OWN_PROFILE | core.APPLICATIONS_READ, frozenset()
    ),
    "domains": Family(lambda desk, _: _Organization(desk).answer, core.DIRECTORY_READ, frozenset()),
}
_GIVES_ROLES = ("appRoleAssignedTo", "appRoleAssignments")
_BATCH = "$batch"
_NAMESPACE = re.compile(r"^(?:microsoft\.)?graph\.")
_BY_KEY = re.compile(r"([A-Za-z0-9]+)(\(.+\))")


class Graph:
    """Microsoft Graph at one origin, for every tenant: the token says whose it is."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def answer(self, request: Request) -> Reply:
        """A call of ``/v1.0/…`` or ``/beta/…``."""
        version, *rest = request.path.strip("/").split("/")
        if rest == [_BATCH]:
            return await self._batch(request)
        segments = _segments(rest)
        family = FAMILIES.get(segments[0]) if segments else None
        if family is None:
            return self._refused(Refusal(core.NOT_FOUND, "no such collection", found=request.path), request)
        needs = family.read if request.method in READ else family.write
        if len(segments) > 2 and segments[2] in _GIVES_ROLES and request.method not in READ:
            needs = core.ASSIGNMENTS_WRITE
        desk, claims, refusal = self._entered(request, needs)
        if refusal is not None or desk is None:
            return self._refused(refusal or Refusal(core.TOKEN_UNREADABLE, "no tenant"), request)
        try:
            call = Call(
                request.method if request.method != "HEAD" else "GET",
                f"{self._cloud.names.graph}/{version}",
                segments,
                odata.query_of(request),
                odata.body_of(request),
                claims,
                desk.realm.now(),
            )
            return await expanding.answered(call, family.make(desk, self._cloud))
        except Refused as error:
            return self._refused(error.refusal, request)

    async def _batch(self, request: Request) -> Reply:
        """Each call in it has to be let in by itself."""
        try:
            return await batches.answered(request, self.answer)
        except Refused as error:
            return self._refused(error.refusal, request)

    async def userinfo(self, request: Request) -> Reply:
        """OpenID's userinfo, which wants a person's token for Graph."""
        desk, claims, refusal = self._entered(request, core.OWN_PROFILE)
        found = await userinfo(desk, claims, self._cloud.names.graph) if desk and refusal is None else None
        if found is None:
            return self._refused(
                refusal or Refusal(core.TOKEN_UNREADABLE, "no person, or no openid, in it"), request, 401
            )
        return odata.reply(found)

    def _entered(self, request: Request, needs: frozenset[str]) -> tuple[Desk | None, dict[str, Any], Refusal | None]:
        """The tenant and the claims of the token, or why there is no way in."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else ""
        desk, claims, problem = self._read(token)
        now = (desk or self._cloud.first).realm.now()
        case = core.Case(bool(token), claims, problem, self._cloud.names.graph, needs, now)
        trail = follow("graph", core.CHECKS, case)
        self._cloud.observe(desk, trail)
        return desk, claims, trail.refusal

    def _read(self, token: str) -> tuple[Desk | None, dict[str, Any], str]:
        problem = "it is no token of a tenant here"
        for desk in self._cloud if token else ():
            try:
                return desk, read_graphs(desk, token), ""
            except NotOurs as error:
                problem = str(error)
        return None, {}, problem

    def _refused(self, refusal: Refusal, request: Request, status: int = 0) -> Reply:
        answer = odata.refused(refusal, request, self._cloud.first.realm.now())
        return Reply(status, answer.headers, answer.body) if status else answer


def _segments(parts: list[str]) -> tuple[str, ...]:
    """The parts of a path; ``applications(appId='x')`` counts as two, and a name goes without its namespace."""
    found: list[str] = []
    for part in (_NAMESPACE.sub("", unquote(one)) for one in parts):
        by_key = _BY_KEY.fullmatch(part)
        found += [by_key[1], by_key[2]] if by_key else [part]
    return tuple(one for one in found if one)


class _Objects:
    """``/directoryObjects/{id}``: whatever has that id."""

    def __init__(self, desk: Desk, cloud: Cloud) -> None:
        self._desk = desk
        self._cloud = cloud

    async def answer(self, call: Call) -> Reply:
        key = call.segments[1] if len(call.segments) > 1 else ""
        directory = (await self._desk.books.page()).directory
        kinds: list[tuple[str, Mapping[str, object]]] = [
            ("servicePrincipal", directory.principals),
            ("application", directory.applications),
            ("group", directory.groups),
        ]
        for kind, known in kinds:
            if key in known:
                return odata.one(call, {"@odata.type": f"#microsoft.graph.{kind}", "id": key})
        if await self._desk.realm.store.person(key) is not None:
            return odata.one(call, {"@odata.type": "#microsoft.graph.user", "id": key})
        raise odata.not_found(key)


class _Organization:
    """``/organization`` and ``/domains``: the tenant itself."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def answer(self, call: Call) -> Reply:
        domains: list[Document] = [
            {
                "id": one,
                "name": one,
                "isDefault": one == self._desk.domains[-1],
                "isInitial": one == self._desk.domains[0],
            }
            for one in self._desk.domains
        ]
        if call.segments[0] == "domains":
            return odata.many(call, [{**one, "isVerified": True, "authenticationType": "Managed"} for one in domains])
        own = {"id": self._desk.id, "displayName": self._desk.name, "verifiedDomains": domains}
        return odata.many(call, [{**own, "createdDateTime": written(0), "tenantType": "AAD"}])
