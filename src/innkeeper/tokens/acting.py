"""Who acts for whom by a token: its subject, and those in ``act``, which nests whoever acted before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MOST = 50
"""Longer chains are cut: they are no issuer's."""


def chain(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The subject first, then who acts for it, and last who acts now; () where nobody acts for anybody."""
    said, found = claims.get("act"), list[str]()
    if said is None:
        return ()
    while isinstance(said, Mapping) and len(found) < _MOST:
        found.append(str(said.get("sub") or "somebody without a name"))
        said = said.get("act")
    return (str(claims.get("sub") or "nobody named"), *reversed(found)) if found else ()
