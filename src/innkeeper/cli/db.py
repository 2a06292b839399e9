"""``innkeeper db``: the database's tables, made and brought up; everything in it, copied and moved."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import IO, Annotated

import typer

from innkeeper.issuer.settings import load
from innkeeper.issuer.store.looking import look
from innkeeper.issuer.store.moving import backup, export_all, import_all
from innkeeper.issuer.store.schema import NOTHING, SCHEMA_VERSION
from innkeeper.issuer.store.upgrading import upgrade
from innkeeper.protocol.refusals import UsageError

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


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Where to; - for standard output.")], config: Config = None
) -> None:
    """Write everything to a file, as it is at one moment, while nodes go on working.

    Keys and secrets stay sealed: whoever imports it needs the same master key.
    """
    address = load(config).database
    if str(file) == "-":
        _tell(asyncio.run(export_all(address, sys.stdout.buffer)), "exported")
        return
    with _new_file(file) as to:
        _tell(asyncio.run(export_all(address, to)), "exported")


@app.command("import")
def take_in(
    file: Annotated[Path, typer.Argument(help="An export; - for standard input.")], config: Config = None
) -> None:
    """Read an export into a database that has nothing in it yet: all of it, or nothing. Makes the tables first."""
    address = load(config).database

    async def read(source: IO[bytes]) -> dict[str, int]:
        await upgrade(address)
        return await import_all(address, source)

    if str(file) == "-":
        _tell(asyncio.run(read(sys.stdin.buffer)), "imported")
        return
    try:
        source = file.open("rb")
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from None
    with source:
        _tell(asyncio.run(read(source)), "imported")


@app.command("backup")
def back_up(file: Annotated[Path, typer.Argument(help="Where to.")], config: Config = None) -> None:
    """Copy a SQLite database to a file, whole and checked, while nodes go on working."""
    size = backup(load(config).database, file)
    print(f"{file}: {size / 1e6:.1f} MB. Keep the master key with it, but not in the same place.")


def _new_file(file: Path) -> IO[bytes]:
    """A file that nobody else may read. Raises ``UsageError`` where there is one already."""
    try:
        return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError:
        raise UsageError(f"{file} is there already; choose another name") from None
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from None


def _tell(counts: dict[str, int], what: str) -> None:
    print(f"{what}: {', '.join(f'{count} {table}' for table, count in counts.items() if count)}", file=sys.stderr)


def _verdict(version: int) -> str:
    if version == SCHEMA_VERSION:
        return "as this innkeeper knows it"
    if version == NOTHING:
        return "no tables yet: innkeeper db upgrade"
    if version < SCHEMA_VERSION:
        return f"older than this innkeeper's {SCHEMA_VERSION}: innkeeper db upgrade"
    return f"newer than this innkeeper's {SCHEMA_VERSION}: run the innkeeper that made it"
