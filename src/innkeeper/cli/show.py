"""How things look in the terminal: moments, ledgers of checks, names with their meaning.

Everything shown may hold somebody else's words, so nothing is read as markup and control characters are taken out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from innkeeper.client.refused import quoted
from innkeeper.tokens.trail import Check

OUT = Console(highlight=False, markup=False, emoji=False)
ERR = Console(stderr=True, highlight=False, markup=False, emoji=False)

WIDE = 110
"""Columns from which meanings stand beside values instead of below them."""

_UNITS = ((86400 * 365.25, "year"), (86400.0, "day"), (3600.0, "hour"), (60.0, "minute"), (1.0, "second"))
_NAME = 30  # columns for the name of a check, so that what was found stands in line
_LONGEST = 400  # characters of a value; more is no help to a reader


def show(*parts: RenderableType) -> None:
    """Print to standard output, one below the other; in a pipe without the blanks that fill a line."""
    if OUT.is_terminal:
        OUT.print(*parts, sep="\n")
        return
    with OUT.capture() as page:
        OUT.print(*parts, sep="\n")
    print("\n".join(line.rstrip() for line in page.get().splitlines()))


def note(text: str) -> None:
    """A word to the person on standard error, never cut or wrapped in the middle of an address."""
    ERR.print(Text(text), soft_wrap=True)


def moment(seconds: float, now: float) -> str:
    """A time in the reader's zone and how far off it is: "2026-11-23 21:04:10 CET, in 4 minutes"."""
    try:
        local = datetime.fromtimestamp(seconds, UTC).astimezone()
    except (OverflowError, OSError, ValueError):
        return f"{quoted(seconds, 40)}, which is no time a calendar knows"
    return f"{local:%Y-%m-%d %H:%M:%S %Z}, {distance(seconds - now)}"


def distance(seconds: float) -> str:
    """How far off, rounded: "in 4 minutes", "3 hours ago", "now"."""
    away = round(abs(seconds))
    for size, unit in _UNITS:
        if away >= size:
            count = round(away / size)
            words = f"{count} {unit}{'' if count == 1 else 's'}"
            return f"in {words}" if seconds > 0 else f"{words} ago"
    return "now"


def heading(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def meanings(rows: Iterable[tuple[str, str, str]]) -> RenderableType:
    """Names, values and what they mean: three columns where there is room, else the meaning below the value."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold", max_width=24)
    wide = OUT.width >= WIDE
    if wide:
        table.add_column(overflow="fold", ratio=2)
        table.add_column(overflow="fold", ratio=3, style="dim")
        table.expand = True
    else:
        table.add_column(overflow="fold")
    for name, value, meaning in rows:
        shown = [Text(quoted(value, _LONGEST)), Text(meaning, style="dim")]
        table.add_row(Text(quoted(name, 60)), *(shown if wide else [Group(*shown)]))
    return Padding(table, (0, 0, 0, 2))


def ledger(
    trail: Mapping[str, Any], checks: Sequence[Check[Any]] = (), *, unasked: frozenset[str] = frozenset()
) -> RenderableType:
    """A trail (``Trail.as_document``) as a list of marks. ``checks`` not in it are shown as not reached.

    Those named in ``unasked`` that passed are shown as not asked: nobody put their question.
    """
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for step in trail["steps"]:
        table.add_row(*_made(step, asked=step["name"] not in unasked))
    done = {step["name"] for step in trail["steps"]}
    for one in checks:
        if one.name not in done:
            table.add_row(Text("·", style="dim"), Text(f"{one.name}: not reached", style="dim"))
    return Padding(table, (0, 0, 0, 2))


def _made(step: Mapping[str, Any], *, asked: bool) -> tuple[Text, Text]:
    if not step["passed"]:
        return Text("✗", style="bold red"), _refused(step)
    if not asked:
        return Text("–", style="yellow"), Text(f"{step['name']}: not asked", style="yellow")
    return Text("✓", style="green"), _passed(step)


def _passed(step: Mapping[str, Any]) -> Text:
    name = step["name"].ljust(_NAME) if OUT.width >= 80 else step["name"]
    found = f"{quoted(step['found'], 120)}  " if step["found"] else ""
    return Text.assemble(name, (f"  {found}{step['spec']}", "dim"))


def _refused(step: Mapping[str, Any]) -> Text:
    text = Text.assemble((step["name"], "bold red"), (f"  {step['spec']}", "dim"), f"\n{quoted(step['reason'])}")
    for label, name in (("expected", "expected"), ("found", "found"), ("to mend it", "hint")):
        if step[name]:
            text.append(f"\n{label:11}", style="bold")
            text.append(quoted(step[name], _LONGEST))
    return text
