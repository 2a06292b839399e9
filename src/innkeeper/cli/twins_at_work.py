"""The twins of the settings, opened for one command beside a house that may run on the same state."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from innkeeper.cli.state import MASTER_KEY
from innkeeper.issuer.app import open_state, outside_of, system_clock
from innkeeper.issuer.app.cognito import home_of, open_pools
from innkeeper.issuer.app.entra import open_desks
from innkeeper.issuer.app.ground import Ground
from innkeeper.issuer.app.twin_clock import TwinClock
from innkeeper.issuer.desk.cognito import faults as cognito_faults
from innkeeper.issuer.desk.cognito import outbox, removing
from innkeeper.issuer.desk.cognito import rotating as cognito_rotating
from innkeeper.issuer.desk.cognito import seed as cognito_seed
from innkeeper.issuer.desk.cognito.outbox import Message
from innkeeper.issuer.desk.cognito.twin import POOLS, Place
from innkeeper.issuer.desk.entra import faults, rotating, seeding
from innkeeper.issuer.desk.entra.cloud import Desk
from innkeeper.issuer.desk.fetching import Fetcher
from innkeeper.issuer.pages.explanations import Explanations
from innkeeper.issuer.settings import SeedTwin, Settings, load
from innkeeper.protocol.refusals import UsageError
from innkeeper.tokens.trail import unobserved

Result = TypeVar("Result")


class AtWork(Protocol):
    """A user pool or a tenant, and what the commands do to it."""

    @property
    def id(self) -> str: ...
    async def seed(self) -> bool:
        """Whether the settings say anything of it."""
        ...

    async def reset(self) -> None: ...
    async def rotate_keys(self, ahead: int) -> None: ...
    async def fault(self, error: str, times: int) -> None: ...
    async def outbox(self) -> Sequence[Message]: ...


class Pool:
    """A user pool: one of the settings, or one that was made over the API."""

    def __init__(self, place: Place, pool_id: str, settings: Settings) -> None:
        self.id = pool_id
        self._place = place
        self._settings = settings
        self._is_seeded = any(one.id == pool_id for one in settings.twin)

    async def seed(self) -> bool:
        if self._is_seeded:
            await cognito_seed.sow(self._place, self.id, self._settings)
        return self._is_seeded

    async def reset(self) -> None:
        await removing.remove(self._place, self.id)
        await self.seed()

    async def rotate_keys(self, ahead: int) -> None:
        await cognito_rotating.rotate(await self._place.pool(self.id), ahead)

    async def fault(self, error: str, times: int) -> None:
        await cognito_faults.ask_for(self._place.twin.account, error, times)

    async def outbox(self) -> Sequence[Message]:
        return await outbox.sent(await self._place.pool(self.id))


class Tenant:
    """A tenant, which sends nobody anything."""

    def __init__(self, desk: Desk, settings: Settings) -> None:
        self.id = desk.id
        self._desk = desk
        self._settings = settings

    async def seed(self) -> bool:
        await seeding.sow(self._desk, self._settings)
        return True

    async def reset(self) -> None:
        await seeding.reset(self._desk, self._settings)

    async def rotate_keys(self, ahead: int) -> None:
        await rotating.rotate(self._desk, ahead)

    async def fault(self, error: str, times: int) -> None:
        await faults.ask_for(self._desk, int(error), times)

    async def outbox(self) -> Sequence[Message]:
        return ()


def on_each(
    config: Path | None, work: Callable[[AtWork], Awaitable[Result]], dialect: str = ""
) -> list[tuple[AtWork, Result]]:
    """Do the work on every twin, or on those of one dialect, and say what came of it. Raises ``UsageError``."""

    async def run() -> list[tuple[AtWork, Result]]:
        async with opened(config, dialect) as (_, twins):
            return [(one, await work(one)) for one in twins]

    return asyncio.run(run())


@asynccontextmanager
async def opened(config: Path | None, dialect: str = "") -> AsyncIterator[tuple[TwinClock, list[AtWork]]]:
    """The twins' clock, and the twins. Raises ``UsageError`` where the settings have none."""
    settings = load(config)
    seeds = [one for one in settings.twin if dialect in ("", one.dialect)]
    if not seeds:
        raise UsageError(f"the settings have no [[twin]]{f' with dialect = {dialect!r}' if dialect else ''}")
    store, seal = await open_state(settings, os.environ.get(MASTER_KEY))
    try:
        clock = TwinClock(system_clock, store)
        await clock.reload()
        ground = Ground(
            settings=settings,
            store=store,
            seal=seal,
            clock=clock,
            observe=unobserved,
            fetcher=Fetcher(outside_of(settings), system_clock),
            explanations=Explanations(settings.origin, settings.title, "/static", development=False),
            development=False,
        )
        yield clock, [*await _pools(ground, seeds), *await _tenants(ground, seeds)]
    finally:
        store.close()


async def _pools(ground: Ground, seeds: Sequence[SeedTwin]) -> list[Pool]:
    named = [one for one in seeds if one.dialect == "cognito"]
    if not named:
        return []
    twin = open_pools(ground, named)
    ids = dict.fromkeys([*(one.id for one in named), *(one.key for one in await POOLS.all(twin.account))])
    return [Pool(home_of(ground, twin, one), one, ground.settings) for one in ids]


async def _tenants(ground: Ground, seeds: Sequence[SeedTwin]) -> list[Tenant]:
    named = [one for one in seeds if one.dialect == "entra"]
    return [Tenant(one, ground.settings) for one in await open_desks(ground, named)]
