"""One command on a detour: proxy or names, trust and environment around it, and its exit code after it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from threading import Thread
from typing import NamedTuple

from innkeeper.detour.environment import for_aws, for_java, proxied, trusting
from innkeeper.detour.hosts import KNOWN, Taken
from innkeeper.detour.names import listening, table_of, why_not, with_names
from innkeeper.detour.proxy import Inn, Onward, Proxy
from innkeeper.detour.trust import Trust, throw_away
from innkeeper.protocol.refusals import UsageError

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if sys.platform != "win32" else (signal.SIGINT,)


class Detour(NamedTuple):
    """How a command is run. ``names`` are further hosts for a table of names; None where a proxy will do."""

    taken: Taken
    inn: Inn
    others_allowed: bool = True
    names: Sequence[str] | None = None


class Route(NamedTuple):
    """What a program on a detour gets: its environment beyond the usual one, and how its command begins."""

    environment: dict[str, str]
    proxy: Proxy | None
    trust: Trust


@asynccontextmanager
async def opened(detour: Detour, before: Mapping[str, str]) -> AsyncIterator[Route]:
    """A way to the twins that is open inside the block. ``before`` is the environment that the program would have."""
    async with AsyncExitStack() as stack:
        trust = stack.enter_context(throw_away(detour.taken.parents, int(time.time())))
        shared = {**trusting(trust), **for_aws(detour.taken, before)}
        if detour.names is not None:
            await stack.enter_async_context(listening(detour.taken, detour.inn, trust.context))
            yield Route({**shared, **for_java(trust, None, before)}, None, trust)
            return
        onward = Onward(detour.others_allowed, before.get("https_proxy") or before.get("HTTPS_PROXY") or "")
        proxy = Proxy(detour.taken, detour.inn, trust.context, onward)
        port = await stack.enter_async_context(proxy.open())
        ways = {**proxied(detour.taken, port, before), **for_java(trust, port, before)}
        yield Route({**shared, **ways}, proxy, trust)


class Ended(NamedTuple):
    """How a command ended, and the hosts that it asked for and was refused."""

    code: int
    refused: tuple[str, ...]


async def run(detour: Detour, command: Sequence[str]) -> Ended:
    """Run a command to its end. Raises ``UsageError`` where it cannot be run so."""
    if detour.names is not None and (why := why_not()):
        raise UsageError(f"--names: {why}")
    async with opened(detour, os.environ) as route:
        words = _by_names(detour, route, command) if detour.names is not None else list(command)
        code = await _run(words, {**os.environ, **route.environment})
        return Ended(code, tuple(dict.fromkeys(route.proxy.refused if route.proxy else ())))


@contextmanager
def in_background(detour: Detour, before: Mapping[str, str]) -> Iterator[Route]:
    """The same way for a program that is no command but this very process: open while the block runs, in a thread."""
    ready: Future[Route] = Future()
    loop, closing = asyncio.new_event_loop(), asyncio.Event()

    async def stay_open() -> None:
        async with opened(detour, before) as route:
            ready.set_result(route)
            await closing.wait()

    def work() -> None:
        try:
            loop.run_until_complete(stay_open())
        except Exception as failure:  # noqa: BLE001 - raised again where the way was asked for
            ready.set_exception(failure)
        finally:
            loop.close()

    thread = Thread(target=work, name="innkeeper detour", daemon=True)
    thread.start()
    route = ready.result()
    try:
        yield route
    finally:
        loop.call_soon_threadsafe(closing.set)
        thread.join()


def _by_names(detour: Detour, route: Route, command: Sequence[str]) -> list[str]:
    known = [host for cloud in detour.taken.clouds for host in KNOWN[cloud]]
    wrong = [name for name in detour.names or () if name not in detour.taken]
    if wrong:
        raise UsageError(f"--names {wrong[0]}: this is no host of a cloud that a twin stands in for")
    table = route.trust.bundle.with_name("hosts")
    table.write_text(table_of([*known, *(detour.names or ())]), "utf-8")
    return with_names(command, table)


async def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    try:
        process = await asyncio.create_subprocess_exec(*command, env=environment)
    except OSError as error:
        raise UsageError(f"cannot run {command[0]!r}: {error.strerror}") from None
    loop = asyncio.get_running_loop()
    for number in _FORWARDED:
        loop.add_signal_handler(number, process.send_signal, number)
    code = await process.wait()
    return 128 - code if code < 0 else code
