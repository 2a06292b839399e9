"""``innkeeper import``: people and clients from another issuer's export."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from innkeeper.cli.state import with_realm
from innkeeper.issuer.core.imports import auth0, cognito, keycloak
from innkeeper.issuer.core.imports.arriving import Arrivals
from innkeeper.issuer.desk.arrivals import Told, settle
from innkeeper.issuer.desk.realm import Realm
from innkeeper.protocol.refusals import UsageError

READERS: Mapping[str, Callable[[object], Arrivals]] = {
    "keycloak": keycloak.read,
    "auth0": auth0.read,
    "cognito": cognito.read,
}


def command(
    origin: Annotated[str, typer.Argument(metavar="ISSUER", help="Whose export it is: keycloak, auth0 or cognito.")],
    file: Annotated[Path, typer.Argument(help="The export; '-' reads it from standard input.")],
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would come of it.")] = False,
    config: Annotated[Path | None, typer.Option(help="The settings file; innkeeper.toml here by default.")] = None,
) -> None:
    """Take in people and clients of another issuer. Read twice, the same export changes nothing more.

    People keep their sub, and where the export has a hash of a kind that can be verified here, their password. A line for each: + came,
    ~ was made whole, = was here, - stays behind, and why.
    """
    if origin not in READERS:
        raise UsageError(f"no exports of {origin!r} are known; choose from {', '.join(READERS)}")
    arrivals = READERS[origin](_read(file))
    told = with_realm(config, lambda realm: _settled(realm, arrivals, write=not plan))
    for one in told:
        print(f"{one.sign} {one.what}{': ' if one.why else ''}{one.why}")
    sys.stdout.flush()  # before what is said beside it
    print(_summary(told, plan=plan), file=sys.stderr)


async def _settled(realm: Realm, arrivals: Arrivals, *, write: bool) -> list[Told]:
    return [one async for one in settle(realm, arrivals, write=write)]


def _read(file: Path) -> object:
    """The document; where it is a JSON value a line, the list of them. Raises ``UsageError``."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {error}") from None
    try:
        return json.loads(text)
    except ValueError:
        return _line_by_line(text, file)


def _line_by_line(text: str, file: Path) -> list[object]:
    found: list[object] = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            found += [json.loads(line)] if line.strip() else []
        except ValueError:
            raise UsageError(f"{file} is neither JSON nor JSON a line: line {number} cannot be read") from None
    return found


def _summary(told: list[Told], *, plan: bool) -> str:
    count = Counter(one.sign for one in told)
    will = "would come" if plan else "came"
    return f"{count['+']} {will}, {count['~']} made whole, {count['=']} here already, {count['-']} left behind."
