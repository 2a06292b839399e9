"""Everything that administrators can look at: one table for the admin API's routes and the console's pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from innkeeper.issuer.core.admin.permissions import ROLES
from innkeeper.issuer.core.admin.plan import Sentence
from innkeeper.issuer.core.admin.rules import OVERRIDES, SAYS, rules_of
from innkeeper.issuer.core.effects import CLIENT, KEY, PERSON, RESOURCE
from innkeeper.issuer.desk.admin.agents import known
from innkeeper.issuer.desk.admin.house import House, Missing
from innkeeper.issuer.desk.admin.policies import version_now
from innkeeper.issuer.desk.admin.showing import (
    agent_document,
    client_document,
    key_document,
    person_document,
    person_record,
    realm_document,
    resource_document,
    rules_document,
)
from innkeeper.issuer.desk.factors import factors_of
from innkeeper.issuer.desk.key_care import known_key
from innkeeper.issuer.desk.open_sessions import places
from innkeeper.protocol.refusals import UsageError

MOST, USUAL = 200, 50
"""Things that come at a time."""


class Answer(msgspec.Struct, frozen=True):
    """What was found, and where it is one thing, its version. ``notices`` are the document's, as pages say them."""

    document: Mapping[str, Any]
    version: str = ""
    notices: tuple[Sentence, ...] = ()


Look = Callable[[House, str, Mapping[str, str]], Awaitable[Answer]]


class Reading(msgspec.Struct, frozen=True):
    """Something to look at: its name, the permission it needs, the path in the admin API, how it is found. ``filters`` are
    what its query may hold."""

    name: str
    permission: str
    path: str
    look: Look
    says: str
    filters: tuple[str, ...] = ()


async def clients(house: House, _: str, query: Mapping[str, str]) -> Answer:
    kinds = {"public": True, "confidential": False}
    kind = _chosen("kind", query, kinds)
    found = [
        client_document(one)
        for one in await house.realm.store.clients()
        if _has(query, one.id, one.name) and (kind is None or one.public == kinds[kind])
    ]
    return Answer(_page(found, "id", query))


async def client(house: House, key: str, _: Mapping[str, str]) -> Answer:
    found = await house.realm.store.client(key)
    if found is None:
        raise Missing(f"no client {key!r}")
    return Answer(client_document(found), (await house.seen(CLIENT, key)).version)


async def agents(house: House, _: str, query: Mapping[str, str]) -> Answer:
    states = ("active", "paused", "revoked")
    state = _chosen("state", query, states)
    found = [
        agent_document(one)
        for one in await house.realm.store.clients()
        if one.agent is not None
        and _has(query, one.id, one.name, one.agent.purpose, one.agent.owner)
        and state in (None, one.agent.status)
    ]
    return Answer(_page(found, "id", query))


async def agent(house: House, key: str, _: Mapping[str, str]) -> Answer:
    found = await known(house, key)
    return Answer(agent_document(found), (await house.seen(CLIENT, key)).version)


async def people(house: House, _: str, query: Mapping[str, str]) -> Answer:
    states = {"open": False, "locked": True}
    state, role = _chosen("state", query, states), query.get("role", "")
    found = [
        person_record(one)
        for one in await house.realm.store.people()
        if _has(query, one.sub, one.username, str(one.claims.get("name", "")), str(one.claims.get("email", "")))
        and (state is None or one.disabled == states[state])
        and (not role or role in one.roles)
    ]
    return Answer(_page(found, "sub", query))


async def person(house: House, key: str, _: Mapping[str, str]) -> Answer:
    found = await house.realm.store.person(key)
    if found is None:
        raise Missing(f"nobody has the id {key!r}")
    signed_in = [
        {"browser": one.browser, "since": one.opened_at, "used_at": one.used_at, "acr": one.acr}
        for one in await places(house.realm, key)
    ]
    document = {**await person_document(house.realm, found), "signed_in": signed_in}
    return Answer(document, (await house.seen(PERSON, key)).version)


