"""``innkeeper policy``: lifetimes and other rules, set while the issuer is served, and put back to what the settings say."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import msgspec
import typer

from innkeeper.cli.administering import Config, Json, PlanOnly, change, look, print_json
from innkeeper.protocol.refusals import UsageError

app = typer.Typer(help="Show and set lifetimes and other rules.", no_args_is_help=True, add_completion=False)


@app.command("show")
def show(as_json: Json = False, config: Config = None) -> None:
    """Show the rules in force, and which of them stand in the place of the settings'."""
    rules = look(config, "policy")["rules"]
    if as_json:
        print_json(rules)
        return
    width = max(map(len, rules))
    for name, one in rules.items():
        note = f"  (the settings say {_shown(one['settings'])})" if one["set_here"] else ""
        print(f"{name:{width}}  {_shown(one['value'])}{note}")


@app.command("set")
def set_rules(
    rules: Annotated[list[str], typer.Argument(help="NAME=VALUE, as access_lifetime=300; several at once.")],
    plan: PlanOnly = False,
    config: Config = None,
) -> None:
    """Set rules in the place of what the settings say, on every node, at once."""
    pairs = [one.partition("=") for one in rules]
    for name, mark, _ in pairs:
        if not mark:
            raise UsageError(f"{name!r}: write NAME=VALUE, as access_lifetime=300")
    if change(config, "policy.change", "", {"set": {name: _value(said) for name, _, said in pairs}}, plan=plan):
        print(f"{', '.join(name for name, _, _ in pairs)}: set.", file=sys.stderr)


@app.command("unset")
def unset(
    names: Annotated[list[str], typer.Argument(help="Rules that go back to what the settings say.")],
    plan: PlanOnly = False,
    config: Config = None,
) -> None:
    """Put rules back to what the settings say."""
    if change(config, "policy.change", "", {"unset": list(names)}, plan=plan):
        print(f"{', '.join(names)}: as the settings say.", file=sys.stderr)


def _value(said: str) -> Any:
    """A number, true or false as such, and everything else as a text."""
    try:
        value = msgspec.json.decode(said)
    except msgspec.DecodeError:
        return said
    return value if isinstance(value, int | bool) else said


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
