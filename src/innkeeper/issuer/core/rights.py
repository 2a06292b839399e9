"""What an agent may do in somebody's name: where the agent's rights, the person's and the request's meet.

Nothing is ever added. What a resource marks as in need of approval is left out unless it is asked for by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from innkeeper.issuer.core.policy import OPENID_SCOPES, Policy
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.core.scopes import Reach, narrow, resources_of


def ceiling(client: Client, policy: Policy) -> Reach:
    """The most that a client is ever given in somebody's name. Working while they are away is not passed on."""
    return Reach(client.scopes - {"offline_access"}, (*resources_of(client, policy), policy.issuer))


def effective(
    person: Reach, agent: Reach, asked: frozenset[str], targets: Sequence[str], policy: Policy, *, alone: bool = False
) -> Reach:
    """Agent ∩ person ∩ request. ``asked`` and ``targets`` empty mean all that is left; ``alone``: nobody new acts, so that
    nothing needs approval. The issuer, who tells of a person, is in the audience only with ``openid``."""
    both = Reach(person.scopes & agent.scopes, tuple(one for one in person.audience if one in agent.audience))
    opened = narrow(asked, targets, both, policy)
    there = frozenset().union(*(policy.resources[uri].scopes for uri in opened.audience if uri in policy.resources))
    risky = frozenset() if alone else policy.risky(opened.audience) - asked
    scopes = frozenset(one for one in opened.scopes if one in OPENID_SCOPES or one in there) - risky
    told = "openid" in scopes or policy.issuer in targets
    apis = tuple(one for one in opened.audience if one != policy.issuer)
    return Reach(scopes, opened.audience if told or not apis else apis)


def unapproved(opened: Reach, details: Iterable[dict[str, Any]], policy: Policy) -> tuple[str, ...]:
    """The scopes, and the types of details, among these with which nobody acts before the person said yes."""
    kinds = policy.risky_details()
    types = {str(one.get("type")) for one in details}
    return (*sorted(opened.scopes & policy.risky(opened.audience)), *sorted(types & kinds))
