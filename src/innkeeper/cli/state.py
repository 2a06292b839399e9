"""A realm opened for one command that administers it, beside a server that may be running on the same state."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from innkeeper.issuer.app import NATIVE_REALM, open_state, policy_of, system_clock
from innkeeper.issuer.desk.realm import Realm, open_realm
from innkeeper.issuer.desk.registry import is_planted, plant
from innkeeper.issuer.dialects.native.tokens import NativeShape
from innkeeper.issuer.settings import load
from innkeeper.tokens.trail import unobserved

Result = TypeVar("Result")

MASTER_KEY = "INNKEEPER_MASTER_KEY"


def with_realm(config: Path | None, work: Callable[[Realm], Awaitable[Result]]) -> Result:
    """Open the realm that the settings name, do the work, close it again. Raises ``UsageError``."""
    return asyncio.run(_with_realm(config, work))


async def _with_realm(config: Path | None, work: Callable[[Realm], Awaitable[Result]]) -> Result:
    settings = load(config)
    store, seal = await open_state(settings, os.environ.get(MASTER_KEY))
    try:
        memory = store.realm(NATIVE_REALM)
        if not await is_planted(memory):
            await plant(memory, seal, settings, system_clock())
        policy = policy_of(settings)
        realm = await open_realm(NATIVE_REALM, policy, memory, seal, NativeShape(), system_clock, unobserved)
        return await work(realm)
    finally:
        store.close()
