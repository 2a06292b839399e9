"""The claims parameter: single claims asked for by name, in the ID token or at userinfo (OpenID Connect Core §5.5)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from innkeeper.issuer.core.records import NOTHING_WANTED, Person, Wanted
from innkeeper.protocol.strict_json import NotStrict, read_object

CLAIMS_OF_SCOPE = {
    "profile": (
        "name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile",
        "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}  # fmt: skip


class Unreadable(ValueError):
    """The parameter breaks a rule; the message says which."""


def read(text: str | None) -> Wanted:
    """The parameter's value. Raises ``Unreadable``. Members that nobody here knows are ignored (§5.5)."""
    if text is None:
        return NOTHING_WANTED
    try:
        document = read_object(text.encode())
    except NotStrict as error:
        raise Unreadable(f"claims is no JSON object: {error}") from None
    return Wanted(_part(document, "id_token"), _part(document, "userinfo"))


def of(person: Person, granted: frozenset[str], named: Mapping[str, Any]) -> dict[str, Any]:
    """The person's claims that the scopes cover or that were asked for by name; what nobody filled in is left out."""
    names, said = _covered(granted), person.claims
    if named:
        names = tuple(dict.fromkeys((*names, *(name for name in named if name in _ALL))))
    return {name: said[name] for name in names if name in said}


@lru_cache(maxsize=256)
def _covered(granted: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for scope, names in CLAIMS_OF_SCOPE.items() if scope in granted for name in names)


_ALL = frozenset(name for names in CLAIMS_OF_SCOPE.values() for name in names)


def scopes_of(wanted: Wanted) -> frozenset[str]:
    """The scopes that the claims asked for by name belong to: what a person has to allow before they are told."""
    names = {*wanted.id_token, *wanted.userinfo}
    return frozenset(scope for scope, covered in CLAIMS_OF_SCOPE.items() if names.intersection(covered))


def subject_of(wanted: Wanted) -> str:
    """The one subject that the ID token may speak of, where the request names one (§5.5.1); "" for anybody."""
    how = wanted.id_token.get("sub")
    value = how.get("value") if isinstance(how, dict) else None
    return value if isinstance(value, str) else ""


def within(wanted: Wanted, allowed: frozenset[str]) -> Wanted:
    """What is asked for, without the claims of scopes that the client may not have."""
    covered = {name for scope, names in CLAIMS_OF_SCOPE.items() if scope in allowed for name in names}
    kept = covered | {"acr", "auth_time"}
    return Wanted(
        {name: how for name, how in wanted.id_token.items() if name in kept},
        {name: how for name, how in wanted.userinfo.items() if name in kept},
    )


def _part(document: Mapping[str, Any], member: str) -> dict[str, Any]:
    part = document.get(member, {})
    if not isinstance(part, dict) or not all(one is None or isinstance(one, dict) for one in part.values()):
        raise Unreadable(f"claims.{member} is no object of claim names with null or an object each")
    return part
