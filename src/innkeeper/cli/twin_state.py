"""``innkeeper twin seed``, ``reset``, ``rotate-keys``, ``fault``, ``outbox`` and ``clock``, beside a house that may run."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from innkeeper.cli.show import distance
from innkeeper.cli.twins_at_work import AtWork, on_each, opened
from innkeeper.client.refused import quoted
from innkeeper.protocol.refusals import UsageError

Config = Annotated[Path | None, typer.Option("--config", help="The settings file; innkeeper.toml here by default.")]


def seed(config: Config = None) -> None:
    """Put the settings' applications, clients and people back into each twin; what else is there stays."""
    for twin, is_seeded in on_each(config, lambda twin: twin.seed()):
        print(f"{twin.id} {'is seeded' if is_seeded else 'was made over the API, and stays as it is'}")


def reset(config: Config = None) -> None:
    """Empty each twin, sign everybody out, and seed it again; pools that were made over the API go. Keys stay."""
    _each(config, lambda twin: twin.reset(), "is as on the first day")


def rotate_keys(
    ahead: Annotated[int, typer.Option(help="Seconds that the new key is published before it signs.")] = 0,
    config: Config = None,
) -> None:
    """Give each twin new signing keys; the old ones stay published for a day."""
    _each(config, lambda twin: twin.rotate_keys(ahead), "has a new key")


def fault(
    error: Annotated[
        str,
        typer.Argument(
            help="For Entra an AADSTS number, such as 50196; for Cognito an exception of its API, such as "
            "TooManyRequestsException, or an error of its token endpoint, such as invalid_grant."
        ),
    ],
    times: Annotated[int, typer.Option(help="How many requests are answered so; 0 takes it back.")] = 1,
    config: Config = None,
) -> None:
    """Answer the next token requests, or calls of Cognito's API, with an error."""
    code = error.upper().removeprefix("AADSTS")
    if code.isdigit():
        _each(config, lambda twin: twin.fault(code, times), f"answers AADSTS{code}, {times} times", "entra")
    else:
        _each(config, lambda twin: twin.fault(error, times), f"answers {error}, {times} times", "cognito")


def outbox(
    as_json: Annotated[bool, typer.Option("--json", help="Print it for programs.")] = False, config: Config = None
) -> None:
    """Print the mail and SMS of the last day that the user pools would have sent, the newest first."""
    found = [(twin.id, one) for twin, sent in on_each(config, lambda twin: twin.outbox()) for one in sent]
    if as_json:
        told = [{"pool": pool, **msgspec.structs.asdict(one)} for pool, one in found]
        print(msgspec.json.format(msgspec.json.encode({"messages": told}), indent=2).decode())
        return
    for pool, one in found:
        print(
            f"{_time(one.at)}  {one.medium} to {quoted(one.to)} from {pool}: {quoted(one.subject)}\n  {quoted(one.text)}"
        )
    if not found:
        print("nothing was sent; what user pools send stays here for a day. Entra tenants send nothing.")


def clock(
    move: Annotated[
        str,
        typer.Argument(
            help="As +90m, -2h or +1d12h, a time as 2027-01-01T12:00:00Z, or real. Nothing: say what it is."
        ),
    ] = "",
    config: Config = None,
) -> None:
    """Move the twins' clock: tokens, codes, secrets and keys grow old at once. The rest of the house keeps the real time."""
    ahead = asyncio.run(_moved(config, move))
    now = time.time()
    stands = f"{distance(ahead).removeprefix('in ')}{' ahead' if ahead > 0 else ''}" if ahead else "the real time"
    print(f"{_time(now + ahead)}  {stands}")


async def _moved(config: Path | None, move: str) -> int:
    async with opened(config) as (twin_clock, _):
        if move:
            await twin_clock.move(_ahead(move, twin_clock.ahead))
        return twin_clock.ahead


def _ahead(move: str, now_ahead: int) -> int:
    if move == "real":
        return 0
    if _MOVE.fullmatch(move):
        seconds = sum(int(count) * _SECONDS[unit or "s"] for count, unit in _PART.findall(move))
        return now_ahead + (-seconds if move[0] == "-" else seconds)
    try:
        return round(datetime.fromisoformat(move).astimezone(UTC).timestamp() - time.time())
    except ValueError:
        raise UsageError(f"{move!r}: give +90m, -2h or +1d12h, a time as 2027-01-01T12:00:00Z, or real") from None


_PART = re.compile(r"(\d+)([smhd]?)")
_MOVE = re.compile(r"[+-](?:\d+[smhd]?)+")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}Z"


def _each(config: Path | None, work: Callable[[AtWork], Awaitable[None]], said: str, dialect: str = "") -> None:
    for twin, _ in on_each(config, work, dialect):
        print(f"{twin.id} {said}")
