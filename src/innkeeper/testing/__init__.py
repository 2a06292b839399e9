"""Shipped to users: a real issuer for tests, any token one can think of, a clock to move, faults to call up.

The pytest plugin (``plugin``) brings the fixture ``innkeeper_issuer``; without pytest, ``serving()`` does. It works for
whatever guard the tested API uses: tokens are real, keys are fetched over HTTP. Names load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from innkeeper.testing.clock import Clock as Clock
    from innkeeper.testing.faults import Faults as Faults
    from innkeeper.testing.forge import Forge as Forge
    from innkeeper.testing.issuer import IssuerForTests as IssuerForTests
    from innkeeper.testing.issuer import serving as serving
    from innkeeper.testing.routed import RoutedClouds as RoutedClouds
    from innkeeper.testing.routed import routed_clouds as routed_clouds

_HOMES = {
    "Clock": "innkeeper.testing.clock",
    "Faults": "innkeeper.testing.faults",
    "Forge": "innkeeper.testing.forge",
    "IssuerForTests": "innkeeper.testing.issuer",
    "RoutedClouds": "innkeeper.testing.routed",
    "routed_clouds": "innkeeper.testing.routed",
    "serving": "innkeeper.testing.issuer",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'innkeeper.testing' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
