"""Changes to agents, planned. An agent is a client; who answers for it and whether it may act is told here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from innkeeper.issuer.core.admin.plan import Plan, Sentence
from innkeeper.issuer.core.effects import CLIENT, PutClient
from innkeeper.issuer.core.records import ACTIVE, PAUSED, REVOKED, Client, Person, Status
from innkeeper.issuer.desk import agents
from innkeeper.issuer.desk.admin.clients import planned
from innkeeper.issuer.desk.admin.house import House, Missing
from innkeeper.issuer.desk.admin.showing import agent_document
from innkeeper.issuer.desk.realm import random_value
from innkeeper.issuer.desk.registry import NewClient, as_agent, client_of
from innkeeper.protocol.refusals import UsageError


class NewAgent(msgspec.Struct, frozen=True, kw_only=True):
    """``owner`` is who answers for it, by the name they sign in with or their ``sub``; ``purpose`` a sentence for those it acts
    for; ``scopes`` are the most that it may ever do. With ``jwks`` it proves itself by a key, else by a secret."""

    name: str
    owner: str
    purpose: str
    scopes: Sequence[str]
    resources: Sequence[str] = ()
    grants: Sequence[str] = ("client_credentials", "token_exchange")
    id: str = ""
    jwks: Mapping[str, Any] | None = None


async def add(house: House, _: str, said: NewAgent) -> Plan:
    owner = await _owner(house, said.owner)
    keys = {"token_endpoint_auth_method": "private_key_jwt", "jwks": said.jwks} if said.jwks else {}
    new = as_agent(
        house.realm,
        NewClient(
            name=said.name, id=said.id, grants=said.grants, scopes=said.scopes, resources=said.resources, metadata=keys
        ),
        owner,
        said.purpose,
    )
    secret = random_value() if new.keeps_secret else None
    client = client_of(house.realm, new, secret)
    told = {"client_id": client.id, **({"client_secret": secret} if secret else {})}
    follows = (Sentence("{owner} answers for it, and finds it in their account.", {"owner": owner.username}),)
    effects = (PutClient(client), agents.ownership(client.id, owner.sub))
    return planned("agent.add", None, client, effects, told=told, follows=follows, show=agent_document)


async def pause(house: House, key: str, _: object) -> Plan:
    return await _status(house, key, PAUSED, Sentence("What it was given counts for nothing until it may act again."))


async def resume(house: House, key: str, _: object) -> Plan:
    return await _status(house, key, ACTIVE, Sentence("It may act again for those who allowed it."))


async def revoke(house: House, key: str, _: object) -> Plan:
    return await _status(house, key, REVOKED, Sentence("It never acts again. This cannot be taken back."))


async def _status(house: House, key: str, status: Status, follows: Sentence) -> Plan:
    before = await known(house, key)
    seen = await house.seen(CLIENT, key)
    after = agents.with_status(house.realm, before, status)
    effects = (seen.still, PutClient(after, new=False))
    return planned(
        f"agent.{_VERBS[status]}", before, after, effects, seen.version, follows=(follows,), show=agent_document
    )


_VERBS = {PAUSED: "pause", ACTIVE: "resume", REVOKED: "revoke"}


async def known(house: House, key: str) -> Client:
    """The agent by that id. Raises ``Missing``."""
    client = await house.realm.store.client(key)
    if client is None or client.agent is None:
        raise Missing(f"no agent {key!r}; `innkeeper agent list` shows them")
    return client


async def _owner(house: House, name: str) -> Person:
    found = await house.realm.store.person_named(name) or await house.realm.store.person(name)
    if found is None:
        raise UsageError(f"nobody named {name!r} can answer for an agent; `innkeeper user list` shows who is here")
    return found