async def resources(house: House, _: str, query: Mapping[str, str]) -> Answer:
    known = house.realm.policy.resources.values()
    found = [resource_document(one) for one in known if _has(query, one.uri, one.name, *one.scopes)]
    return Answer(_page(found, "uri", query))


async def resource(house: House, key: str, _: Mapping[str, str]) -> Answer:
    found = house.realm.policy.resources.get(key)
    if found is None:
        raise Missing(f"no resource {key!r}")
    record = await house.realm.store.record(RESOURCE, key)
    return Answer(resource_document(found), house.version_of(record) if record else "")


async def realms(house: House, _: str, query: Mapping[str, str]) -> Answer:
    counted = [(one, len(await one.store.keys())) for one in house.named().values()]
    return Answer(_page([realm_document(one, keys) for one, keys in counted], "name", query))


async def realm(house: House, key: str, _: Mapping[str, str]) -> Answer:
    found = house.named().get(key)
    if found is None:
        raise Missing(f"no realm {key!r}")
    return Answer(realm_document(found, len(await found.store.keys())))


async def keys(house: House, key: str, query: Mapping[str, str]) -> Answer:
    cupboard = house.cupboard(key)
    found = sorted(await cupboard.memory.keys(), key=lambda one: (one.alg, one.purpose, -one.active_from, one.kid))
    return Answer(_page([key_document(one, cupboard.now) for one in found], "kid", query))


async def key(house: House, key: str, _: Mapping[str, str]) -> Answer:
    """A key by its realm and its id, ``native/KID``. One that was withdrawn is shown, too."""
    realm_name, kid = key.split("/", 1) if "/" in key else (key, "")
    cupboard = house.cupboard(realm_name)
    stored = await cupboard.memory.keys()
    found = next((one for one in stored if one.kid == kid), None)
    try:
        found = found or known_key(stored, kid, cupboard.now)
    except UsageError as error:
        raise Missing(str(error)) from None
    record = await cupboard.memory.record(KEY, found.kid)
    return Answer(key_document(found, cupboard.now), house.version_of(record or b""))


async def policy(house: House, _: str, __: Mapping[str, str]) -> Answer:
    """The rules as they are, what the settings say, and which of them an administrator set."""
    entry = await house.realm.store.entry(OVERRIDES, "")
    own = rules_of(entry.record if entry else b"")
    told, now = rules_document(house.realm.told), rules_document(house.realm.policy)
    rules = {
        name: {"value": now[name], "settings": told[name], "set_here": getattr(own, name) is not None, "says": says}
        for name, says in SAYS.items()
    }
    return Answer({"rules": rules}, await version_now(house))


async def audit(house: House, _: str, query: Mapping[str, str]) -> Answer:
    if house.audit is None:
        raise Missing("no audit log is kept here; the settings turn it on with [audit] enabled = true")
    return Answer(house.audit(query))


async def health(house: House, _: str, __: Mapping[str, str]) -> Answer:
    """How the server is doing, and what an administrator should look at."""
    figures = house.figures() if house.figures is not None else {}
    await house.store.version()  # raises Unreachable, which is answered 503
    notices = await _notices(house)
    said = {"status": "ready", "database": "answers", **figures, "notices": [str(one) for one in notices]}
    return Answer(said, notices=notices)


async def roles(_: House, __: str, ___: Mapping[str, str]) -> Answer:
    said = {name: {"says": one.says, "permissions": sorted(one.permissions)} for name, one in ROLES.items()}
    return Answer({"roles": said})


async def _notices(house: House) -> tuple[Sentence, ...]:
    store, now = house.realm.store, house.realm.now()
    people, clients = await store.people(), await store.clients()
    known = [one.username for one in people if one.development] + [one.id for one in clients if one.development]
    everybody = Sentence("The secrets of {names} are known to everybody.", {"names": ", ".join(known[:5])})
    administers = [one for one in people if one.roles and not one.disabled]
    alone = [one.username for one in administers if not await factors_of(house.realm, one.sub)]
    secondless = [Sentence("{who} administers with a password alone.", {"who": one}) for one in alone]
    late = [one for one in await store.keys() if one.expires_at is None and one.active_from < now - _OLD]
    old = [
        Sentence("Key {key}… ({alg}) is older than half a year.", {"key": one.kid[:12], "alg": one.alg}) for one in late
    ]
    return (*((everybody,) if known else ()), *secondless, *old)


