"""Who asked whom for what, message by message, as a ladder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from innkeeper.figures.drawing import CARD, FAINT, GREEN, INK, LINE, PAPER, RED, WIDTH, Figure, Sheet, cut

ROW, TOP = 44, 66


class Message(NamedTuple):
    """One message. ``good`` says how an answer went: True, False, or None for a question."""

    sender: str
    receiver: str
    said: str
    good: bool | None = None


def ladder(messages: Sequence[Message]) -> Figure:
    """The messages in their order; lanes in the order in which they first speak."""
    lanes = list(dict.fromkeys(name for one in messages for name in (one.sender, one.receiver)))
    step = (WIDTH - 32) / len(lanes)
    at = {name: 16 + step * (number + 0.5) for number, name in enumerate(lanes)}
    height = TOP + ROW * len(messages) + 16
    sheet = Sheet(height, f"{len(messages)} messages between {', '.join(lanes)}")
    for name, x in at.items():
        sheet.line(x, 50, x, height - 10, FAINT, dashed=True)
        sheet.box(x - min(step, 220) / 2 + 8, 16, min(step, 220) - 16, 34, CARD, LINE)
        sheet.text(x, 38, name, 13, anchor="middle", bold=True)
    for number, one in enumerate(messages):
        _drawn(sheet, one, at[one.sender], at[one.receiver], TOP + ROW * number + 26)
    words = "\n".join(f"{one.sender} → {one.receiver}: {one.said}" for one in messages)
    return Figure(sheet.root, words)


def _drawn(sheet: Sheet, one: Message, start: float, end: float, y: float) -> None:
    ink = INK if one.good is None else GREEN if one.good else RED
    sheet.arrow(start, end, y, ink, dashed=one.good is not None)
    room = int(abs(end - start) / 6.6)
    said = cut(one.said, max(room, 24))
    middle = (start + end) / 2
    half = len(said) * 3.4 + 6
    sheet.text(min(max(middle, half), WIDTH - half), y - 8, said, 11, ink, anchor="middle", code=True, over=PAPER)
