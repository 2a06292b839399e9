"""Everything that administrators can change: one table for the admin API's routes, the console's forms and the commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from innkeeper.issuer.core.admin.plan import Plan
from innkeeper.issuer.desk.admin import agents, clients, keys, people, policies, resources
from innkeeper.issuer.desk.admin.house import House
from innkeeper.issuer.desk.registry import NewClient

Planner = Callable[[House, str, Any], Awaitable[Plan]]


class Nothing(msgspec.Struct, frozen=True):
    """A change that takes no values."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """A change: its name, the permission it needs, what it takes, how it is planned.

    ``method`` and ``path`` are where the admin API takes it, below its own address; what stands in braces is the key.
    ``does`` says it in a sentence; ``grave`` that it cannot be taken back, or ends something for people.
    """

    name: str
    permission: str
    method: str
    path: str
    takes: type[msgspec.Struct]
    plan: Planner
    does: str
    grave: bool = False

    @property
    def kind(self) -> str:
        """The kind of thing that it changes."""
        return self.name.partition(".")[0]

    @property
    def makes(self) -> bool:
        """Whether it makes something that is not there yet."""
        return self.name.endswith(".add") or self.name in ("client.invite", "key.rotate")


def _action(name: str, permission: str, where: str, takes: type[msgspec.Struct], plan: Planner, does: str) -> Action:
    method, _, path = where.partition(" ")
    return Action(
        name=name,
        permission=f"admin:{permission}:write",
        method=method,
        path=path,
        takes=takes,
        plan=plan,
        does=does,
        grave=name in _GRAVE,
    )


_GRAVE = {
    "client.remove", "client.rotate-secret", "person.lock", "person.reset-factors", "person.erase",
    "resource.remove", "key.revoke", "agent.revoke",
}  # fmt: skip

_CLIENTS = (
    _action("client.add", "clients", "POST /clients", NewClient, clients.add, "Register a client"),
    _action("client.change", "clients", "PATCH /clients/{id}", clients.ClientChange, clients.change, "Change a client"),
    _action(
        "client.rotate-secret", "clients", "POST /clients/{id}/secret", clients.NewSecret, clients.rotate,
        "Give a client a new secret",
    ),
    _action("client.remove", "clients", "DELETE /clients/{id}", Nothing, clients.remove, "Remove a client"),
    _action(
        "client.invite", "clients", "POST /invitations", clients.Invitation, clients.invite,
        "Make an initial access token, with which clients register themselves",
    ),
)  # fmt: skip

_PEOPLE = (
    _action("person.add", "people", "POST /people", people.NewPerson, people.add, "Make an account"),
    _action("person.change", "people", "PATCH /people/{id}", people.PersonChange, people.change, "Change a person"),
    _action(
        "person.password", "people", "POST /people/{id}/password", people.NewPassword, people.password,
        "Set somebody's password",
    ),
    _action("person.lock", "people", "POST /people/{id}/lock", Nothing, people.lock, "Lock an account"),
    _action("person.unlock", "people", "POST /people/{id}/unlock", Nothing, people.unlock, "Unlock an account"),
    _action(
        "person.reset-factors", "people", "POST /people/{id}/reset-factors", Nothing, people.reset_factors,
        "Take somebody's second factors and passkeys away",
    ),
    _action(
        "person.sign-out", "people", "POST /people/{id}/sign-out", Nothing, people.sign_out,
        "Sign somebody out everywhere",
    ),
    _action("person.erase", "people", "DELETE /people/{id}", Nothing, people.erase, "Erase a person"),
)  # fmt: skip

_AGENTS = (
    _action("agent.add", "agents", "POST /agents", agents.NewAgent, agents.add, "Add an agent"),
    _action("agent.pause", "agents", "POST /agents/{id}/pause", Nothing, agents.pause, "Pause an agent"),
    _action("agent.resume", "agents", "POST /agents/{id}/resume", Nothing, agents.resume, "Let an agent act again"),
    _action("agent.revoke", "agents", "POST /agents/{id}/revoke", Nothing, agents.revoke, "Revoke an agent for good"),
)

_RESOURCES = (
    _action(
        "resource.add", "resources", "POST /resources", resources.NewResource, resources.add, "Register a resource"
    ),
    _action(
        "resource.change", "resources", "PATCH /resources/{id}", resources.ResourceChange, resources.change,
        "Change a resource and its scopes",
    ),
    _action("resource.remove", "resources", "DELETE /resources/{id}", Nothing, resources.remove, "Remove a resource"),
)  # fmt: skip

_KEYS = (
    _action("key.rotate", "keys", "POST /realms/{id}/keys", keys.NewKey, keys.rotate, "Make a new key"),
    _action(
        "key.retire", "keys", "POST /realms/{id}/keys/{kid}/retire", Nothing, keys.retire, "Have a key sign no more"
    ),
    _action(
        "key.revoke", "keys", "POST /realms/{id}/keys/{kid}/revoke", Nothing, keys.revoke,
        "Withdraw a key at once, with every token that it signed",
    ),
)  # fmt: skip

_POLICIES = (
    _action("policy.change", "policies", "PATCH /policy", policies.RulesChange, policies.change, "Change rules"),
)

ACTIONS: dict[str, Action] = {one.name: one for one in (*_CLIENTS, *_AGENTS, *_PEOPLE, *_RESOURCES, *_KEYS, *_POLICIES)}
"""Every change by its name, in the order in which they are shown."""
