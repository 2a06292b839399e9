"""``innkeeper twin seed``, ``reset``, ``rotate-keys`` and ``fault``: an Entra tenant's state, beside a house that may run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from innkeeper.cli.state import MASTER_KEY
from innkeeper.issuer.app import open_state, outside_of, system_clock
from innkeeper.issuer.app.entra import open_desks
from innkeeper.issuer.app.ground import Ground
from innkeeper.issuer.desk.entra import faults, rotating, seeding
from innkeeper.issuer.desk.entra.cloud import Desk
from innkeeper.issuer.desk.fetching import Fetcher
from innkeeper.issuer.pages.explanations import Explanations
from innkeeper.issuer.settings import Settings, load
from innkeeper.protocol.refusals import UsageError
from innkeeper.tokens.trail import unobserved

Config = Annotated[Path | None, typer.Option("--config", help="The settings file; innkeeper.toml here by default.")]


def seed(config: Config = None) -> None:
    """Put the settings' applications and people back into each Entra tenant; what else is there stays."""
    _each(config, seeding.sow, "is seeded")


def reset(config: Config = None) -> None:
    """Empty each Entra tenant, sign everybody out, and seed it again. Its keys stay."""
    _each(config, seeding.reset, "is as on the first day")


def rotate_keys(
    ahead: Annotated[int, typer.Option(help="Seconds that the new key is published before it signs.")] = 0,
    config: Config = None,
) -> None:
    """Give each Entra tenant a new signing key; the old one stays published for a day."""

    async def rotate(desk: Desk, _: Settings) -> None:
        await rotating.rotate(desk, ahead)

    _each(config, rotate, "has a new key")


def fault(
    code: Annotated[int, typer.Argument(help="The AADSTS number, such as 50196 or 50076.")],
    times: Annotated[int, typer.Option(help="How many token requests are answered so; 0 takes it back.")] = 1,
    config: Config = None,
) -> None:
    """Answer the next token requests of each Entra tenant with an error."""

    async def ask(desk: Desk, _: Settings) -> None:
        await faults.ask_for(desk, code, times)

    _each(config, ask, f"answers AADSTS{code}, {times} times")


def _each(config: Path | None, work: Callable[[Desk, Settings], Awaitable[None]], said: str) -> None:
    settings = load(config)
    for name in asyncio.run(_worked(settings, work)):
        print(f"{name} {said}")


async def _worked(settings: Settings, work: Callable[[Desk, Settings], Awaitable[None]]) -> list[str]:
    twins = [one for one in settings.twin if one.dialect == "entra"]
    if not twins:
        raise UsageError('the settings have no [[twin]] with dialect = "entra"')
    store, seal = await open_state(settings, os.environ.get(MASTER_KEY))
    try:
        ground = Ground(
            settings=settings,
            store=store,
            seal=seal,
            clock=system_clock,
            observe=unobserved,
            fetcher=Fetcher(outside_of(settings), system_clock),
            explanations=Explanations(settings.origin, settings.title, "/static", development=False),
            development=False,
        )
        desks = await open_desks(ground, twins)
        for desk in desks:
            await work(desk, settings)
        return [desk.id for desk in desks]
    finally:
        store.close()
