"""Times and personal details as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from innkeeper.issuer.pages.speaking import language, marked, translated

WORDS = {
    "name": marked("Name"),
    "given_name": marked("Given name"),
    "middle_name": marked("Middle name"),
    "family_name": marked("Family name"),
    "nickname": marked("Nickname"),
    "preferred_username": marked("Short name"),
    "email": marked("E-mail"),
    "phone_number": marked("Telephone"),
    "address": marked("Address"),
    "birthdate": marked("Birthday"),
    "gender": marked("Gender"),
    "zoneinfo": marked("Time zone"),
    "locale": marked("Language"),
    "profile": marked("Profile"),
    "picture": marked("Picture"),
    "website": marked("Website"),
}
"""OpenID standard claims in the order and words in which they are shown; others are under their own names."""

_UNSAID = frozenset({"email_verified", "phone_number_verified", "updated_at"})


def moment(seconds: int) -> str:
    """A time for people: ``23 Nov 2026, 14:05 UTC``, or, where other words are spoken, without any: ``2026-11-23, 14:05 UTC``."""
    there = datetime.fromtimestamp(seconds, UTC)
    return f"{there:%-d %b %Y, %H:%M} UTC" if language() == "en" else f"{there:%Y-%m-%d, %H:%M} UTC"


def machine_moment(seconds: int) -> str:
    """The same for a ``datetime`` attribute."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def details(claims: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A person's claims as words and values, the known ones first."""
    known = [name for name in WORDS if name in claims]
    others = sorted(name for name in claims if name not in WORDS and name not in _UNSAID)
    return [(WORDS.get(name, name), _value(name, claims)) for name in known + others]


def _value(name: str, claims: Mapping[str, Any]) -> str:
    value = claims[name]
    if name == "address" and isinstance(value, Mapping):
        return str(value.get("formatted") or ", ".join(str(part) for part in value.values()))
    unsure = claims.get(f"{name}_verified") is False
    return translated("{value} (not confirmed)").replace("{value}", str(value)) if unsure else str(value)
