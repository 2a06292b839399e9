"""Agents in words for people: what one is and who answers for it, and what it did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from innkeeper.issuer.core.policy import OPENID_SCOPES, Policy
from innkeeper.issuer.core.records import ACTIVE, Client
from innkeeper.issuer.desk.agents import Act
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.pages.moments import machine_moment, moment
from innkeeper.issuer.pages.speaking import marked, translated


async def about(realm: Realm, client: Client) -> dict[str, Any] | None:
    """What an agent is for and who answers for it; None for a client that is none."""
    if client.agent is None:
        return None
    owner = await realm.store.person(client.agent.owner)
    name = str(owner.claims.get("name", owner.username)) if owner else translated("nobody any more")
    status = client.agent.status
    return {"purpose": client.agent.purpose, "owner": name, "status": status, "resting": status != ACTIVE}


async def names(realm: Realm, ids: Sequence[str]) -> list[str]:
    """Those who act, by the names that people know them by."""
    found = [(one, await realm.client(one)) for one in ids]
    return [client.name if client else one for one, client in found]


async def did(realm: Realm, act: Act) -> dict[str, Any]:
    """What an agent did, as a line for people."""
    policy = realm.policy
    return {
        "at": moment(act.at),
        "machine": machine_moment(act.at),
        "what": sentences(act.scopes, policy) or [marked("Act with rights finer than scopes")],
        "where": [policy.resources[uri].name for uri in act.audience if uri in policy.resources],
        "through": await names(realm, act.through),
    }


def sentences(scopes: frozenset[str], policy: Policy) -> list[str]:
    """Scopes for people, an API's first."""
    ordered = sorted(scopes - {"openid"}, key=lambda scope: (scope in OPENID_SCOPES, scope))
    return [policy.scope_sentence(scope) for scope in ordered]