_OLD = 183 * 86_400


def _has(query: Mapping[str, str], *texts: str) -> bool:
    wanted = query.get("q", "").casefold()
    return not wanted or any(wanted in one.casefold() for one in texts)


def _chosen(name: str, query: Mapping[str, str], among: Iterable[str]) -> str | None:
    said = query.get(name, "")
    if said and said not in among:
        raise UsageError(f"{name} {said!r}: choose from {', '.join(among)}")
    return said or None


def _page(found: Sequence[Mapping[str, Any]], key: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Some of them, from the one after ``after`` on; ``next`` is what to send as ``after`` for more."""
    limit, after = _limit(query), query.get("after", "")
    names = [str(one[key]) for one in found]
    start = names.index(after) + 1 if after in names else 0
    if after and after not in names:
        raise UsageError(f"after {after!r}: take it from `next` of the last answer; it may be gone since")
    some = found[start : start + limit]
    more = start + limit < len(found)
    return {"items": list(some), "total": len(found), "next": str(some[-1][key]) if more and some else None}


def _limit(query: Mapping[str, str]) -> int:
    said = query.get("limit", str(USUAL))
    if not (said.isascii() and said.isdigit() and 1 <= int(said) <= MOST):
        raise UsageError(f"limit {said!r}: from 1 to {MOST} come at a time")
    return int(said)


_PAGED = ("q", "after", "limit")
_LINES = (
    "q", "outcome", "about", "refusal", "client", "subject", "by", "realm", "what", "since", "until", "before", "limit",
    "line",
)  # fmt: skip

READINGS: dict[str, Reading] = {
    one.name: one
    for one in (
        Reading("clients", "admin:clients:read", "/clients", clients, "The clients", (*_PAGED, "kind")),
        Reading("client", "admin:clients:read", "/clients/{id}", client, "A client"),
        Reading("agents", "admin:agents:read", "/agents", agents, "The agents", (*_PAGED, "state")),
        Reading("agent", "admin:agents:read", "/agents/{id}", agent, "An agent"),
        Reading("people", "admin:people:read", "/people", people, "The people", (*_PAGED, "state", "role")),
        Reading("person", "admin:people:read", "/people/{id}", person, "A person"),
        Reading("resources", "admin:resources:read", "/resources", resources, "The resources", _PAGED),
        Reading("resource", "admin:resources:read", "/resources/{id}", resource, "A resource"),
        Reading("realms", "admin:realms:read", "/realms", realms, "The realms", _PAGED),
        Reading("realm", "admin:realms:read", "/realms/{id}", realm, "A realm"),
        Reading("keys", "admin:keys:read", "/realms/{id}/keys", keys, "The keys of a realm", _PAGED),
        Reading("key", "admin:keys:read", "/realms/{id}/keys/{kid}", key, "A key"),
        Reading("policy", "admin:policies:read", "/policy", policy, "The rules in force"),
        Reading("roles", "admin:people:read", "/roles", roles, "The roles there are"),
        Reading("audit", "admin:audit:read", "/audit", audit, "The audit log, newest first", _LINES),
        Reading("health", "admin:health:read", "/health", health, "How the server is doing"),
    )
}
"""Everything there is to look at, by its name."""


def judged_query(reading: Reading, query: Mapping[str, str]) -> Mapping[str, str]:
    """The same query. Raises ``UsageError`` for what this reading does not know."""
    for name in query:
        if name not in reading.filters:
            raise UsageError(f"no filter {name!r} here; there are {', '.join(reading.filters) or 'none'}")
    return query
