"""The discovery documents of this house and its twins, field by field, from the documents that they really serve."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import Any

import httpx2

from innkeeper.issuer.app import open_issuer
from innkeeper.issuer.settings import Settings, load
from innkeeper.tour.words import words

ORIGIN = "http://127.0.0.1:8400"
DESKS = {"native": "innkeeper", "cognito": "Cognito", "entra": "Entra ID"}


def page() -> str:
    served = asyncio.run(_served())
    fields = list(dict.fromkeys(name for document in served.values() for name in document))
    rows = "\n".join(_row(name, served) for name in fields)
    return f"# Discovery, field by field\n\n{_INTRODUCTION}\n| field | what it says | {' | '.join(DESKS.values())} |\n|---|---|---|---|---|\n{rows}\n"


async def _served() -> dict[str, Mapping[str, Any]]:
    """Each desk's document, asked for as any client asks."""
    with usual_settings() as settings:
        at = {"native": "", "cognito": f"/{settings.twin[0].id}", "entra": f"/{settings.twin[1].id}/v2.0"}
        issuer = await open_issuer(settings, development=True)
        try:
            transport = httpx2.ASGITransport(app=issuer.site)
            async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
                asked = {
                    desk: await client.get(f"{path}/.well-known/openid-configuration") for desk, path in at.items()
                }
            return {desk: reply.raise_for_status().json() for desk, reply in asked.items()}
        finally:
            issuer.close()


@contextmanager
def usual_settings() -> Iterator[Settings]:
    """What `innkeeper up` starts with, with a state that is thrown away."""
    with tempfile.TemporaryDirectory() as state, as_file(files("innkeeper.issuer") / "laptop.toml") as usual:
        yield load(usual, {"INNKEEPER_STATE": state})


def _row(name: str, served: Mapping[str, Mapping[str, Any]]) -> str:
    said = words().parameter(name)
    cells = [_cell(name, document[name]) if name in document else "–" for document in served.values()]
    return f"| `{name}` | {said.says if said else ''} | {' | '.join(cells)} |"


def _cell(name: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(f"`{one}`" for one in value) or "none"
    text = value if isinstance(value, str) else json.dumps(value)
    text = text if name == "issuer" else text.replace(ORIGIN, "")
    return f"`{text.replace('|', chr(92) + '|')}`"


_INTRODUCTION = """What `/.well-known/openid-configuration` says at the three desks of `innkeeper up`: its own and the two twins'. A dash: the field is
not there. Addresses stand without `http://127.0.0.1:8400` before them. What to make of it is told in [the course](../tutorial/discovery.md).
"""
