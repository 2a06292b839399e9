"""What a request needs of the token it brings, beyond that the token is good: scopes, roles, a recent sign-in and more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec

from innkeeper.protocol.refusals import UsageError
from innkeeper.protocol.values import Value

Caller = Literal["anyone", "person", "machine"]


class Needs(Value, frozen=True, gc=False):
    """All of these, whatever is given: every scope, role, group and detail; one of the levels in ``acr``; a sign-in at
    most ``max_age`` seconds ago; a person or a machine.

    A detail (RFC 9396) is granted where one in the token has its type and, for each of its fields, the same value or
    a list that holds it.
    """

    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    details: tuple[Mapping[str, Any], ...] = ()
    acr: tuple[str, ...] = ()
    max_age: int | None = None
    caller: Caller = "anyone"
    is_plain: bool = True
    """Whether scopes are all that is needed; told from the others, whatever is given."""

    def __post_init__(self) -> None:
        more = self.acr or self.roles or self.groups or self.details
        is_plain = self.caller == "anyone" and self.max_age is None and not more
        msgspec.structs.force_setattr(self, "is_plain", is_plain)

    def and_also(self, other: Needs) -> Needs:
        """Both at once. Of two lists of levels, those in both count; raises ``UsageError`` where there is none."""
        acr = tuple(one for one in self.acr if one in other.acr) if self.acr and other.acr else self.acr or other.acr
        callers = {self.caller, other.caller} - {"anyone"}
        if (self.acr and other.acr and not acr) or len(callers) > 1:
            raise UsageError("two needs that nobody can meet at once: no level is in both, or a person and a machine")
        ages = [one.max_age for one in (self, other) if one.max_age is not None]
        return Needs(
            self.scopes | other.scopes,
            self.roles | other.roles,
            self.groups | other.groups,
            (*self.details, *other.details),
            acr,
            min(ages, default=None),
            callers.pop() if callers else "anyone",
        )


NOTHING = Needs()
OFFLINE = "offline_access"


def need(
    *scopes: str,
    roles: Iterable[str] = (),
    groups: Iterable[str] = (),
    details: Iterable[Mapping[str, Any]] = (),
    acr: Iterable[str] = (),
    max_age: int | None = None,
    caller: Caller = "anyone",
) -> Needs:
    """What a route or a tool needs, such as ``need("vip:enter", acr=["mfa"], max_age=300)``. Raises ``UsageError``."""
    given = {"roles": roles, "groups": groups, "acr": acr}
    for name, value in given.items():
        if isinstance(value, str):
            raise UsageError(f"{name}: give a list, such as [{value!r}]")
    if max_age is not None and max_age < 0:
        raise UsageError(f"max_age of {max_age}: seconds since the sign-in, 0 or more")
    wanted = tuple(details)
    if any(not isinstance(one.get("type"), str) for one in wanted):
        raise UsageError("details: each names its type, such as {'type': 'room', 'number': 204}")
    for scope in scopes:
        if not scope or any(character.isspace() for character in scope):
            raise UsageError(f"scope {scope!r}: give scopes one by one, without spaces")
    refuse_offline(scopes)
    return Needs(frozenset(scopes), frozenset(roles), frozenset(groups), wanted, tuple(acr), max_age, caller)


def refuse_offline(scopes: Iterable[str]) -> None:
    """Raise ``UsageError`` where an API says that it needs tokens to be renewed: that is between client and issuer, and
    clients would ask their person for it (MCP authorization, scope selection)."""
    if OFFLINE in scopes:
        raise UsageError(
            f"scope {OFFLINE!r} is the issuer's own: leave it out, and clients that renew tokens ask for it"
        )


def as_needs(given: Needs | Iterable[str]) -> Needs:
    """Scopes alone, or all that is needed, as one value."""
    if isinstance(given, Needs):
        return given
    return _of_scopes(given if type(given) is frozenset else frozenset(given))


@lru_cache(maxsize=256)
def _of_scopes(scopes: frozenset[str]) -> Needs:
    """An API asks for few sets of scopes, again and again."""
    return Needs(scopes) if scopes else NOTHING


def together(needed: Iterable[str | Needs]) -> Needs:
    """Scopes one by one, and whatever else is needed, as one value."""
    found = NOTHING
    for one in needed:
        found = found.and_also(need(one) if isinstance(one, str) else one)
    return found
