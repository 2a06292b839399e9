"""Which check said no: many tokens beside each other, a column for each check, stopped at the first refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from innkeeper.figures.drawing import FAINT, GREEN, GREEN_PAPER, LINE, RED, RED_PAPER, WIDTH, Figure, Sheet, cut
from innkeeper.tokens.trail import Trail

ROW, LEFT, TOP = 26, 250, 172


class Judged(Protocol):
    """What a guard answers, good or bad."""

    @property
    def trail(self) -> Trail: ...


def matrix(judged: Mapping[str, Judged]) -> Figure:
    """A row for each token. A mark stands where the guard looked; it looks no further once it has said no."""
    trails = {name: one.trail for name, one in judged.items()}
    columns = _columns(list(trails.values()))
    width = (WIDTH - LEFT - 60) / max(len(columns), 1)
    sheet = Sheet(TOP + ROW * len(trails) + 16, f"{len(trails)} tokens, {len(columns)} checks")
    for number, column in enumerate(columns):
        _slanted(sheet, LEFT + width * (number + 0.5), TOP - 8, column)
    for line, (name, trail) in enumerate(trails.items()):
        y = TOP + ROW * line
        sheet.text(LEFT - 12, y + 17, cut(name, 36), 12, anchor="end")
        _row(sheet, trail, columns, y, width)
    words = "\n".join(f"{name}: {_verdict(trail)}" for name, trail in trails.items())
    return Figure(sheet.root, words)


def _row(sheet: Sheet, trail: Trail, columns: list[str], y: float, width: float) -> None:
    went = {step.check.name: step.passed for step in trail.steps}
    for number, column in enumerate(columns):
        x = LEFT + width * number
        passed = went.get(column)
        paper = {True: GREEN_PAPER, False: RED_PAPER, None: "none"}[passed]
        sheet.box(x + 1, y + 1, width - 2, ROW - 2, paper, LINE, radius=3)
        if passed is not None:
            mark, ink = ("✓", GREEN) if passed else ("✗", RED)
            sheet.text(x + width / 2, y + 18, mark, 13, ink, anchor="middle", bold=True)
    number_of = trail.refusal.page.number if trail.refusal else ""
    sheet.text(WIDTH - 52, y + 17, number_of or "opens", 11, RED if number_of else GREEN, code=True)


def _slanted(sheet: Sheet, x: float, y: float, said: str) -> None:
    sheet.text(x, y, said, 11, FAINT)
    sheet.root[-1].set("transform", f"rotate(-60 {x:.1f} {y:.1f})")


def _columns(trails: list[Trail]) -> list[str]:
    """Every check that was made, in the order of the longest trail that has it."""
    names: list[str] = []
    for trail in sorted(trails, key=lambda one: -len(one.steps)):
        place = 0
        for step in trail.steps:
            if step.check.name in names:
                place = names.index(step.check.name) + 1
            else:
                names.insert(place, step.check.name)
                place += 1
    return names


def _verdict(trail: Trail) -> str:
    return f"refused, {trail.refusal.page.title} [{trail.refusal.page.number}]" if trail.refusal else "opens"
