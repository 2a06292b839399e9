"""The pictures of the documentation: each is there, shown somewhere, and no burden."""

from __future__ import annotations

import re
import struct
from pathlib import Path

from tests.tour.pictures import FOLDER, TAKEN, WINDOW

WEIGHT = 300_000
"""Bytes that one picture may weigh; a replay that moves far less."""
ALL = 2_400_000
MOVING = 20_000


def test_every_picture_that_is_taken_is_there_and_none_besides() -> None:
    assert {one.stem for one in FOLDER.glob("*.png")} == set(TAKEN)


def test_every_picture_is_shown_on_the_page_of_pictures() -> None:
    text = (FOLDER.parent / "in-pictures.md").read_text("utf-8")
    shown = re.findall(r"!\[([^\]]+)\]\(images/([^)]+)\)", text)
    assert {name for _, name in shown} == {one.name for one in FOLDER.iterdir()}
    assert all(words for words, _ in shown)


def test_no_picture_is_a_burden() -> None:
    weights = {one.name: one.stat().st_size for one in FOLDER.iterdir()}
    assert [name for name, weight in weights.items() if weight > WEIGHT] == []
    assert sum(weights.values()) < ALL
    assert (FOLDER / "replay.svg").stat().st_size < MOVING


def test_pictures_are_as_wide_as_the_window_that_they_were_taken_of() -> None:
    assert {_width(one) for one in FOLDER.glob("*.png")} == {WINDOW["width"]}


def _width(png: Path) -> int:
    """The first number of the picture's head (PNG, third edition, §11.2.1)."""
    width: int = struct.unpack(">I", png.read_bytes()[16:20])[0]
    return width
