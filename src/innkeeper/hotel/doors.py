"""The doors: which there are, the scope each needs, and the hours of those that close."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

Kind = Literal["room", "leisure", "lounge", "staff", "none"]


class Door(msgspec.Struct, frozen=True):
    """One door. ``room`` is its number for a guest room; ``hours`` from and until, in full hours of local time."""

    name: str
    kind: Kind
    room: int = 0
    hours: tuple[int, int] = (0, 24)


NO_DOOR = Door("no such door", "none")
GYM = Door("gym", "leisure", hours=(6, 22))
POOL = Door("pool", "leisure", hours=(8, 20))
LOUNGE = Door("VIP lounge", "lounge")
STAFF = Door("staff door", "staff")

ROUTES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "/rooms/{number}": ("room:enter",),
        "/gym": ("gym:enter",),
        "/pool": ("pool:enter",),
        "/vip": ("vip:enter",),
        "/staff": ("room:enter",),
    }
)
"""Paths under the hotel's address, and the scopes each needs."""

FLOORS = range(1, 5)
ROOMS_A_FLOOR = range(1, 13)


def door_at(path: str) -> Door:
    """The door behind a path; ``NO_DOOR`` where there is only wall."""
    if found := _ROOM.fullmatch(path):
        number = int(found[1])
        if number // 100 in FLOORS and number % 100 in ROOMS_A_FLOOR:
            return Door(f"room {number}", "room", number)
    return _OTHERS.get(path, NO_DOOR)


_ROOM = re.compile(r"/rooms/([1-9][0-9]{2})", re.ASCII)
_OTHERS = {"/gym": GYM, "/pool": POOL, "/vip": LOUNGE, "/staff": STAFF}
