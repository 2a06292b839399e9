"""A realm opened for one command that administers it, beside a server that may be running on the same state."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from innkeeper.cli.witnessing import command_witness
from innkeeper.issuer.app import NATIVE_REALM, open_state, policy_of, system_clock
from innkeeper.issuer.core.admin.change import Actor
from innkeeper.issuer.desk.admin.entering import operator
from innkeeper.issuer.desk.admin.house import House
from innkeeper.issuer.desk.key_care import Cupboard
from innkeeper.issuer.desk.realm import Realm, open_realm
from innkeeper.issuer.desk.registry import is_planted, plant
from innkeeper.issuer.dialects.native.tokens import NativeShape
from innkeeper.issuer.settings import Settings, load
from innkeeper.issuer.store.port import Store
from innkeeper.issuer.witness.store import watched
from innkeeper.issuer.witness.witness import Witness
from innkeeper.protocol.refusals import UsageError

Result = TypeVar("Result")

Work = Callable[[Realm, Store], Awaitable[Result]]

MASTER_KEY = "INNKEEPER_MASTER_KEY"


def with_realm(config: Path | None, work: Callable[[Realm], Awaitable[Result]]) -> Result:
    """Open the realm that the settings name, do the work, close it again. Raises ``UsageError``."""
    return asyncio.run(_with_realm(config, lambda realm, _: work(realm)))


def with_house(config: Path | None, work: Callable[[House, Actor], Awaitable[Result]]) -> Result:
    """The same with the house, for whoever administers it at this machine. Raises ``UsageError``."""

    async def on(realm: Realm, store: Store) -> Result:
        return await work(_house(realm, store), operator(_operator()))

    return asyncio.run(_with_realm(config, on))


def _house(realm: Realm, store: Store) -> House:
    own = Cupboard.of(realm)

    def elsewhere(name: str) -> Cupboard:
        return Cupboard(store.realm(name), own.seal, own.longest, own.now, name)

    return House(realm, store, lambda: (realm,), elsewhere=elsewhere)


def with_keys(config: Path | None, name: str, work: Callable[[Cupboard], Awaitable[Result]]) -> Result:
    """The same with the keys of a realm: the native one, or the twin of that id. Raises ``UsageError``."""

    async def on(realm: Realm, store: Store) -> Result:
        own = Cupboard.of(realm)
        if name in ("", NATIVE_REALM):
            return await work(own)
        other = Cupboard(store.realm(name), own.seal, own.longest, own.now, name)
        if not await other.memory.keys():
            raise UsageError(
                f"no realm {name!r} has keys here; a twin is named by its pool or tenant, as in the settings"
            )
        return await work(other)

    return asyncio.run(_with_realm(config, on))


async def _with_realm(config: Path | None, work: Work[Result]) -> Result:
    settings = load(config)
    witness = command_witness(settings)
    with closing(witness), witness.command(" ".join(sys.argv[1:3]), _operator()):
        return await _on_the_realm(settings, work, witness)


def _operator() -> str:
    """Who runs the command, as the system knows them."""
    return f"uid {os.getuid()}" if hasattr(os, "getuid") else "this computer"


async def _on_the_realm(settings: Settings, work: Work[Result], witness: Witness) -> Result:
    opened, seal = await open_state(settings, os.environ.get(MASTER_KEY))
    store = watched(opened)
    try:
        memory = store.realm(NATIVE_REALM)
        if not await is_planted(memory):
            await plant(memory, seal, settings, system_clock())
        policy = policy_of(settings)
        realm = await open_realm(NATIVE_REALM, policy, memory, seal, NativeShape(), system_clock, witness.observe)
        return await work(realm, store)
    finally:
        store.close()
