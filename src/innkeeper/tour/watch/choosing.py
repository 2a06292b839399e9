"""Which messages are looked at: by realm, client, outcome and text. The address keeps the choice. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec


class Choice(msgspec.Struct, frozen=True):
    """What is looked for; "" is anything. ``text`` stands anywhere in a row; ``pinned`` is "yes" for those alone."""

    realm: str = ""
    client: str = ""
    outcome: str = ""
    text: str = ""
    pinned: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Choice:
        """The choice that an address tells."""
        return cls(*(asked.get(name, "").strip()[:200] for name in cls.__struct_fields__))

    def takes(self, row: Mapping[str, Any]) -> bool:
        exact = all(not wanted or str(row[name]) == wanted for name, wanted in self._exact())
        return exact and self.text.lower() in _said(row) and (not self.pinned or bool(row["pinned"]))

    @property
    def query(self) -> str:
        """The choice as it stands in an address."""
        return urlencode({name: value for name in self.__struct_fields__ if (value := getattr(self, name))})

    def _exact(self) -> tuple[tuple[str, str], ...]:
        return ("realm", self.realm), ("client", self.client), ("outcome", self.outcome)


def _said(row: Mapping[str, Any]) -> str:
    names = ("method", "path", "title", "status", "client", "realm", "failed", "number")
    return " ".join(str(row[name]) for name in names).lower()
