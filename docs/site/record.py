"""Have a house play chapters of the tour, and keep what was said: the diagrams show real traffic alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpx2

Recording = dict[str, Any]

_JSON = {"accept": "application/json"}
_PATIENCE = 60.0
_USUAL = "http://127.0.0.1:8400"


def recordings(url: str, chapters: Iterable[str]) -> dict[str, Recording]:
    """Each chapter as the house at ``url`` just played it: its acts, and under ``visit`` every message explained."""
    with httpx2.Client(base_url=url, timeout=_PATIENCE, trust_env=False) as client:
        return {key: _played(client, url, key) for key in sorted(set(chapters))}


def _played(client: httpx2.Client, url: str, key: str) -> Recording:
    played = client.post(f"/tour/chapters/{key}", data={"play": "all"}, headers=_JSON)
    if played.status_code != 201:
        raise ValueError(f"a page asks for the flow {key!r}, and the tour says: {played.text}")
    document: Recording = played.json()["chapter"]
    if document["stuck"] or not document["ended"]:
        raise ValueError(f"the chapter {key!r} went otherwise than it should; see: innkeeper tour --chapter {key}")
    visit = client.get(f"{played.json()['page']}/replay.json").json()
    return {**document, "visit": _as_usual(visit, url)}


def _as_usual(visit: Any, url: str) -> Any:
    """The same with the address that readers have, not the one of the moment."""
    if isinstance(visit, str):
        return visit.replace(url, _USUAL)
    if isinstance(visit, list):
        return [_as_usual(one, url) for one in visit]
    if isinstance(visit, dict):
        return {name: _as_usual(one, url) for name, one in visit.items()}
    return visit
