"""``innkeeper realm``: the issuers that one process serves, with what the console and the admin API say of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from innkeeper.cli.administering import Config, Json, print_json
from innkeeper.cli.state import MASTER_KEY
from innkeeper.issuer.app import open_issuer
from innkeeper.issuer.desk.admin.house import Missing
from innkeeper.issuer.desk.admin.readings import MOST, READINGS
from innkeeper.issuer.settings import load
from innkeeper.protocol.refusals import UsageError

app = typer.Typer(help="List the realms that are served.", no_args_is_help=True, add_completion=False)


@app.command("list")
def list_all(as_json: Json = False, config: Config = None) -> None:
    """List every realm: the issuer's own, the twins' pools and tenants."""
    found = _looked(config, "realms", query={"limit": str(MOST)})["items"]
    if as_json:
        print_json(found)
        return
    width = max(len(one["name"]) for one in found)
    for one in found:
        print(f"{one['name']:{width}}  {one['dialect']:7}  {one['issuer']}")


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="Its name, as `innkeeper realm list` has it.")], config: Config = None
) -> None:
    """Print a realm as JSON."""
    print_json(_looked(config, "realm", name))


def _looked(
    config: Path | None, reading: str, key: str = "", query: Mapping[str, str] | None = None
) -> Mapping[str, Any]:
    """What a reading says with every realm open. Raises ``UsageError``."""

    async def work() -> Mapping[str, Any]:
        issuer = await open_issuer(load(config), development=False, master=os.environ.get(MASTER_KEY))
        try:
            return (await READINGS[reading].look(issuer.house(), key, query or {})).document
        finally:
            issuer.close()

    try:
        return asyncio.run(work())
    except Missing as missing:
        raise UsageError(f"{missing}; `innkeeper realm list` shows them") from None
