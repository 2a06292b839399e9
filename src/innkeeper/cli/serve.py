"""``innkeeper serve``: the issuer alone, as the settings say, showing no reasons and taking no known secrets."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from starlette.types import ASGIApp

from innkeeper.cli.serving import Leaving, Opening, listen, run
from innkeeper.cli.state import MASTER_KEY
from innkeeper.issuer.app import Issuer, open_issuer
from innkeeper.issuer.desk.registry import development_records
from innkeeper.issuer.http.health import Health
from innkeeper.issuer.settings import Settings, load
from innkeeper.protocol.refusals import UsageError


def command(
    config: Annotated[Path | None, typer.Option(help="The settings file; innkeeper.toml here by default.")] = None,
) -> None:
    """Serve an issuer as the settings say."""
    settings = load(config)
    listening = listen(settings.server.host, settings.server.port)
    print(f"innkeeper serves {settings.origin}", file=sys.stderr)
    health = Health()
    run(Opening(lambda: _open(settings, health), Leaving(health.leave, settings.server.leave)), listening)


@asynccontextmanager
async def _open(settings: Settings, health: Health) -> AsyncIterator[ASGIApp]:
    issuer = await open_issuer(settings, development=False, master=os.environ.get(MASTER_KEY), health=health)
    try:
        await _judge(issuer, settings)
        async with issuer.watched():
            yield issuer.site
    finally:
        issuer.close()


async def _judge(issuer: Issuer, settings: Settings) -> None:
    if settings.fetching.allow_loopback_hosts and not settings.server.only_this_computer:
        raise UsageError(
            "fetching.allow_loopback_hosts lets strangers reach this computer's own servers, so it is for tests on "
            "loopback only. Remove it from the settings."
        )
    if settings.twin and not settings.server.only_this_computer:
        raise UsageError(
            "a [[twin]] lets whoever reaches it administer it, as no cloud does, so twins are served on loopback only. "
            "Remove them from the settings."
        )
    known = await development_records(issuer.realm.store)
    if known and not settings.server.only_this_computer:
        raise UsageError(
            f"the secrets of {', '.join(known)} are known to everybody, so they are served on loopback only. "
            "Write an innkeeper.toml with your own clients and people, and choose a new state folder."
        )
