"""Which hosts of the clouds are taken to the twins: where people and programs sign in, and where that is administered."""

from __future__ import annotations

import re
from collections.abc import Iterable

COGNITO, ENTRA = "cognito", "entra"

_TAKEN = {
    COGNITO: (
        r"cognito-idp(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com",
        r"[a-z0-9-]+\.auth(?:-fips)?\.[a-z0-9-]+\.amazoncognito\.com",
        r"sts(?:\.[a-z0-9-]+)?\.amazonaws\.com",
    ),
    ENTRA: (
        r"login\.microsoftonline\.com",
        r"login\.microsoft\.com",
        r"login\.windows\.net",
        r"sts\.windows\.net",
        r"device\.login\.microsoftonline\.com",
        r"graph\.microsoft\.com",
        r"management\.azure\.com",
        r"management\.core\.windows\.net",
    ),
}

PARENTS = {
    COGNITO: ("amazonaws.com", "amazoncognito.com"),
    ENTRA: ("microsoftonline.com", "microsoft.com", "windows.net", "azure.com"),
}
"""The domains below which those hosts lie: the throw-away authority can vouch for these alone."""

KNOWN = {
    COGNITO: ("sts.amazonaws.com",),
    ENTRA: (
        "login.microsoftonline.com",
        "login.microsoft.com",
        "login.windows.net",
        "sts.windows.net",
        "device.login.microsoftonline.com",
        "graph.microsoft.com",
        "management.azure.com",
        "management.core.windows.net",
    ),
}
"""Hosts that can be named beforehand, for a table of names; a region's or a domain's own are named by whoever runs it."""


class Taken:
    """The hosts that are taken for some clouds."""

    def __init__(self, clouds: Iterable[str]) -> None:
        self.clouds = tuple(clouds)
        patterns = "|".join(pattern for cloud in self.clouds for pattern in _TAKEN[cloud])
        self._pattern = re.compile(patterns, re.IGNORECASE)

    def __contains__(self, host: str) -> bool:
        return bool(self.clouds) and self._pattern.fullmatch(host) is not None

    @property
    def parents(self) -> tuple[str, ...]:
        return tuple(parent for cloud in self.clouds for parent in PARENTS[cloud])
