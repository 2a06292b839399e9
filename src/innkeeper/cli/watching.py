"""``innkeeper tour --attach``: your own traffic at an open house, live in a terminal."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2
from rich.text import Text

from innkeeper.cli.show import show
from innkeeper.client.refused import quoted
from innkeeper.protocol.addresses import is_loopback_address
from innkeeper.protocol.refusals import Unreachable, UsageError

_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds before each further try to come back to a house that does not answer."""

Row = dict[str, Any]


def told(url: str, *, client: str, realm: str, outcome: str, count: int, as_json: bool) -> int:
    """Print messages as they come, until ``count`` of them were printed (0: until Ctrl-C). Raises ``Unreachable``."""
    base = _base(url)
    _start(base)
    if not as_json:
        show(Text(f"Watching {base}: open {base}/tour/watch to see whole messages. Ctrl-C stops.", style="dim"))
    wanted = {name: value for name, value in (("client", client), ("realm", realm), ("outcome", outcome)) if value}
    printed = 0
    for row in _rows(base):
        if any(row[name] != value for name, value in wanted.items()):
            continue
        print(json.dumps(row, ensure_ascii=False), flush=True) if as_json else show(line(row))
        printed += 1
        if printed == count:
            break
    return 0


def line(row: Row) -> Text:
    """A message in a line, and where it was refused the check that said no."""
    style = {"ok": "green", "refused": "bold red", "failed": "bold red"}[row["outcome"]]
    said = Text.assemble(
        (f"{row['at']}  ", "dim"),
        (f"{row['status'] or '---'!s:>3} ", style),
        f"{row['method']} {quoted(row['path'], 60)}  ",
        (f"{row['realm']}  {quoted(row['client'], 40) or 'no client named'}  {row['took_ms']} ms", "dim"),
        overflow="fold",
    )
    if row["failed"]:
        said.append(f"\n              {row['number']} {row['failed']}", "red")
    return said


def _base(url: str) -> str:
    base = url.rstrip("/").removesuffix("/tour/watch")
    host = httpx2.URL(base).host
    if host != "localhost" and not is_loopback_address(host):
        raise UsageError(
            f"--attach {url!r}: traffic is shown on this computer alone; give the address innkeeper up prints"
        )
    return base


def _start(base: str) -> None:
    """Have the house watch. Raises ``Unreachable``, ``UsageError``."""
    try:
        reply = httpx2.post(f"{base}/tour/watch/start", headers={"accept": "application/json"}, trust_env=False)
    except httpx2.TransportError as error:
        raise Unreachable(f"{base} does not answer ({error}). Is the house open? It opens with: innkeeper up") from None
    if reply.status_code != 200:
        raise UsageError(
            f"{base} shows no traffic ({reply.status_code}): it has to be one that innkeeper up has opened"
        )


def _rows(base: str) -> Iterator[Row]:
    """Rows as they come; a stream that breaks off is taken up where it was."""
    last, tries = "", 0
    with httpx2.Client(timeout=httpx2.Timeout(10, read=None), trust_env=False) as http:
        while True:
            try:
                for event in _events(http, base, last):
                    tries, last = 0, event.get("id", last)
                    yield from json.loads(event["data"]).get("rows", ())
            except httpx2.TransportError as error:
                if tries == len(_PAUSES):
                    raise Unreachable(f"{base} does not answer any more ({error})") from None
                time.sleep(_PAUSES[tries])
                tries += 1


def _events(http: httpx2.Client, base: str, last: str) -> Iterator[dict[str, str]]:
    """The events of one stream, each with its data and, where it has one, its id."""
    headers = {"accept": "text/event-stream", **({"last-event-id": last} if last else {})}
    with http.stream("GET", f"{base}/tour/watch/events", headers=headers) as reply:
        event: dict[str, str] = {}
        for text in reply.iter_lines():
            name, _, value = text.partition(": ")
            if text:
                event[name] = value
            elif "data" in event:
                yield event
                event = {}
