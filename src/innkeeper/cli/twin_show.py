"""``innkeeper twin show``: the realms that stand in for a cloud, and everything that code for that cloud has to be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from innkeeper.issuer.app.cognito import shown as shown_cognito
from innkeeper.issuer.app.entra_shown import shown as shown_entra
from innkeeper.issuer.settings import SeedTwin, Settings, load
from innkeeper.protocol.refusals import UsageError


def command(
    config: Annotated[Path | None, typer.Option(help="The settings file; innkeeper.toml here by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it for programs.")] = False,
) -> None:
    """Show each twin: its issuer and endpoints, its clients with their secrets, its scopes."""
    twins = shown_twins(config)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode({"twins": twins}), indent=2).decode())
        return
    print("\n\n".join("\n".join(_page(one)) for one in twins))


def shown_twins(config: Path | None) -> list[dict[str, Any]]:
    """What there is to say of every twin in the settings. Raises ``UsageError`` where there is none."""
    settings = load(config)
    if not settings.twin:
        raise UsageError("the settings have no [[twin]]; add one with a dialect, cognito or entra, and an id")
    return [SHOWN[one.dialect](settings, one) for one in settings.twin if one.dialect in SHOWN]


SHOWN: Mapping[str, Callable[[Settings, SeedTwin], dict[str, Any]]] = {
    "cognito": shown_cognito,
    "entra": shown_entra,
}
"""What there is to say of a twin, by its dialect."""


def _page(twin: Mapping[str, Any]) -> list[str]:
    lines = [f"{twin['dialect']}  {twin['issuer']}"]
    lines += [f"  {name:<14} {url}" for name, url in twin["endpoints"].items()]
    for client in twin["clients"]:
        secret = client["secret"] or "(public, no secret)"
        lines.append(f"  client         {client['name']}: {client['id']}  {secret}")
    return [*lines, *(f"  scope          {one}" for one in twin["scopes"])]
