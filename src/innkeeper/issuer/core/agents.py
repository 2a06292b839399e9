"""Agents, programs that act for people by their own judgement: who answers for one, and whether it may still act.

What an agent does goes through three hands: its owner can pause and revoke it, the person it acts for can take it back,
and whoever wrote the settings said how far it may ever go.
"""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.records import PAUSED, REVOKED, Client
from innkeeper.protocol.errors import ACCESS_DENIED, UNAUTHORIZED_CLIENT
from innkeeper.protocol.refusals import Page, Refusal


class Hop(msgspec.Struct, frozen=True):
    """One who acts for somebody. ``client`` is None where no such client is registered any more; ``owner_gone`` says that
    its owner's account is shut, ``taken_back`` when the person said that it may not act for them, 0 for never."""

    id: str
    client: Client | None
    owner_gone: bool = False
    taken_back: int = 0


def at_rest(client: Client, *, owner_gone: bool = False) -> Refusal | None:
    """Why an agent may do nothing now; None for one that is active, and for any other client."""
    agent = client.agent
    if agent is None:
        return None
    if agent.status == REVOKED:
        return Refusal(AGENT_REVOKED, f"the agent {client.id!r} was revoked", "an active agent", "revoked")
    if agent.status == PAUSED:
        hint = f"`innkeeper agent resume {client.id}` lets it act again."
        return Refusal(AGENT_PAUSED, f"the agent {client.id!r} is paused", "an active agent", "paused", hint)
    if owner_gone:
        return Refusal(NOBODY_ANSWERS, f"the owner of {client.id!r} has no open account", "an owner", "none")
    return None


def stopped(hops: tuple[Hop, ...]) -> Refusal | None:
    """The refusal for the first of those who act one behind the other that may not any more."""
    for one in hops:
        if one.taken_back:
            return Refusal(TAKEN_BACK, f"the person does not let {one.id!r} act", "their leave", "taken back")
        refusal = at_rest(one.client, owner_gone=one.owner_gone) if one.client else None
        if refusal:
            return refusal
    return None


AGENT_PAUSED = Page(
    "IK1500",
    UNAUTHORIZED_CLIENT,
    "The agent is paused",
    "The agent's owner or an operator has paused it: it gets no tokens, and those it has count for nothing where they are "
    "looked up.",
    "Resume it: `innkeeper agent resume ID`, or its owner does so on their account page.",
    "The agent is paused.",
)
AGENT_REVOKED = Page(
    "IK1501",
    UNAUTHORIZED_CLIENT,
    "The agent was revoked",
    "The agent's owner or an operator has revoked it, which cannot be undone.",
    "Add a new agent with a key of its own, if there shall be one.",
    "The agent was revoked.",
)
NOBODY_ANSWERS = Page(
    "IK1502",
    UNAUTHORIZED_CLIENT,
    "Nobody answers for the agent",
    "The account of the agent's owner was shut or removed, and an agent without an owner does nothing.",
    "Open the owner's account again, or add the agent anew with another owner.",
    "The agent may not act now.",
)
TAKEN_BACK = Page(
    "IK1503",
    ACCESS_DENIED,
    "The person took the agent back",
    "The person said on their account page that this agent may not act for them any more. What others gave it in their "
    "name, and what it gave to others, ends with that.",
    "Stop. The person can let it act again on their account page.",
    "The person does not allow this.",
)
