"""``innkeeper audit``: who decided and changed what, and whether the log still says so."""

from __future__ import annotations

import heapq
import json
import sys
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from innkeeper.issuer.app.administration import audit_folder
from innkeeper.issuer.settings import load
from innkeeper.issuer.witness.audit import chains, lines, verify
from innkeeper.protocol.refusals import UsageError

app = typer.Typer(help="Read and verify the audit log.", no_args_is_help=True, add_completion=False)

Config = Annotated[Path | None, typer.Option("--config", help="The settings file; innkeeper.toml here by default.")]

BROKEN = 1


@app.command("tail")
def tail(
    count: Annotated[int, typer.Option("-n", min=1, help="How many lines.")] = 20,
    config: Config = None,
) -> None:
    """Show the newest lines of all chains, the newest last."""
    for line in deque(_merged(_folder(config)), count):
        print(_in_words(line))


@app.command("verify")
def check(
    head: Annotated[
        list[str] | None,
        typer.Option(
            help="A head that was kept elsewhere: it has to be in its chain still. May be given several times."
        ),
    ] = None,
    config: Config = None,
) -> int:
    """Follow every chain from line to line, and print its head. Exit code 1 where one is broken."""
    expected, met, code = frozenset(head or ()), False, 0
    for name, files in chains(_folder(config)).items():
        verdict = verify(name, files, expected)
        met = met or verdict.anchored
        begins = "" if verdict.first <= 1 else f", from number {verdict.first} on"
        print(f"{name}: {verdict.lines} lines{begins}, head {verdict.head or 'none'}")
        if verdict.problem:
            print(f"{name}: BROKEN: {verdict.problem}. Compare it with a copy; what follows cannot be trusted.")
            code = BROKEN
    if expected and not met:
        print("BROKEN: no chain has the head that was kept, so the newest lines of one are gone.")
        code = BROKEN
    return code


@app.command("export")
def export(
    since: Annotated[str, typer.Option(help="Leave out what is older, as 2026-11-27 or 2026-11-27T18:00:00Z.")] = "",
    config: Config = None,
) -> None:
    """Write all lines of all chains as JSON, one a line, in the order of their times."""
    earliest = _seconds(since) if since else 0
    for line in _merged(_folder(config)):
        if line.get("at", 0) >= earliest:
            sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


def _folder(config: Path | None) -> Path:
    folder = audit_folder(load(config))
    if not folder.is_dir():
        raise UsageError(f"there is no audit log in {folder}; `innkeeper serve` begins one there")
    return folder


def _merged(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of all chains by time, each with its chain's name."""
    named = [_named(name, files) for name, files in chains(folder).items()]
    return heapq.merge(*named, key=lambda line: int(line.get("at", 0)))


def _named(name: str, files: list[Path]) -> Iterator[dict[str, Any]]:
    return ({"chain": name, **line} for line in lines(files))


def _in_words(line: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(int(line.get("at", 0)), UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    who = " ".join(f"{name}={line[name]}" for name in ("client", "subject", "network") if line.get(name))
    why = f"[{line['refusal']}] {line.get('why', '')}" if line.get("refusal") else ", ".join(line.get("changes", ()))
    words = (at, line.get("outcome", ""), line.get("about", ""), f"at {line.get('what', '')}", who, why)
    return "  ".join(word for word in words if word)


def _seconds(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--since {text!r}: write a date as 2026-11-27, or a time as 2026-11-27T18:00:00Z") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
