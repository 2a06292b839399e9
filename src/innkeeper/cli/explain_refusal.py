"""A refusal that somebody was told, explained in the terminal: why it came, what mends it where, how sure we are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from innkeeper.cli.show import heading, show
from innkeeper.client.refused import quoted
from innkeeper.explain.refused import COGNITO, ENTRA, NATIVE, Known, Told, meant
from innkeeper.issuer.core.entra.aadsts import Aadsts
from innkeeper.protocol.refusals import UsageError

_IN_FULL = 3
"""More than so many that fit are listed, a line each."""

_SPOKEN = {COGNITO: "the twin of Amazon Cognito", ENTRA: "the twin of Microsoft Entra ID", NATIVE: "innkeeper itself"}
_SURE = {
    "documented": "documented: the cloud's own documents say so",
    "observed": "observed: a public client, a recording or an issue shows it",
    "inferred": "inferred: nobody wrote it down where we looked; tell us if your cloud does otherwise",
    "": "ours: this refusal is innkeeper's own, no cloud's",
}


def show_it(told: Told, reader: str, *, as_json: bool) -> int:
    """Print what is known of a refusal. Raises ``UsageError`` where nothing is."""
    found = meant(told, reader if reader in _SPOKEN else "")
    if not found:
        raise UsageError(f"{_name(told)} is none of the refusals known here; docs/reference/refusals.md lists them")
    if as_json:
        print(json.dumps({"refusals": [_document(one) for one in found]}, indent=2, ensure_ascii=False))
    elif len(found) > _IN_FULL:
        _list(told, found)
    else:
        for place, one in enumerate(found):
            show(Text(_title(one), style="bold") if not place else heading(_title(one)), _told(one))
    return 0


def _name(told: Told) -> str:
    return told.number or (f"AADSTS{told.code}" if told.code else quoted(told.error or told.said, 80))


def _title(known: Known) -> str:
    page = known.page
    code = f"  AADSTS{page.code}" if isinstance(page, Aadsts) else ""
    return f"{page.number}{code}  {page.title}"


def _told(known: Known) -> Padding:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, text in _facts(known):
        table.add_row(name, Text(text))
    return Padding(table, (0, 0, 0, 2))


def _facts(known: Known) -> Iterator[tuple[str, str]]:
    page = known.page
    yield "told by", _SPOKEN[known.dialect]
    if page.wire:
        yield "on the wire", f"{page.error}, status {page.status}: {page.wire}"
    yield "why", page.cause
    yield "in code", page.remedy
    yield from ((f"in {place}", text) for place, text in page.remedies)
    yield "how sure", _SURE[page.level]


def _list(told: Told, found: Sequence[Known]) -> None:
    show(f"{len(found)} refusals are told so{'; the likeliest first' if told.said else ''}:\n")
    table = Table.grid(padding=(0, 2))
    for one in found:
        code = f"AADSTS{one.page.code}" if isinstance(one.page, Aadsts) else ""
        table.add_row(Text(one.page.number, style="bold"), code, Text(one.page.title), Text(one.dialect, style="dim"))
    show(Padding(table, (0, 0, 0, 2)))
    show(
        "\nGive more of the message, or one of the numbers, to have it explained; --as cognito, entra or native narrows it down."
    )


def _document(known: Known) -> dict[str, Any]:
    page = known.page
    return {
        "number": page.number,
        "aadsts": page.code if isinstance(page, Aadsts) else None,
        "dialect": known.dialect,
        "error": page.error,
        "status": page.status,
        "wire": page.wire,
        "title": page.title,
        "cause": page.cause,
        "remedies": {"code": page.remedy, **{place.removeprefix("the "): text for place, text in page.remedies}},
        "level": page.level or None,
    }
