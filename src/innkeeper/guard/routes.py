"""Which request needs what: a table of paths, read from the top."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from innkeeper.guard.needs import NOTHING, Needs, as_needs
from innkeeper.protocol.refusals import UsageError

ANYONE: Final = "anyone, without a token"
"""In the place of scopes: this path is open. A name that cannot be written by mistake."""

Needed = Needs | Iterable[str] | Literal["anyone, without a token"]


class Routes:
    """``{"GET /rooms/{n}": ["room:enter"], "/health": ANYONE, "/vip": need("vip:enter", acr=["mfa"])}``: the first that
    fits counts.

    A pattern is a path, with a method before it where it is for that one only. ``{name}`` stands for one segment,
    ``*`` at the end for all the rest. One slash at the end of a request's path makes no difference. A request that
    fits nothing needs a valid token and no particular scope.
    """

    def __init__(self, table: Mapping[str, Needed]) -> None:
        self._rows = [(_pattern(route), _needed(route, needed)) for route, needed in table.items()]

    @property
    def scopes(self) -> frozenset[str]:
        """Every scope that stands in the table."""
        return frozenset[str]().union(*(needed.scopes for _, needed in self._rows if needed is not None))

    def needed(self, method: str, path: str) -> Needs | None:
        """What a request needs; None where it needs no token at all."""
        line = f"{method} {path.rstrip('/') or '/'}"
        for pattern, needed in self._rows:
            if pattern.fullmatch(line):
                return needed
        return NOTHING


def _pattern(route: str) -> re.Pattern[str]:
    method, _, path = route.rpartition(" ")
    if not path.startswith("/") or (method and not method.isalpha()):
        raise UsageError(f"route {route!r}: write a path such as '/rooms/{{n}}', or 'GET /rooms/{{n}}'")
    if "*" in path.removesuffix("*"):
        raise UsageError(f"route {route!r}: a '*' stands at the end only; for one segment write '{{name}}'")
    parts = re.split(r"(\{\w+\})", path.removesuffix("*").rstrip("/") or "/")
    body = "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts)
    rest = r"(?:/?.*)" if path in {"/*", "*"} else r"(?:/.*)?" if path.endswith("*") else ""
    verb = re.escape(method.upper()) if method else r"[A-Za-z]+"
    return re.compile(f"{verb} {body}{rest}", re.DOTALL)


def _needed(route: str, needed: Needed) -> Needs | None:
    if needed == ANYONE:
        return None
    if isinstance(needed, str):
        raise UsageError(f"route {route!r}: give a list of scopes, such as [{needed!r}], or ANYONE")
    return as_needs(needed)
