"""The house that is toured: its addresses, the clients the tour may act as, and its doors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from innkeeper.client.credentials import Client, Secret
from innkeeper.client.token import Access
from innkeeper.tour import course as lessons
from innkeeper.tour.record import Place

CALLBACK = "/callback"
ANNEXE = "/tour/annexe"
"""Where the locks of former times are: they take passwords, API keys and OAuth 1.0 signatures."""

CutExpired = Callable[[Mapping[str, Any]], Awaitable[str]]
"""Given the claims of a real access token: the same card, sealed by the issuer's key, an hour too old."""


class Door(msgspec.Struct, frozen=True):
    """A door of the hotel: its path under the resource, and the scope it asks for."""

    path: str
    scope: str


DOORS: Mapping[str, Door] = MappingProxyType(
    {
        "room-305": Door("/rooms/305", "room:enter"),
        "vip": Door("/vip", "vip:enter"),
        "room-204": Door("/rooms/204", "room:enter"),
        "gym": Door("/gym", "gym:enter"),
        "pool": Door("/pool", "pool:enter"),
        "staff": Door("/staff", "room:enter"),
    }
)


class Twin(msgspec.Struct, frozen=True):
    """A realm that speaks a cloud's dialect: its ``dialect``, the ``path`` that all of it is under, and by name what
    acts need to know of it: endpoints, clients and their secrets."""

    dialect: Literal["cognito", "entra"]
    path: str
    known: Mapping[str, str]


class House(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything is. ``base_url`` is the issuer's string too, and bears no slash at its end.

    ``scopes`` is what the guest's app asks for, ``agent_scopes`` what the agent asks for; ``other_resource`` is
    another API that the issuer cuts tokens for, so that a card for the wrong hotel can be had for real. ``guest`` is
    the name and password that chapters sign in with, ``agents`` are the ids and secrets of those that act for guests one
    behind the other, ``annexe`` what its old locks know, ``twins`` the clouds' desks
    that this house has, too, and ``course`` the folder of the course's built pages, where there is one.
    """

    base_url: str
    client_id: str
    agent: tuple[str, str]
    resource: str
    other_resource: str
    scopes: tuple[str, ...]
    agent_scopes: tuple[str, ...]
    guest: tuple[str, str] = ("", "")
    agents: Mapping[str, str] = {}
    annexe: Mapping[str, str] = {}
    twins: tuple[Twin, ...] = ()
    course: Path | None = None

    @property
    def app(self) -> Client:
        """The guest's app: a public client."""
        return Client(self.client_id)

    @property
    def concierge(self) -> Client:
        """The agent: a client with a secret."""
        return Client(self.agent[0], Secret(self.agent[1]))

    @property
    def redirect_uri(self) -> str:
        return self.base_url + CALLBACK

    def guest_access(self) -> Access:
        return Access(" ".join(self.scopes), self.resource)

    def agent_access(self) -> Access:
        return Access(" ".join(self.agent_scopes), self.resource)

    def other_access(self) -> Access:
        """No scope by name: whatever the issuer gives for the other API."""
        return Access(resource=self.other_resource)

    def door_url(self, door: str) -> str:
        return self.resource + DOORS[door].path

    def values(self) -> dict[str, str]:
        """What the acts of every chapter may name."""
        return {
            "origin": self.base_url,
            "hotel": self.resource,
            "mcp": self.other_resource,
            "back": self.redirect_uri,
            "app": self.client_id,
            "agent": self.agent[0],
            "agent_secret": self.agent[1],
            "guest": self.guest[0],
            "guest_secret": self.guest[1],
            "annexe": f"{self.base_url}{ANNEXE}",
            **self.agents,
            **self.annexe,
            **{f"{one.dialect}_{name}": value for one in self.twins for name, value in one.known.items()},
        }

    @property
    def features(self) -> frozenset[str]:
        """What this house has that not every house has, as chapters name their needs."""
        return frozenset(one.dialect for one in self.twins) | ({"agents"} if self.agents else frozenset())

    def place(self, path: str) -> Place | None:
        """Who answers at a path; None for the tour's own pages and for files, which are of no interest."""
        if path == CALLBACK or (path.startswith("/tour/visits/") and path.endswith("/leave")):
            return "app"
        if path.startswith(f"{ANNEXE}/"):
            return "annexe"
        if path in _DULL or path.startswith(("/tour/", "/static/", f"{lessons.AT}/")):
            return None
        if twin := next((one for one in self.twins if path == one.path or path.startswith(f"{one.path}/")), None):
            return twin.dialect
        hotel = self.resource.removeprefix(self.base_url)
        return "doors" if path == hotel or path.startswith(f"{hotel}/") else "desk"


_DULL = frozenset({"/", "/tour", "/favicon.ico", "/robots.txt"})
