"""What an administrator can be allowed: permissions, which are scopes of the admin API, and roles, which are sets of them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import msgspec

from innkeeper.issuer.core.records import Resource
from innkeeper.protocol.refusals import UsageError

PERMISSIONS = {
    "admin:clients:read": "See the clients and what they may do",
    "admin:clients:write": "Add, change and remove clients",
    "admin:people:read": "See the people and where they are signed in",
    "admin:people:write": "Add, change, lock and erase people",
    "admin:agents:read": "See the agents, and who answers for them",
    "admin:agents:write": "Add, pause and revoke agents",
    "admin:resources:read": "See the resources and their scopes",
    "admin:resources:write": "Add, change and remove resources and their scopes",
    "admin:realms:read": "See the realms that are served",
    "admin:keys:read": "See the signing keys",
    "admin:keys:write": "Rotate, retire and revoke signing keys",
    "admin:policies:read": "See lifetimes and other rules",
    "admin:policies:write": "Change lifetimes and other rules",
    "admin:audit:read": "Read the log of decisions and changes",
    "admin:health:read": "See how the server is doing",
}
"""Every permission, with what it allows in a sentence for people."""

EVERYTHING = frozenset(PERMISSIONS)


class Role(msgspec.Struct, frozen=True):
    """What a person can be made: a name for a set of permissions, and what it is in words."""

    says: str
    permissions: frozenset[str]


ADMIN = "admin"

ROLES = {
    ADMIN: Role("Does everything", EVERYTHING),
    "auditor": Role("Sees everything and changes nothing", frozenset(one for one in PERMISSIONS if ":read" in one)),
    "helpdesk": Role(
        "Helps people who cannot sign in",
        frozenset({"admin:people:read", "admin:people:write", "admin:audit:read"}),
    ),
    "developer": Role(
        "Looks after clients, agents and resources",
        frozenset(
            one for one in PERMISSIONS if one.startswith(("admin:clients:", "admin:agents:", "admin:resources:"))
        ),
    ),
}
"""Every role by its name. A person may have several; a permission's own name is a role with that permission alone."""


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """Everything that somebody with these roles may do; a role that is none gives nothing."""
    sets = [ROLES[one].permissions if one in ROLES else frozenset({one}) & EVERYTHING for one in roles]
    return frozenset().union(*sets)


def known_roles(roles: Iterable[str]) -> frozenset[str]:
    """The same roles. Raises ``UsageError`` for the first that is none."""
    given = frozenset(roles)
    for one in sorted(given):
        if one not in ROLES and one not in PERMISSIONS:
            near = get_close_matches(one, [*ROLES, *PERMISSIONS], 1)
            advice = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(ROLES)}, or a permission"
            raise UsageError(f"no role {one!r}: {advice}")
    return given


def api_of(issuer: str) -> str:
    """The address of an issuer's admin API, which is the audience of its tokens."""
    return f"{issuer}/admin/api"


def admin_resource(issuer: str) -> Resource:
    """The admin API as the resource that tokens are cut for. It is there without anybody registering it."""
    return Resource(api_of(issuer), "Administration", PERMISSIONS)


def of_administration(scopes: Iterable[str]) -> frozenset[str]:
    """Those among some scopes that are permissions."""
    return EVERYTHING.intersection(scopes)
