"""``innkeeper twin trust``: how each kind of program is told to trust the authority of this computer."""

from __future__ import annotations

import shlex
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from innkeeper.issuer.settings import load
from innkeeper.protocol.refusals import UsageError


def command(
    client: Annotated[str, typer.Argument(help="One kind of program, for example python; all by default.")] = "",
    config: Annotated[Path | None, typer.Option(help="The settings file; innkeeper.toml here by default.")] = None,
) -> None:
    """Say how programs are told to trust https://localhost:8443. Nothing is installed: each line is yours to run."""
    authority = Path(load(config).server.state, "ca.pem").resolve()
    if not authority.exists():
        raise UsageError(f"there is no {authority} yet: innkeeper up makes it when it opens")
    known = tomllib.loads(files("innkeeper.cli").joinpath("twin_trust.toml").read_text("utf-8"))
    if client and client not in known:
        raise UsageError(f"{client!r}: the kinds of program are {', '.join(known)}")
    for name in [client] if client else known:
        lines = known[name]["how"].strip().format(ca=shlex.quote(str(authority)))
        print(f"# {known[name]['title']}\n{lines}\n")
