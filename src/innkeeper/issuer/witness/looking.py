"""Looking through the audit log, newest first: some lines at a time, by what they say, without reading all of it."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from innkeeper.issuer.witness.audit import chains, read_line
from innkeeper.protocol.refusals import UsageError

MOST = 200
USUAL = 50
_SEARCHED = 50_000
"""Lines that one look passes at most: what is further back takes another look, from where this one ended."""

_BLOCK = 1 << 16

FILTERS = ("outcome", "about", "refusal", "client", "subject", "by", "realm", "what")
"""Members of a line that a look can ask for."""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for: ``q`` anywhere in a line, members by what they are, times in seconds since the epoch.

    ``before`` is where the last look ended; ``line`` is one line alone, as ``serve-1.204``.
    """

    q: str = ""
    outcome: str = ""
    about: str = ""
    refusal: str = ""
    client: str = ""
    subject: str = ""
    by: str = ""
    realm: str = ""
    what: str = ""
    since: int = 0
    until: int = 0
    before: str = ""
    limit: int = USUAL
    line: str = ""


def look(folder: Path, query: Mapping[str, str]) -> dict[str, Any]:
    """The newest lines that fit, and where to go on. Raises ``UsageError``."""
    asked = _asked(query)
    if asked.line:
        return _alone(folder, asked.line)
    found: list[dict[str, Any]] = []
    passed, last = 0, ""
    for place, line in _newest(folder, _place(asked.before)):
        if line.get("at", 0) < asked.since:
            return {"lines": found, "next": None, "searched": passed}
        passed += 1
        last = _spelt(place)
        if _fits(line, asked):
            found.append(line)
        if len(found) == asked.limit or passed == _SEARCHED:
            return {"lines": found, "next": last, "searched": passed}
    return {"lines": found, "next": None, "searched": passed}


def _alone(folder: Path, name: str) -> dict[str, Any]:
    chain, _, number = name.rpartition(".")
    if not (chain and number.isascii() and number.isdigit()):
        raise UsageError(f"line {name!r}: write the chain and the number of the line, as serve-1.204")
    lines = (line for file in reversed(chains(folder).get(chain, [])) for line in _backwards(file))
    found = next((line for line in lines if line.get("n") == int(number)), None)
    return {"lines": [_named(chain, found)] if found else [], "next": None, "searched": 1}


Place = tuple[int, str, int]
"""Where a line stands among all: its time, its chain, its number there."""


def _newest(folder: Path, before: Place | None) -> Iterator[tuple[Place, dict[str, Any]]]:
    merged = heapq.merge(*(_chain(name, files) for name, files in chains(folder).items()), reverse=True, key=_first)
    return ((place, line) for place, line in merged if before is None or place < before)


def _first(placed: tuple[Place, dict[str, Any]]) -> Place:
    return placed[0]


def _chain(name: str, files: list[Path]) -> Iterator[tuple[Place, dict[str, Any]]]:
    for file in reversed(files):
        for line in _backwards(file):
            yield (int(line.get("at", 0)), name, int(line.get("n", 0))), _named(name, line)


def _named(chain: str, line: dict[str, Any]) -> dict[str, Any]:
    return {"chain": chain, **line}


def _backwards(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file, the last one first, read in blocks from its end."""
    with path.open("rb") as file:
        at, rest = file.seek(0, 2), b""
        while at > 0:
            size = min(_BLOCK, at)
            at -= size
            file.seek(at)
            first, *whole = (file.read(size) + rest).split(b"\n")
            yield from _read(reversed(whole))
            rest = first
        yield from _read([rest])


def _read(raw: Any) -> Iterator[dict[str, Any]]:
    return (line for one in raw if (line := read_line(one)) is not None)


def _fits(line: dict[str, Any], asked: Look) -> bool:
    if asked.until and line.get("at", 0) > asked.until:
        return False
    if any((wanted := getattr(asked, name)) and line.get(name, "") != wanted for name in FILTERS):
        return False
    return not asked.q or asked.q.casefold() in msgspec.json.encode(line).decode().casefold()


def _asked(query: Mapping[str, str]) -> Look:
    for name in query:
        if name not in Look.__struct_fields__:
            raise UsageError(f"no filter {name!r} here; there are {', '.join(Look.__struct_fields__)}")
    try:
        asked = msgspec.convert(dict(query), Look, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(str(error)) from None
    if not 1 <= asked.limit <= MOST:
        raise UsageError(f"limit {asked.limit}: from 1 to {MOST} lines come at a time")
    return asked


def _spelt(place: Place) -> str:
    return f"{place[0]}.{place[2]}.{place[1]}"


def _place(text: str) -> Place | None:
    if not text:
        return None
    at, _, rest = text.partition(".")
    number, _, chain = rest.partition(".")
    if not (at.isdigit() and number.isdigit() and chain):
        raise UsageError(f"before {text!r}: take it from `next` of the last answer")
    return int(at), chain, int(number)
