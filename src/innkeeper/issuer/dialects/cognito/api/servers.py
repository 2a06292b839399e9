"""Operations on resource servers and domains."""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core.cognito import administration as core
from innkeeper.issuer.core.cognito.known import THE_DOMAIN, THE_RESOURCE_SERVER, Named
from innkeeper.issuer.core.cognito.records import Domain, ResourceServer
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.shelf import Kept
from innkeeper.issuer.desk.cognito.twin import DOMAINS, POOLS, SERVERS, Place, there
from innkeeper.issuer.dialects.cognito.api.documents import domain_document, server_document
from innkeeper.issuer.dialects.cognito.api.operation import Input, OfPool, Operation, Output, operation
from innkeeper.issuer.dialects.cognito.api.paging import page


class Scope(Input, frozen=True, kw_only=True):
    scope_name: str
    scope_description: str


class OfServer(OfPool, frozen=True, kw_only=True):
    identifier: str


class PutResourceServer(OfServer, frozen=True, kw_only=True):
    name: str
    scopes: list[Scope] = []


async def _server(place: Place, ask: OfServer) -> Kept[ResourceServer] | None:
    pool = await place.pool(ask.user_pool_id)
    return await SERVERS.find(place.twin.account, f"{pool.pool.id}|{ask.identifier}")


async def _known(place: Place, ask: OfServer) -> Kept[ResourceServer]:
    kept = await _server(place, ask)
    demand("resource server", THE_RESOURCE_SERVER, Named(ask.identifier, kept is not None))
    return there(kept)


async def create_server(place: Place, ask: PutResourceServer) -> Output:
    return await _put(place, ask, await _server(place, ask), new=True)


async def update_server(place: Place, ask: PutResourceServer) -> Output:
    return await _put(place, ask, await _known(place, ask), new=False)


async def _put(place: Place, ask: PutResourceServer, kept: Kept[ResourceServer] | None, *, new: bool) -> Output:
    names = tuple(one.scope_name for one in ask.scopes)
    taken = new and kept is not None
    demand("resource server", core.SERVER_CHECKS, core.ServerCase(ask.user_pool_id, ask.identifier, names, taken))
    scopes = {one.scope_name: one.scope_description for one in ask.scopes}
    server = ResourceServer(pool_id=ask.user_pool_id, identifier=ask.identifier, name=ask.name, scopes=scopes)
    record = SERVERS.put(f"{ask.user_pool_id}|{ask.identifier}", server, kept.version if kept else 0)
    await place.twin.account.commit((record,))
    return {"ResourceServer": server_document(server)}


async def describe_server(place: Place, ask: OfServer) -> Output:
    return {"ResourceServer": server_document((await _known(place, ask)).record)}


async def delete_server(place: Place, ask: OfServer) -> Output:
    await place.twin.account.commit((SERVERS.drop(await _known(place, ask)),))
    return {}


class ListResourceServers(OfPool, frozen=True, kw_only=True):
    max_results: int = 0
    next_token: str | None = None


async def list_servers(place: Place, ask: ListResourceServers) -> Output:
    servers = await (await place.pool(ask.user_pool_id)).servers()
    shown, more = page(servers, lambda one: one.identifier, ask.max_results, 50, ask.next_token)
    return {"ResourceServers": [server_document(one) for one in shown], **({"NextToken": more} if more else {})}


class OfDomain(Input, frozen=True, kw_only=True):
    domain: str


class DomainOfPool(OfDomain, frozen=True, kw_only=True):
    user_pool_id: str
    managed_login_version: int | None = None
    custom_domain_config: dict[str, Any] | None = None
    everything: dict[str, Any] = {}


async def create_domain(place: Place, ask: DomainOfPool) -> Output:
    pool = await place.pool(ask.user_pool_id)
    taken = await DOMAINS.find(place.twin.account, ask.domain)
    own_host = ask.custom_domain_config is not None
    demand("domain", core.DOMAIN_CHECKS, core.DomainCase(ask.domain, own_host, taken is not None, pool.pool))
    domain = Domain(name=ask.domain, pool_id=pool.pool.id, version=str(place.twin.now()), said=ask.everything)
    named = msgspec.structs.replace(pool.pool, domain=ask.domain)
    records = (DOMAINS.put(ask.domain, domain), POOLS.put(named.id, named, pool.kept.version))
    await place.twin.account.commit(records)
    return _answer(domain)


def _answer(domain: Domain) -> Output:
    front = {"CloudFrontDomain": f"{domain.version}.cloudfront.net"} if domain.said.get("CustomDomainConfig") else {}
    return {"ManagedLoginVersion": domain.said.get("ManagedLoginVersion") or 1, **front}


async def describe_domain(place: Place, ask: OfDomain) -> Output:
    """An unknown domain is no error: its description is empty."""
    kept = await DOMAINS.find(place.twin.account, ask.domain)
    return {"DomainDescription": domain_document(place, kept.record) if kept else {}}


async def _domain_of(place: Place, ask: DomainOfPool) -> Kept[Domain]:
    await place.pool(ask.user_pool_id)
    kept = await DOMAINS.find(place.twin.account, ask.domain)
    mine = kept is not None and kept.record.pool_id == ask.user_pool_id
    demand("domain", THE_DOMAIN, Named(ask.domain, mine))
    return there(kept)


async def update_domain(place: Place, ask: DomainOfPool) -> Output:
    kept = await _domain_of(place, ask)
    changed = msgspec.structs.replace(kept.record, said=ask.everything)
    await place.twin.account.commit((DOMAINS.put(kept.key, changed, kept.version),))
    return _answer(changed)


async def delete_domain(place: Place, ask: DomainOfPool) -> Output:
    kept, pool = await _domain_of(place, ask), await place.pool(ask.user_pool_id)
    without = msgspec.structs.replace(pool.pool, domain="")
    await place.twin.account.commit((DOMAINS.drop(kept), POOLS.put(without.id, without, pool.kept.version)))
    return {}


OPERATIONS: dict[str, Operation] = {
    "CreateResourceServer": operation(PutResourceServer, create_server),
    "DescribeResourceServer": operation(OfServer, describe_server),
    "UpdateResourceServer": operation(PutResourceServer, update_server),
    "DeleteResourceServer": operation(OfServer, delete_server),
    "ListResourceServers": operation(ListResourceServers, list_servers),
    "CreateUserPoolDomain": operation(DomainOfPool, create_domain),
    "DescribeUserPoolDomain": operation(OfDomain, describe_domain),
    "UpdateUserPoolDomain": operation(DomainOfPool, update_domain),
    "DeleteUserPoolDomain": operation(DomainOfPool, delete_domain),
}
