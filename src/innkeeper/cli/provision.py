"""``innkeeper provision``: a cloud set up without Terraform, by the same inputs and with the same outputs."""

from __future__ import annotations

import json
import sys
import time
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from innkeeper.cli.show import note, show
from innkeeper.client import profiles
from innkeeper.client.profiles import from_outputs
from innkeeper.client.refused import quoted
from innkeeper.protocol.refusals import UsageError
from innkeeper.provision import inputs, record, running
from innkeeper.provision.parts import SIGNS, Action, Change, Part
from innkeeper.provision.running import Cloud, Elsewhere, Run

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Set up Amazon Cognito or Microsoft Entra ID without Terraform: the same inputs, the same outputs.",
)
destroy_app = typer.Typer(add_completion=False, no_args_is_help=True)
app.add_typer(destroy_app, name="destroy", help="Take away what provision made, and only that.")

Name = Annotated[str, typer.Argument(help="What the profile shall be called; name_prefix, too, where none is given.")]
Files = Annotated[
    list[Path] | None, typer.Option("--inputs", help="Inputs: a terraform.tfvars.json, or the same in TOML.")
]
Said = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="One input; JSON where it is no text.")
]
Twin = Annotated[bool, typer.Option("--twin", help="At the twin of the inn here, not in the cloud.")]
Config = Annotated[Path | None, typer.Option(help="With --twin: the inn's settings file.")]
Plan = Annotated[bool, typer.Option("--plan", help="Say what would be made and changed, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
Json = Annotated[bool, typer.Option("--json", help="Print the plan for programs.")]
Client = Annotated[str, typer.Option(help="Which client the profile is for, where there are several.")]
Everything = Annotated[
    bool, typer.Option("--with-everything-in-it", help="Also where accounts and clients of others go with it.")
]


@app.command()
def cognito(
    name: Name,
    files: Files = None,
    said: Said = None,
    plan: Plan = False,
    yes: Yes = False,
    as_json: Json = False,
    client: Client = "",
    twin: Twin = False,
    config: Config = None,
) -> None:
    """Make or change a user pool with its API, clients and domain, as terraform/cognito does, and keep a profile of it.

    What is there already is found by the pool's tag and left as it is, so running it again changes nothing.
    """
    with _cognito(name, files, said, twin, config) as (run, cloud):
        _make(run, cloud, plan, yes, as_json, client)


@app.command()
def entra(
    name: Name,
    files: Files = None,
    said: Said = None,
    plan: Plan = False,
    yes: Yes = False,
    as_json: Json = False,
    client: Client = "",
    twin: Twin = False,
    config: Config = None,
) -> None:
    """Make or change an API and its clients in a tenant, as terraform/entra does, and keep a profile of them.

    What is there already is found by the applications' tags and left as it is, so running it again changes nothing.
    """
    with _entra(name, files, said, twin, config) as (run, cloud):
        _make(run, cloud, plan, yes, as_json, client)


@destroy_app.command("cognito")
def destroy_cognito(
    name: Name,
    files: Files = None,
    said: Said = None,
    plan: Plan = False,
    yes: Yes = False,
    as_json: Json = False,
    with_everything: Everything = False,
    twin: Twin = False,
    config: Config = None,
) -> None:
    """Delete the user pool that provision made, with the domain and the clients in it, and forget the profile."""
    with _cognito(name, files, said, twin, config) as (run, cloud):
        _destroy(run, cloud, plan, yes, as_json, with_everything)


@destroy_app.command("entra")
def destroy_entra(
    name: Name,
    files: Files = None,
    said: Said = None,
    plan: Plan = False,
    yes: Yes = False,
    as_json: Json = False,
    twin: Twin = False,
    config: Config = None,
) -> None:
    """Delete the applications and groups that provision made, and forget the profile."""
    with _entra(name, files, said, twin, config) as (run, cloud):
        _destroy(run, cloud, plan, yes, as_json, with_everything=False)


class _Opened(AbstractContextManager[tuple[Run, Cloud]]):
    """A run beside the way to its cloud."""

    def __init__(self, run: Run, way: AbstractContextManager[Any]) -> None:
        self._run, self._way = run, way

    def __enter__(self) -> tuple[Run, Cloud]:
        return self._run, self._way.__enter__()

    def __exit__(self, *failure: Any) -> None:
        self._way.__exit__(*failure)


def _cognito(name: str, files: list[Path] | None, said: list[str] | None, twin: bool, config: Path | None) -> _Opened:
    before = record.load(name, "cognito")
    there = _twin("cognito", config) if twin else None
    known = {"region": there["region"]} if there else {}
    wanted = running.given(
        inputs.CognitoInputs, name, {**_missing(known, before), **inputs.gathered(files or (), said or ())}, before
    )
    elsewhere = Elsewhere(endpoint=there["endpoints"]["api"].rstrip("/")) if there else None
    return _Opened(Run(name, "cognito", wanted, before), running.open_cognito(wanted, elsewhere))


def _entra(name: str, files: list[Path] | None, said: list[str] | None, twin: bool, config: Path | None) -> _Opened:
    before = record.load(name, "entra")
    there = _twin("entra", config) if twin else None
    known = {"tenant_id": there["tenant"]} if there else {}
    wanted = running.given(
        inputs.EntraInputs, name, {**_missing(known, before), **inputs.gathered(files or (), said or ())}, before
    )
    run = Run(name, "entra", wanted, before)
    elsewhere = _caretaker(there) if there else None
    return _Opened(run, running.open_entra(wanted, run, elsewhere, time.sleep, datetime.now(UTC)))


def _missing(known: dict[str, Any], before: record.Record) -> dict[str, Any]:
    return {name: value for name, value in known.items() if name not in before.inputs}


def _twin(dialect: str, config: Path | None) -> dict[str, Any]:
    from innkeeper.cli.twin_show import shown_twins

    found = next((one for one in shown_twins(config) if one["dialect"] == dialect), None)
    if found is None:
        raise UsageError(f"--twin: the settings have no twin of {dialect}")
    return found


def _caretaker(twin: dict[str, Any]) -> Elsewhere:
    """The twin's own administrator."""
    who = next(one for one in twin["clients"] if one["name"] == "caretaker")
    login = twin["authority"].removesuffix(f"/{twin['tenant']}")
    graph = twin["endpoints"]["graph"].removesuffix("/v1.0")
    return Elsewhere(endpoint=login, graph=graph, client_id=who["id"], client_secret=who["secret"])


def _make(run: Run, cloud: Cloud, plan: bool, yes: bool, as_json: bool, client: str) -> None:
    client = running.client_of(run.inputs, client)
    changes = run.plan(cloud)
    _tell(changes, as_json)
    if plan:
        return
    if any(one.action != "keep" for one in changes):
        _agreed(yes, "Make it so?")
    outputs = run.apply(cloud, _progress)
    profile = from_outputs(outputs, client)
    path = profiles.keep(run.name, profile)
    note(f"{path}: {profile.client_id} at {profile.issuer}")
    note(f"Try: innkeeper token --profile {run.name} | innkeeper explain --profile {run.name}")


def _destroy(run: Run, cloud: Cloud, plan: bool, yes: bool, as_json: bool, with_everything: bool) -> None:
    parts: list[Part] = run.doomed(cloud, with_everything=with_everything)
    _tell([Change(one.kind, one.name, "remove") for one in parts], as_json)
    if plan:
        return
    if parts:
        _agreed(yes, "Take it away for good?")
    run.destroy(parts, _progress)
    profiles.forget(run.name)
    note(f"{run.name} is gone, and its profile with it.")


def _agreed(yes: bool, question: str) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to be asked: --yes does it without asking, --plan changes nothing")
    typer.confirm(question, abort=True, err=True)


def _progress(change: Change) -> None:
    if change.action != "keep":
        note(f"{_DONE[change.action]} {change.kind} {change.name}")


_DONE: dict[Action, str] = {"make": "made", "change": "changed", "replace": "made anew", "remove": "removed"}
_COLOURS: dict[Action, str] = {"make": "green", "change": "yellow", "replace": "yellow", "keep": "dim", "remove": "red"}
_WILL: dict[Action, str] = {
    "make": "to make",
    "change": "to change",
    "replace": "to make anew",
    "remove": "to remove",
    "keep": "as they are",
}


def _tell(changes: list[Change], as_json: bool) -> None:
    if as_json:
        print(json.dumps([_document(one) for one in changes], indent=2, ensure_ascii=False))
        return
    show(*(line for one in changes for line in _lines(one)))
    counts = {action: sum(one.action == action for one in changes) for action in SIGNS}
    told = ", ".join(f"{count} {_WILL[action]}" for action, count in counts.items() if count)
    show(f"\nPlan: {told or 'there is nothing here that provision made'}.")
    sys.stdout.flush()  # what is done is told on standard error, after the plan


def _lines(change: Change) -> list[RenderableType]:
    """A part's line, and below it what is said of it: every member of what is new, the differences of what is there."""
    colour = _COLOURS[change.action]
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", style="dim" if change.action == "make" else colour)
    for one in change.differences:
        text = _said(one.wanted) if change.action == "make" else f"{_said(one.found)} → {_said(one.wanted)}"
        table.add_row(one.where, text)
    line = Text(quoted(change.line), style=colour)
    return [line, Padding(table, (0, 0, 0, 4))] if change.differences else [line]


def _said(value: Any) -> str:
    if value is None:
        return "(nothing)"
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return quoted(text, 1000)


def _document(change: Change) -> dict[str, Any]:
    differences = [{"where": one.where, "found": one.found, "wanted": one.wanted} for one in change.differences]
    return {"action": change.action, "kind": change.kind, "name": change.name, "differences": differences}
