"""Who acts for whom, and what is left of the rights of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from innkeeper.figures.drawing import (
    BRASS,
    BRASS_PAPER,
    CARD,
    FAINT,
    GREEN,
    GREEN_PAPER,
    INK,
    LINE,
    WIDTH,
    Figure,
    Sheet,
    cut,
)


def acting(claims: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Figure:
    """The chain of ``act`` as the errand went: whose it is, who passed it on, who carries it out now.

    ``names`` calls somebody by a name that people know.
    """
    actors = _actors(claims.get("act"))
    chain = [str(claims["sub"]), *reversed(actors)]
    roles = ["sub: whose rights", *("passed it on" for _ in actors[1:]), *(["act: whose hands"] if actors else [])]
    shown = [(names or {}).get(one, one) for one in chain]
    gap = 84
    width = min((WIDTH - 40 - gap * (len(chain) - 1)) / len(chain), 260)
    sheet = Sheet(120, " → ".join(shown))
    for number, (name, role) in enumerate(zip(shown, roles, strict=True)):
        x, first = 20 + (width + gap) * number, number == 0
        sheet.box(x, 30, width, 62, GREEN_PAPER if first else BRASS_PAPER, LINE)
        sheet.text(x + width / 2, 58, cut(name, int(width / 9)), 14, INK, anchor="middle", bold=True)
        sheet.text(x + width / 2, 78, role, 11, GREEN if first else BRASS, anchor="middle", code=True)
        if not first:
            sheet.arrow(x - gap + 6, x - 6, 62, FAINT)
            sheet.text(x - gap / 2, 52, "asks", 11, FAINT, anchor="middle")
    return Figure(sheet.root, " → ".join(shown))


def _actors(act: Any) -> list[str]:
    """The actors, the present one first."""
    return [str(act.get("sub", "?")), *_actors(act.get("act"))] if isinstance(act, Mapping) else []


def common(ours: Mapping[str, Collection[str]], both: Collection[str]) -> Figure:
    """What two may do each, and what is left where one acts for the other: only what both may."""
    (one, first), (other, second) = ours.items()
    sheet = Sheet(236, f"Of {one} and {other} only {', '.join(sorted(both)) or 'nothing'} is left")
    sheet.circle(364, 128, 96, GREEN_PAPER, GREEN)
    sheet.circle(496, 128, 96, BRASS_PAPER, BRASS)
    for x, anchor, name, ink in ((262, "end", one, GREEN), (598, "start", other, BRASS)):
        sheet.text(x, 60, name, 14, ink, anchor=anchor, bold=True)
    _listed(sheet, 318, sorted(set(first) - set(both)))
    _listed(sheet, 542, sorted(set(second) - set(both)))
    sheet.box(376, 100, 108, 24 + 18 * len(both), CARD, LINE)
    for number, scope in enumerate(sorted(both)):
        sheet.text(430, 122 + 18 * number, scope, 12, INK, anchor="middle", code=True, bold=True)
    return Figure(
        sheet.root,
        f"{one}: {', '.join(sorted(first))}\n{other}: {', '.join(sorted(second))}\nboth: {', '.join(sorted(both))}",
    )


def _listed(sheet: Sheet, x: float, scopes: list[str]) -> None:
    for number, scope in enumerate(scopes):
        sheet.text(x, 122 + 18 * number, scope, 11, INK, anchor="middle", code=True)
