"""``innkeeper db``: the database's tables, made and brought up."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from innkeeper.issuer.settings import load
from innkeeper.issuer.store.looking import look
from innkeeper.issuer.store.schema import NOTHING, SCHEMA_VERSION
from innkeeper.issuer.store.upgrading import upgrade

app = typer.Typer(
    help="Look after the database that the settings name, or INNKEEPER_DATABASE_URL.",
    no_args_is_help=True,
    add_completion=False,
)

Config = Annotated[Path | None, typer.Option("--config", help="The settings file; innkeeper.toml here by default.")]


@app.command("upgrade")
def bring_up(config: Config = None) -> None:
    """Make the tables, or bring those of an older innkeeper up. Safe to run again, and from several places at once."""
    before, after = asyncio.run(upgrade(load(config).database))
    if before == after:
        print(f"schema {after}: nothing to do")
    elif before == NOTHING:
        print(f"schema {after}: tables made")
    else:
        print(f"schema {after}: brought up from {before}")


@app.command("status")
def status(config: Config = None) -> None:
    """Say which database it is, what it runs on, and whether its tables are those that this innkeeper knows."""
    found = asyncio.run(look(load(config).database))
    print(f"database  {found.name}")
    print(f"engine    {found.engine}")
    print(f"size      {found.bytes / 1e6:.1f} MB")
    print(f"schema    {found.version} {_verdict(found.version)}")
    for warning in found.warnings:
        print(f"warning   {warning}")


def _verdict(version: int) -> str:
    if version == SCHEMA_VERSION:
        return "as this innkeeper knows it"
    if version == NOTHING:
        return "no tables yet: innkeeper db upgrade"
    if version < SCHEMA_VERSION:
        return f"older than this innkeeper's {SCHEMA_VERSION}: innkeeper db upgrade"
    return f"newer than this innkeeper's {SCHEMA_VERSION}: run the innkeeper that made it"
