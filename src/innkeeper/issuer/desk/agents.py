"""Agents at work: who owns which, whether one may act for somebody, and what each did for whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from innkeeper.issuer.core.agents import Hop, stopped
from innkeeper.issuer.core.client_document import is_address
from innkeeper.issuer.core.effects import DropEntry, Effect, Lost, PutEntry, TakeBackConsent
from innkeeper.issuer.core.records import REVOKED, Client, Status
from innkeeper.issuer.core.token import Issue
from innkeeper.issuer.desk.realm import Realm, digest
from innkeeper.issuer.store.port import RealmStore
from innkeeper.protocol.refusals import Refusal, UsageError

OWNED = "agent of a person"
TAKEN = "agent taken back"
ACT = "act of an agent"

ACTS_KEPT = 30 * 86400
"""Seconds that people are shown what an agent did for them."""

_HOUR = 3600
_ALWAYS = 253_402_300_799
_MOST_SHOWN = 5


class Act(msgspec.Struct, frozen=True):
    """That an agent was given something in a person's name: the first such time in an hour. ``through`` are those who act
    before it, the nearest to the person last."""

    agent: str
    at: int
    scopes: frozenset[str]
    audience: tuple[str, ...]
    through: tuple[str, ...] = ()


class Acting(msgspec.Struct, frozen=True):
    """One who acts, or acted, for a person: what it did lately, the newest first, and when it was taken back."""

    id: str
    client: Client | None
    acts: Sequence[Act]
    taken_back: int = 0


async def note_owner(store: RealmStore, client_id: str, sub: str) -> None:
    """Remember whose an agent is, so that its owner finds it."""
    effect = ownership(client_id, sub)
    if await store.entry(OWNED, effect.key) is None:
        await store.commit((effect,))


def ownership(client_id: str, sub: str) -> PutEntry:
    """The note of whose a new agent is."""
    return PutEntry(OWNED, _of(sub, client_id), b"", _ALWAYS)


async def known_agent(realm: Realm, agent_id: str) -> Client:
    """The agent by that id. Raises ``UsageError``."""
    client = await realm.store.client(agent_id)
    if client is None or client.agent is None:
        raise UsageError(f"no agent {agent_id!r}; `innkeeper agent list` shows them")
    return client


async def set_status(realm: Realm, agent_id: str, status: Status) -> Client:
    """Pause, resume or revoke an agent. Raises ``UsageError`` for one that was revoked: that is for good."""
    changed = with_status(realm, await known_agent(realm, agent_id), status)
    await realm.store.put_client(changed)
    realm.forget_client(agent_id)
    return changed


def with_status(realm: Realm, client: Client, status: Status) -> Client:
    """The agent as it is from now on. Raises ``UsageError`` for one that was revoked: that is for good."""
    if client.agent is None or (client.agent.status == REVOKED and status != REVOKED):
        raise UsageError(f"the agent {client.id!r} was revoked, which is for good; add a new one")
    agent = msgspec.structs.replace(client.agent, status=status, since=realm.now())
    return msgspec.structs.replace(client, agent=agent)


async def owned(realm: Realm, sub: str) -> list[Client]:
    """The agents for which a person answers."""
    entries = await realm.store.entries(OWNED, _of(sub, ""))
    found = [await realm.client(one.key.partition("/")[2]) for one in entries]
    return [one for one in found if one is not None and one.agent is not None and one.agent.owner == sub]


async def hops(realm: Realm, sub: str, ids: Iterable[str]) -> tuple[Hop, ...]:
    """Those who act for a person, each as it stands with its owner and with the person."""
    return tuple([await _hop(realm, sub, one) for one in dict.fromkeys(ids)])


async def stop(realm: Realm, claims: Mapping[str, Any], sub: str) -> Refusal | None:
    """Why an access token counts for nothing although it is genuine: an agent behind it may not act any more."""
    client = await registered(realm, str(claims.get("client_id")))
    acting = list(actors(claims.get("act")))
    if client is not None and client.agent is not None:
        acting.append(client.id)
    return stopped(await hops(realm, sub, acting)) if acting else None


async def registered(realm: Realm, client_id: str) -> Client | None:
    """The client that was registered here by that id. One that is known by its own document is never an agent, and nobody
    fetches that to look at a token."""
    return None if is_address(client_id) else await realm.client(client_id)


async def owner_is_gone(realm: Realm, client: Client) -> bool:
    """Whether nobody answers for an agent any more; never for another client."""
    if client.agent is None:
        return False
    owner = await realm.store.person(client.agent.owner)
    return owner is None or owner.disabled


def actors(chain: object) -> Iterator[str]:
    """Those who act by an ``act`` claim, the one who acts now first."""
    while isinstance(chain, dict):
        yield str(chain.get("sub", ""))
        chain = chain.get("act")


async def remember_act(realm: Realm, issue: Issue) -> None:
    """Keep what an agent was given in somebody's name, once an hour for the same."""
    agent, *through = actors(issue.actor)
    now = realm.now()
    act = Act(agent, now, issue.scopes, issue.audience, tuple(through))
    same = digest("|".join(" ".join(one) for one in (sorted(issue.scopes), issue.audience, through))).hex()[:16]
    key = f"{_of(issue.subject, agent)}/{now // _HOUR}-{same}"
    if await realm.store.entry(ACT, key) is not None:
        return
    try:
        await realm.store.commit((PutEntry(ACT, key, msgspec.msgpack.encode(act), now + ACTS_KEPT),))
    except Lost:
        return  # Another request has noted it at the same time.


