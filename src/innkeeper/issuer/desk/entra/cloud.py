"""The tenants of the house, and who is known in them: applications by id, resources by name, people by name."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from innkeeper.issuer.core.entra.directory import Application
from innkeeper.issuer.core.entra.names import ALIASES, GRAPH_ID, GRAPH_URL, MANAGEMENT_ID, MANAGEMENT_URL, Names
from innkeeper.issuer.core.entra.parties import Party, Tenant
from innkeeper.issuer.core.entra.reach import Target
from innkeeper.issuer.core.entra.scopes import Wish
from innkeeper.issuer.core.records import Person
from innkeeper.issuer.desk.entra.books import Books
from innkeeper.issuer.desk.realm import Realm
from innkeeper.protocol import base64url
from innkeeper.tokens.trail import Trail


class Switches(msgspec.Struct, frozen=True):
    """What a twin does otherwise than the cloud does today: ``advertise_pkce`` puts S256 into the discovery document,
    ``refuse_resource`` refuses the resource parameter of version 2 as before 2026 (901002), ``strict_pkce`` takes no
    plain challenge."""

    advertise_pkce: bool = False
    refuse_resource: bool = False
    strict_pkce: bool = False


class Desk:
    """One tenant at work: its realm, its directory, its name and domains."""

    def __init__(self, realm: Realm, tenant: str, name: str, domains: tuple[str, ...], switches: Switches) -> None:
        self.realm = realm
        self.id = tenant
        self.name = name
        self.domains = domains
        self.switches = switches
        self.books = Books(realm)

    def under(self, realm: Realm) -> Desk:
        """The same tenant at another origin: the same books, another face of the realm."""
        other = copy.copy(self)
        other.realm = realm
        return other

    async def tenant(self) -> Tenant:
        """The tenant with its directory as it is now."""
        return Tenant(self.id, self.name, self.domains, (await self.books.page()).directory)

    async def person(self, username: str) -> Person | None:
        return await self.realm.store.person_named(username)

    def pairwise(self, person: str, client: str) -> str:
        """What this client knows a person by: 43 letters of base64url, for no other client the same."""
        return base64url.encode_text(self.realm.mac("entra subject", f"{person}\0{client}"))

    def names_domain(self, domain: str) -> bool:
        return domain.lower() in self.domains


class Cloud:
    """All tenants of the house, at one origin's names."""

    def __init__(self, desks: Sequence[Desk], names: Names) -> None:
        self._desks: Mapping[str, Desk] = {one.id: one for one in desks}
        self.names = names

    def at(self, names: Names) -> Cloud:
        """The same tenants under other names."""
        return Cloud(tuple(self._desks.values()), names)

    def __iter__(self) -> Iterator[Desk]:
        return iter(self._desks.values())

    @property
    def first(self) -> Desk:
        """The tenant whose pages greet at common."""
        return next(iter(self._desks.values()))

    def find(self, authority: str) -> Desk | None:
        """The tenant that the first part of an address means; None for an alias and for none of ours."""
        found = self._desks.get(authority.lower())
        return found or next((one for one in self if one.names_domain(authority)), None)

    def of_person(self, username: str) -> Desk | None:
        """The tenant that a user principal name belongs to, by its domain."""
        return self.find(username.rpartition("@")[2]) if "@" in username else None

    def observe(self, desk: Desk | None, trail: Trail) -> None:
        (desk or self.first).realm.observe(trail)

    async def party(self, desk: Desk | None, app_id: str) -> Party | None:
        """An application as a tenant sees it; at an alias, as its home does."""
        if not app_id or app_id in (GRAPH_ID, MANAGEMENT_ID):
            return None
        found = await self._registered(app_id)
        if found is None:
            return None
        home, application = found
        principal = (await (desk or home).tenant()).directory.principal(application.app_id)
        if desk is not None and desk.id != home.id and principal is None and not application.multi_tenant:
            return None
        return Party(application, principal, home.id)

    async def target(self, desk: Desk, wish: Wish) -> Target:
        """The resource that is asked for, as a tenant knows it: an application with a service principal there."""
        return Target(wish, await self.resource(desk, wish.resource))

    async def resource(self, desk: Desk, name: str) -> Party | None:
        tenant = await desk.tenant()
        called = GRAPH_URL if name.rstrip("/") in (self.names.graph, GRAPH_URL) else name
        if name.rstrip("/") in self.names.managements:
            called = MANAGEMENT_URL
        own = tenant.directory.named(called)
        home, application = (desk, own) if own else await self._elsewhere(called)
        principal = tenant.directory.principal(application.app_id) if application else None
        if application is None or principal is None:
            return None
        return Party(application, principal, home.id)

    async def _elsewhere(self, name: str) -> tuple[Desk, Application | None]:
        """An application for several tenants, wherever it is registered."""
        for one in self:
            found = (await one.tenant()).directory.named(name)
            if found is not None and found.multi_tenant:
                return one, found
        return self.first, None

    async def _registered(self, app_id: str) -> tuple[Desk, Application] | None:
        for one in self:
            found = (await one.tenant()).directory.application(app_id)
            if found is not None:
                return one, found
        return None


def is_alias(authority: str) -> bool:
    return authority in ALIASES
