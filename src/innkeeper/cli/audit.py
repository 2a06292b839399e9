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

from innkeeper.cli.administering import Json, print_json
from innkeeper.issuer.app.administration import audit_folder
from innkeeper.issuer.settings import load
from innkeeper.issuer.witness.audit import chains, lines, verify
from innkeeper.issuer.witness.looking import MOST, look
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


@app.command("find")
def find(
    words: Annotated[str, typer.Argument(help="What stands anywhere in a line.")] = "",
    outcome: Annotated[str, typer.Option(help="passed or refused.")] = "",
    about: Annotated[str, typer.Option(help="What was decided about, as a line has it.")] = "",
    refusal: Annotated[str, typer.Option(help="The number of a refusal, as IK213.")] = "",
    client: Annotated[str, typer.Option(help="The id of a client.")] = "",
    subject: Annotated[str, typer.Option(help="The sub of a person.")] = "",
    by: Annotated[str, typer.Option(help="Who administered, as a line has it.")] = "",
    realm: Annotated[str, typer.Option(help="The name of a realm.")] = "",
    what: Annotated[str, typer.Option(help="The path or the command.")] = "",
    since: Annotated[str, typer.Option(help="Leave out what is older, as 2026-11-27 or 2026-11-27T18:00:00Z.")] = "",
    until: Annotated[str, typer.Option(help="Leave out what is newer, written alike.")] = "",
    count: Annotated[int, typer.Option("-n", min=1, max=MOST, help="How many lines.")] = 20,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Look for lines, the newest first, by the filters that the console and the admin API have."""
    said = {
        "q": words, "outcome": outcome, "about": about, "refusal": refusal, "client": client, "subject": subject, "by": by,
        "realm": realm, "what": what, "since": _moment("--since", since), "until": _moment("--until", until),
    }  # fmt: skip
    asked = {name: text for name, text in said.items() if text}
    found = look(_folder(config), {**asked, "limit": str(count)})
    if as_json:
        print_json(found["lines"])
        return
    for line in found["lines"]:
        print(f"{line['chain']}.{line['n']}  {_in_words(line)}")
    print(f"{len(found['lines'])} of {found['searched']} lines fit.", file=sys.stderr)


@app.command("show")
def show(
    line: Annotated[str, typer.Argument(help="Its chain and number, as `innkeeper audit find` has them: serve-1.204")],
    config: Config = None,
) -> None:
    """Print one line as JSON, with the checks of a refusal or the values before and after a change."""
    found = look(_folder(config), {"line": line})["lines"]
    if not found:
        raise UsageError(f"no line {line!r} in the log; `innkeeper audit find` has their numbers")
    print_json(found[0])


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
    earliest = _seconds("--since", since) if since else 0
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


def _moment(option: str, text: str) -> str:
    return str(_seconds(option, text)) if text else ""


def _seconds(option: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r}: write a date as 2026-11-27, or a time as 2026-11-27T18:00:00Z") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