async def acting(realm: Realm, sub: str) -> list[Acting]:
    """All who acted for a person lately or were taken back by them, the latest first."""
    entries = await realm.store.entries(ACT, _of(sub, ""))
    acts = sorted((_read(one.record) for one in entries if one.expires_at > realm.now()), key=lambda one: -one.at)
    taken = {
        one.key.partition("/")[2]: _read_time(one.record) for one in await realm.store.entries(TAKEN, _of(sub, ""))
    }
    ids = dict.fromkeys([*(one.agent for one in acts), *taken])
    return [
        Acting(one, await realm.client(one), [act for act in acts if act.agent == one][:_MOST_SHOWN], taken.get(one, 0))
        for one in ids
    ]


async def take_back(realm: Realm, sub: str, agent_id: str) -> None:
    """Let an agent act for a person no more; what they allowed it themselves ends with it."""
    now, key = realm.now(), _of(sub, agent_id)
    effects: list[Effect] = [TakeBackConsent(sub, agent_id, now)]
    if await realm.store.entry(TAKEN, key) is None:
        effects.append(PutEntry(TAKEN, key, msgspec.msgpack.encode(now), _ALWAYS))
    try:
        await realm.store.commit(effects)
    except Lost:
        await take_back(realm, sub, agent_id)


async def let_act(realm: Realm, sub: str, agent_id: str) -> None:
    """Take that back."""
    entry = await realm.store.entry(TAKEN, _of(sub, agent_id))
    if entry is None:
        return
    try:
        await realm.store.commit((DropEntry(TAKEN, entry.key, entry.version),))
    except Lost:
        return  # It was dropped at the same time.


async def _hop(realm: Realm, sub: str, client_id: str) -> Hop:
    client = await registered(realm, client_id)
    entry = await realm.store.entry(TAKEN, _of(sub, client_id))
    gone = await owner_is_gone(realm, client) if client else False
    return Hop(client_id, client, gone, _read_time(entry.record) if entry else 0)


_read = msgspec.msgpack.Decoder(Act).decode
_read_time = msgspec.msgpack.Decoder(int).decode


def _of(sub: str, client_id: str) -> str:
    return f"{digest(sub).hex()}/{client_id}"
