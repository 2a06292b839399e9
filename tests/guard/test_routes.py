"""The table of paths and the scopes they need."""

from __future__ import annotations

import pytest

from innkeeper.guard.needs import NOTHING, need
from innkeeper.guard.routes import ANYONE, Needed, Routes
from innkeeper.protocol.refusals import UsageError

TABLE: dict[str, Needed] = {
    "/": ANYONE,
    "/health": ANYONE,
    "GET /rooms/{number}": ["room:read"],
    "/rooms/{number}": ["room:write"],
    "/rooms/{number}/keys/{key}": ["key:cut"],
    "/admin/*": ["admin", "room:write"],
    "POST /v1.0/a+b": ["odd"],
}


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("GET", "/", None),
        ("GET", "", None),
        ("GET", "/health", None),
        ("GET", "/health/", None),
        ("GET", "/healthy", []),
        ("GET", "/rooms/204", ["room:read"]),
        ("GET", "/rooms/204/", ["room:read"]),
        ("PUT", "/rooms/204", ["room:write"]),
        ("GET", "/rooms/204/keys/1", ["key:cut"]),
        ("GET", "/rooms/204/keys", []),
        ("GET", "/rooms/", []),
        ("GET", "/admin", ["admin", "room:write"]),
        ("GET", "/admin/a/b\nc", ["admin", "room:write"]),
        ("GET", "/administrator", []),
        ("POST", "/v1.0/a+b", ["odd"]),
        ("POST", "/v1x0/aab", []),
        ("GET", "/v1.0/a+b", []),
        ("GET", "/health\n/x", []),
    ],
)
def test_the_first_row_that_fits_counts(method: str, path: str, needed: list[str] | None) -> None:
    found = Routes(TABLE).needed(method, path)
    assert (found and found.scopes) == (None if needed is None else frozenset(needed))


def test_a_star_alone_stands_for_everything() -> None:
    routes = Routes({"/*": ["a"]})
    assert [routes.needed("GET", path) for path in ("/", "/x", "/x/y")] == [need("a")] * 3


def test_what_fits_nothing_needs_a_token_without_particular_scope() -> None:
    assert Routes({}).needed("GET", "/anything") == NOTHING


def test_all_scopes_can_be_listed() -> None:
    assert Routes(TABLE).scopes == {"room:read", "room:write", "key:cut", "admin", "odd"}


@pytest.mark.parametrize("route", ["rooms", "", "GET rooms", "/a/*/b", "G-T /x"])
def test_a_row_that_means_nothing_is_a_mistake_said_aloud(route: str) -> None:
    with pytest.raises(UsageError, match="route"):
        Routes({route: ["a"]})


def test_a_scope_given_as_text_is_a_mistake_said_aloud() -> None:
    with pytest.raises(UsageError, match="list of scopes"):
        Routes({"/x": "room:enter"})  # type: ignore[dict-item]
