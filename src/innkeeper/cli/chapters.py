"""``innkeeper tour --chapter``: a chapter of the tour, played by the house that is open and told in the terminal."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import Any

import httpx2
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from innkeeper.cli import REFUSED
from innkeeper.cli.show import heading, show
from innkeeper.client.refused import quoted
from innkeeper.protocol.refusals import Unreachable, UsageError
from innkeeper.tour.plays import Chapter, chapter, chapters

LIST = "list"
_TIMEOUT = 60.0


def told(issuer: str, name: str, *, as_json: bool) -> int:
    """Play a chapter and show each act with what came of it. Returns the exit code."""
    if name == LIST:
        show(_contents())
        return 0
    document = _played(issuer.rstrip("/"), _known(name))
    if as_json:
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _tell(document)
    return REFUSED if document["chapter"]["stuck"] or not document["chapter"]["ended"] else 0


def _known(name: str) -> Chapter:
    found = chapter(name)
    if found is None:
        near = get_close_matches(name, [one.key for one in chapters()], 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"--chapter {name!r} is no chapter of the tour{hint} All are told by --chapter {LIST}.")
    return found


def _played(issuer: str, one: Chapter) -> dict[str, Any]:
    """Ask the house to play the chapter."""
    address, headers = f"{issuer}/tour/chapters/{one.key}", {"accept": "application/json"}
    try:
        reply = httpx2.post(address, data={"play": "all"}, headers=headers, timeout=_TIMEOUT, trust_env=False)
        document: dict[str, Any] = reply.json()
    except (httpx2.HTTPError, ValueError) as failure:
        raise Unreachable(f"{address}: {failure}. Is the house open? It opens with: innkeeper up") from None
    if reply.status_code != 201:
        raise UsageError(f"{address} says: {quoted(document.get('error', reply.status_code))}")
    return document


def _contents() -> Table:
    table = Table.grid(padding=(0, 2))
    for one in chapters():
        table.add_row(Text(one.key, style="bold"), Text(one.question))
    return table


def _tell(document: dict[str, Any]) -> None:
    told = document["chapter"]
    show(heading(f"{told['number']}. {told['title']}"))
    show(Text(f"{told['question']}\n", style="italic"))
    for act in told["acts"]:
        show(Padding(_act(act), (0, 0, 0, 2)))
    for one in told["remember"] if told["ended"] else ():
        show(Text(f"\n{_plain(one)}", style="green"))
    show(Text(f"\nEvery message of it: {document['page']}", style="dim"))


def _act(act: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 1))
    sign = Text("·") if act["state"] != "done" else Text("✓", style="green") if act["ok"] else Text("✗", style="red")
    table.add_row(sign, Text.assemble(f"{act['who']}: {act['title']}  ", (quoted(act["outcome"]), "bold")))
    if not act["ok"]:
        table.add_row("", Text(f"expected {act['expect']}", style="red"))
    if failed := act["failed"]:
        table.add_row("", Text(f"{quoted(failed['name'])}: {quoted(failed['reason'])}  {failed['spec']}", style="dim"))
    if act["lesson"]:
        table.add_row("", Text(_plain(act["lesson"])))
    return table


def _plain(text: str) -> str:
    return text.replace("`", "").replace("*", "")
