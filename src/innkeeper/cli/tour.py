"""``innkeeper tour``: the walk through the hotel, in a terminal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import msgspec
import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from innkeeper.cli import REFUSED, options, profiled, watching
from innkeeper.cli.chapters import told
from innkeeper.cli.show import OUT, heading, ledger, show
from innkeeper.client.profiles import load
from innkeeper.client.refused import quoted
from innkeeper.protocol.refusals import Unreachable
from innkeeper.tour import elsewhere
from innkeeper.tour.walk import StepResult, walk

_FLOWS = {
    "agent": "An agent, in its own name (client credentials)",
    "guest": "A guest, by way of an app (authorization code with PKCE)",
}


def command(
    issuer: options.Issuer,
    checks: Annotated[bool, typer.Option("--checks", help="Show every check of every step.")] = False,
    chapter: Annotated[str, typer.Option("--chapter", help="Play this chapter; 'list' tells which there are.")] = "",
    attach: Annotated[
        str, typer.Option("--attach", help="Show your own traffic at the house of this address, live.")
    ] = "",
    client: Annotated[str, typer.Option("--client", help="With --attach: this client's messages alone.")] = "",
    realm: Annotated[
        str, typer.Option("--realm", help="With --attach: this realm's alone (native, cognito, entra, hotel).")
    ] = "",
    outcome: Annotated[str, typer.Option("--outcome", help="With --attach: ok, refused or failed alone.")] = "",
    count: Annotated[int, typer.Option("--count", min=0, help="With --attach: stop after so many; 0 is never.")] = 0,
    as_json: options.AsJson = False,
    profile: profiled.Issuer = "",
) -> int:
    """Walk through the hotel: every message for real, every no with its reason.

    A house has to be open: innkeeper up. The walk is that of its seed; what refuses is meant to refuse. With
    --chapter a chapter of the tour is played instead. With --profile it is the agent's walk at that issuer, which may be
    a cloud, and a guard here stands for the API. With --attach nothing is played: the messages of your own application are
    shown as they come. Exit code 1: something went otherwise than it should.
    """
    if attach:
        return watching.told(attach, client=client, realm=realm, outcome=outcome, count=count, as_json=as_json)
    if chapter:
        return told(issuer, chapter, as_json=as_json)
    steps_there = _one_by_one(elsewhere.walk(load(profile))) if profile else None
    try:
        steps = asyncio.run(_walked(steps_there or walk(issuer), as_json=as_json, checks=checks))
    except Unreachable as failure:
        if profile:
            raise
        raise Unreachable(f"{failure}. Is the house open? It opens with: innkeeper up") from None
    surprises = [step for step in steps if not step.ok]
    if as_json:
        print(json.dumps([msgspec.to_builtins(step) for step in steps], indent=2, ensure_ascii=False))
    else:
        show(_conclusion(len(steps), len(surprises)))
    return REFUSED if surprises or not steps else 0


async def _one_by_one(steps: Iterator[StepResult]) -> AsyncIterator[StepResult]:
    for step in steps:
        yield step


async def _walked(walking: AsyncIterator[StepResult], *, as_json: bool, checks: bool) -> list[StepResult]:
    steps: list[StepResult] = []
    async for step in walking:
        if not as_json:
            _tell(step, new=not steps or steps[-1].flow != step.flow, checks=checks)
        steps.append(step)
    return steps


def _tell(step: StepResult, *, new: bool, checks: bool) -> None:
    if new:
        show(heading(_FLOWS[step.flow]))
    table = Table.grid(padding=(0, 1))
    table.add_row(Text("✓", style="green") if step.ok else Text("✗", style="bold red"), _line(step))
    if not step.ok:
        table.add_row("", Text(f"expected {step.expectation}", style="red"))
    if step.trail and checks:
        table.add_row("", ledger(step.trail))
    elif step.trail and (reason := _reason(step.trail)):
        table.add_row("", Text(reason, style="dim"))
    show(Padding(table, (0, 0, 0, 2)))


def _line(step: StepResult) -> Text:
    title = f"{step.title:{_TITLE}}  " if OUT.width >= 80 else f"{step.title}\n"
    return Text.assemble(title, (quoted(step.outcome, 120), "" if step.ok else "bold red"), overflow="fold")


def _reason(trail: dict[str, Any]) -> str:
    """The check that said no, in a line; "" where none did."""
    failed = next((one for one in trail["steps"] if not one["passed"]), None)
    return f"{quoted(failed['name'])}: {quoted(failed['reason'])}  {failed['spec']}" if failed else ""


def _conclusion(steps: int, surprises: int) -> Text:
    if surprises or not steps:
        return Text(f"\n{surprises} of {steps} steps went otherwise than they should.", style="bold red")
    return Text(
        f"\n{steps} steps, each as it should be: what opened was meant to open, what refused to refuse.",
        style="bold green",
    )


_TITLE = 44
"""Columns for a step's title, so that outcomes stand in line."""
