"""``innkeeper resource``: the APIs that tokens are cut for, and their scopes."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from innkeeper.cli.administering import Config, Json, PlanOnly, change, look, print_json
from innkeeper.issuer.desk.admin.readings import MOST
from innkeeper.protocol.refusals import UsageError

app = typer.Typer(help="Add, list and change resources and scopes.", no_args_is_help=True, add_completion=False)

Uri = Annotated[str, typer.Argument(help="Its address, as tokens name it.")]
Scopes = Annotated[list[str] | None, typer.Option("--scope", help="NAME=SENTENCE for people; repeat for several.")]


@app.command("list")
def list_all(as_json: Json = False, config: Config = None) -> None:
    """List every resource with its scopes."""
    found = look(config, "resources", query={"limit": str(MOST)})["items"]
    if as_json:
        print_json(found)
        return
    for one in found:
        print(f"{one['uri']}  {one['name']}")
        for name, says in one["scopes"].items():
            print(f"  {name}  {says}")


@app.command("show")
def show(uri: Uri, config: Config = None) -> None:
    """Print a resource as JSON."""
    print_json(look(config, "resource", uri))


@app.command("add")
def add(uri: Uri, name: str, scope: Scopes = None, plan: PlanOnly = False, config: Config = None) -> None:
    """Register a resource."""
    if change(config, "resource.add", "", {"uri": uri, "name": name, "scopes": _pairs(scope)}, plan=plan):
        print(f"{uri} is a resource now.", file=sys.stderr)


@app.command("change")
def alter(
    uri: Uri,
    name: Annotated[str | None, typer.Option(help="Its name, as people see it.")] = None,
    scope: Scopes = None,
    remove_scope: Annotated[list[str] | None, typer.Option(help="A scope to take away.")] = None,
    plan: PlanOnly = False,
    config: Config = None,
) -> None:
    """Change a resource: scopes that are named are added or worded anew, the others stay."""
    scopes = None
    if scope or remove_scope:
        known = look(config, "resource", uri)["scopes"]
        gone = set(remove_scope or ())
        scopes = {one: says for one, says in {**known, **_pairs(scope)}.items() if one not in gone}
    if change(config, "resource.change", uri, {"name": name, "scopes": scopes}, plan=plan):
        print(f"{uri} is changed.", file=sys.stderr)


@app.command("remove")
def remove(uri: Uri, plan: PlanOnly = False, config: Config = None) -> None:
    """Forget a resource: no token is cut for it any more."""
    if change(config, "resource.remove", uri, {}, plan=plan):
        print(f"{uri} is no longer a resource here.", file=sys.stderr)


def _pairs(given: list[str] | None) -> dict[str, str]:
    pairs = [one.partition("=") for one in given or ()]
    for name, mark, says in pairs:
        if not (name and mark and says):
            raise UsageError(f"--scope {name!r}: write the name, =, and a sentence, as 'room:enter=Open your room'")
    return {name: says for name, _, says in pairs}
