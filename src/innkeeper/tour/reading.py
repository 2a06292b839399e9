"""A token taken apart for people: each header member and claim with its value in plain words and its sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from innkeeper.keys.jws import NotAToken
from innkeeper.tokens.acting import chain
from innkeeper.tokens.words import CLAIMS, HEADER, MOMENTS, Word
from innkeeper.tour.cards import claims_of, header_of
from innkeeper.tour.words import section_url

UNKNOWN = Word("Not a registered name: what it means is between this issuer and its readers.")


def token_document(kind: str, token: str, now: int) -> dict[str, Any]:
    """A token as data for the page: kind, raw, its three parts, header and claims explained. ``now`` in seconds."""
    try:
        header, claims = header_of(token), claims_of(token)
    except (NotAToken, msgspec.DecodeError):
        return {"kind": kind, "raw": token, "parts": [token], "header": [], "claims": [], "acting": []}
    return {
        "kind": kind,
        "raw": token,
        "parts": token.split("."),
        "header": explained(header, HEADER, now),
        "claims": explained(claims, CLAIMS, now),
        "acting": list(chain(claims)),
    }


def explained(members: Mapping[str, Any], table: Mapping[str, Word], now: int) -> list[dict[str, Any]]:
    """Members of a JSON object, each with name, value, plain words and where it is defined."""
    return [
        {"name": name, "value": shown(value), "plain": plainly(name, value, now), **described(table.get(name, UNKNOWN))}
        for name, value in members.items()
    ]


def described(word: Word) -> dict[str, str]:
    """A word as data, with the address of its section."""
    return {"says": word.says, "by": word.by, "spec": word.spec, "url": section_url(word.spec)}


def shown(value: object) -> str:
    """A JSON value as text; a string without its quotes."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def plainly(name: str, value: object, now: int) -> str:
    """What a value means, where it does not say so by itself: a moment as a date and a distance. "" otherwise."""
    if name not in MOMENTS or not isinstance(value, int) or isinstance(value, bool):
        return ""
    return f"{clock_text(value)}, {distance(value - now)}"


def clock_text(moment: int) -> str:
    """A moment as date and time in UTC."""
    try:
        return datetime.fromtimestamp(moment, UTC).strftime("%d %b %Y, %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return "no date that a calendar has"


def distance(seconds: int) -> str:
    """How far away: "in 9 min 58 s", "an hour ago"."""
    size = abs(seconds)
    units = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    parts = [f"{size // unit % limit} {name}" for (unit, name), limit in zip(units, (10**9, 24, 60, 60), strict=True)]
    told = " ".join(part for part in parts if not part.startswith("0 ")) or "0 s"
    told = " ".join(told.split(" ")[:4])
    return f"in {told}" if seconds >= 0 else f"{told} ago"


def differences(real: str, other: str) -> list[dict[str, Any]]:
    """Where another token says something else that matters than the real one: part, name, what was and what is there."""
    try:
        pairs = ((header_of(real), header_of(other), "header"), (claims_of(real), claims_of(other), "claims"))
    except (NotAToken, msgspec.DecodeError):
        return []
    return [
        {"part": part, "name": name, **_changed(name, ours.get(name, ""), theirs.get(name, ""))}
        for ours, theirs, part in pairs
        for name in _names(ours, theirs)
        if name in _TELLING and not _alike(ours.get(name), theirs.get(name))
    ]


_TELLING = frozenset({"alg", "aud", "client_id", "exp", "kid", "scope", "sub", "typ"})
"""What a door looks at. The rest differs in every two cards: their numbers, the second they were cut in."""

_MOMENT = 60


def _alike(ours: object, theirs: object) -> bool:
    if isinstance(ours, int) and isinstance(theirs, int):
        return abs(ours - theirs) < _MOMENT
    return ours == theirs


def _changed(name: str, was: object, now: object) -> dict[str, Any]:
    """Two values word by word, for a reader who looks for the one word that matters; moments as one word."""
    before, after = _words(name, was), _words(name, now)
    return {
        "was": [{"text": word, "gone": word not in after} for word in before],
        "now": [{"text": word, "new": word not in before} for word in after],
    }


def _words(name: str, value: object) -> list[str]:
    if name in MOMENTS and isinstance(value, int):
        return [clock_text(value)]
    return shown(value).split()


def _names(*members: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for one in members for name in one))
