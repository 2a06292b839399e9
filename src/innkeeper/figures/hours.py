"""When a token opens: from when to when, and where now is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from innkeeper.figures.drawing import FAINT, GREEN, GREEN_PAPER, INK, RED, RED_PAPER, WIDTH, Figure, Sheet

LEFT, RIGHT, BAR = 40, WIDTH - 40, 62


def hours(claims: Mapping[str, Any], now: float) -> Figure:
    """The life of a token on a line of time: from ``nbf`` or ``iat`` to ``exp``, a little before and a little after."""
    begin, end = float(claims.get("nbf", claims["iat"])), float(claims["exp"])
    life = max(end - begin, 1.0)
    first, last = min(begin, now) - life * 0.12, max(end, now) + life * 0.2
    minutes = f"{life / 60:.0f} minutes"
    sheet = Sheet(128, f"The token opens for {minutes}")

    def at(moment: float) -> float:
        return LEFT + (RIGHT - LEFT) * (moment - first) / (last - first)

    for start, stop, paper in ((first, begin, RED_PAPER), (begin, end, GREEN_PAPER), (end, last, RED_PAPER)):
        sheet.box(at(start), BAR, at(stop) - at(start), 26, paper, radius=0)
    sheet.text((at(begin) + at(end)) / 2, BAR + 18, f"opens, for {minutes}", 12, GREEN, anchor="middle", bold=True)
    sheet.text((at(end) + at(last)) / 2, BAR + 18, "shut", 12, RED, anchor="middle", bold=True)
    for moment, name in ((begin, "nbf" if "nbf" in claims else "iat"), (end, "exp")):
        sheet.line(at(moment), BAR - 6, at(moment), BAR + 34, FAINT)
        sheet.text(at(moment), BAR + 50, f"{name}  {_clock(moment)}", 11, FAINT, anchor="middle", code=True)
    sheet.line(at(now), BAR - 22, at(now), BAR + 34, INK)
    sheet.text(at(now), BAR - 28, "now", 12, INK, anchor="middle", bold=True)
    state = "open" if begin <= now < end else "shut"
    return Figure(sheet.root, f"opens from {_clock(begin)} to {_clock(end)}; now {_clock(now)}: {state}")


def _clock(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%H:%M:%S} UTC"
