"""A command that fails in the way it is told to."""

from __future__ import annotations

import typer

from innkeeper.client.refused import refuse
from innkeeper.client.source import SIGN_IN
from innkeeper.protocol.refusals import Unreachable, UsageError


def command(how: str) -> int:
    """Fail, or not."""
    failures: dict[str, BaseException] = {
        "usage": UsageError("port 99999: must be under 65536"),
        "refused": refuse(SIGN_IN, "no token is kept"),
        "unreachable": Unreachable("the issuer is down"),
        "bug": KeyError("surprise"),
        "missing": ModuleNotFoundError("No module named 'uvicorn'", name="uvicorn"),
        "missing-rich": ModuleNotFoundError("No module named 'rich.text'", name="rich.text"),
        "missing-ours": ModuleNotFoundError("No module named 'innkeeper.nowhere'", name="innkeeper.nowhere"),
        "interrupt": KeyboardInterrupt(),
        "abort": typer.Abort(),
        "pipe": BrokenPipeError(),
        "exit": typer.Exit(7),
    }
    if how in failures:
        raise failures[how]
    return 1 if how == "no" else 0
