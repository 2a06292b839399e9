"""What is to be beside what is: compared, told as a plan, made, changed and taken away, one part after the other.

A part's document is the one that the cloud's API takes. Only what is asked for is compared: what somebody set beside it
in the console is let be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

Document = Mapping[str, Any]
Action = Literal["make", "change", "replace", "keep", "remove"]

SIGNS: Mapping[Action, str] = {"make": "+", "change": "~", "replace": "±", "keep": "=", "remove": "-"}


class Part(Protocol):
    """One thing in a cloud. ``final`` names members that cannot change: where one differs it is made anew."""

    kind: str
    name: str
    final: frozenset[str]

    def wanted(self) -> Document:
        """What it is to be."""

    def find(self) -> Document | None:
        """What it is; None where it is not there."""

    def make(self) -> None: ...

    def change(self, found: Document) -> None: ...

    def remove(self) -> None: ...


class Difference(msgspec.Struct, frozen=True):
    """One member that is not as it is to be; None where it is missing, or is to be."""

    where: str
    found: Any
    wanted: Any


class Change(msgspec.Struct, frozen=True):
    """What is to happen to a part."""

    kind: str
    name: str
    action: Action
    differences: tuple[Difference, ...] = ()

    @property
    def line(self) -> str:
        return f"{SIGNS[self.action]} {self.kind} {self.name}"


def judged(part: Part) -> Change:
    """What is to happen to a part that is asked for."""
    found, wanted = part.find(), part.wanted()
    if found is None:
        return Change(part.kind, part.name, "make", tuple(_set(wanted)))
    differences = tuple(different(wanted, found))
    final = any(one.where.partition(".")[0] in part.final for one in differences)
    return Change(part.kind, part.name, "replace" if final else "change" if differences else "keep", differences)


def surveyed(parts: Iterable[Part], unwanted: Iterable[Part] = ()) -> list[Change]:
    """The plan: what would happen. Nothing is changed."""
    return [*map(judged, parts), *(Change(one.kind, one.name, "remove") for one in unwanted)]


def applied(parts: Iterable[Part], unwanted: Iterable[Part] = ()) -> Iterator[Change]:
    """Do it, part by part in their order; each change is told when it was made."""
    for part in parts:
        change = judged(part)
        if change.action == "replace":
            part.remove()
        if change.action in ("make", "replace"):
            part.make()
        elif change.action == "change":
            part.change(part.find() or {})
        yield change
    yield from removed(unwanted)


def removed(parts: Iterable[Part]) -> Iterator[Change]:
    """Take parts away, one after the other."""
    for part in parts:
        part.remove()
        yield Change(part.kind, part.name, "remove")


def different(wanted: Any, found: Any, where: str = "") -> Iterator[Difference]:
    """Where something is not as it is to be. The order of a list means nothing."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for name, value in wanted.items():
            yield from different(value, found.get(name), f"{where}.{name}" if where else name)
    elif _of_documents(wanted) and isinstance(found, Sequence):
        yield from _listed(wanted, found, where)
    elif not _same(wanted, found):
        yield Difference(where, found, wanted)


def _listed(wanted: Sequence[Document], found: Sequence[Document], where: str) -> Iterator[Difference]:
    """Documents in lists are told apart by their names."""
    there = {_name_of(one): one for one in found}
    for one in wanted:
        name = _name_of(one)
        if name in there:
            yield from different(one, there.pop(name), f"{where}[{name}]")
        else:
            yield Difference(f"{where}[{name}]", None, "added")
    yield from (Difference(f"{where}[{name}]", "is there", None) for name in there)


_NAMES = ("value", "ScopeName", "Name", "resourceAppId", "id")


def _name_of(document: Document) -> str:
    return next((str(document[name]) for name in _NAMES if document.get(name)), str(document))


def _of_documents(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(isinstance(one, Mapping) for one in value)


def _same(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, (list, tuple)):
        return sorted(map(str, wanted)) == sorted(map(str, found or ()))
    return bool(wanted == found or (not wanted and not found and wanted is not False and wanted != 0))


def _set(wanted: Any, where: str = "") -> Iterator[Difference]:
    """Every leaf of a document that is to be made."""
    if isinstance(wanted, Mapping) and wanted:
        for name, value in wanted.items():
            yield from _set(value, f"{where}.{name}" if where else name)
    elif _of_documents(wanted):
        yield Difference(where, None, [_name_of(one) for one in wanted])
    elif wanted not in (None, "", (), [], {}):
        yield Difference(where, None, wanted)
