"""Replays that are kept: redacted documents in files, so that a link to one works after the house has closed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from innkeeper.protocol.refusals import Unreachable

KEPT = 200
"""Replays that are kept; the oldest goes when another comes."""

_ID = re.compile(r"[A-Za-z0-9_-]{8,40}")


class Shelf:
    """Replays by the id of their visit, one file each in ``folder``, which is made when the first is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, document: dict[str, Any]) -> None:
        """Keep a replay. Raises ``Unreachable`` where it cannot be written."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = self._folder / f"{document['id']}.part"
            fresh.write_bytes(msgspec.json.encode(document))
            fresh.replace(self._folder / f"{document['id']}.json")
            for old in self._by_age()[:-KEPT]:
                old.unlink(missing_ok=True)
        except OSError as error:
            raise Unreachable(f"the replay cannot be kept in {self._folder}: {error.strerror}") from None

    def get(self, visit_id: str) -> dict[str, Any] | None:
        """A kept replay, or None; one that cannot be read is as good as none."""
        if not _ID.fullmatch(visit_id):
            return None
        try:
            document: dict[str, Any] = msgspec.json.decode((self._folder / f"{visit_id}.json").read_bytes())
        except (OSError, msgspec.DecodeError):
            return None
        return document

    def _by_age(self) -> list[Path]:
        return sorted(self._folder.glob("*.json"), key=lambda one: one.stat().st_mtime)
