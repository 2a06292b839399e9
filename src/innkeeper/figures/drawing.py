"""Paper and ink: SVG and tables as trees, in colours that can be read on a light page and on a dark one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

PAPER, CARD, LINE, FAINT, INK = "#f3eee4", "#fffdf8", "#dad2c1", "#5f685f", "#1c2522"
BRASS, GREEN, RED = "#8a6420", "#1d6040", "#93292c"
GREEN_PAPER, RED_PAPER, BRASS_PAPER = "#dfe9dc", "#f3dcd8", "#f4e7cb"

PLAIN, CODE = "system-ui, sans-serif", "ui-monospace, monospace"
WIDTH = 860


class Figure:
    """A picture, and the same in words."""

    def __init__(self, picture: Element, words: str) -> None:
        self._picture = picture
        self._words = words

    @property
    def source(self) -> str:
        return ElementTree.tostring(self._picture, encoding="unicode")

    def __str__(self) -> str:
        return self._words

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        kind = "image/svg+xml" if self._picture.tag == "svg" else "text/html"
        return {kind: self.source, "text/plain": self._words}


class Sheet:
    """A sheet of paper of some height, to write and draw on. Strokes and letters are in the order they were made."""

    def __init__(self, height: int, label: str, width: int = WIDTH) -> None:
        size = {"width": str(width), "height": str(height), "viewBox": f"0 0 {width} {height}"}
        self.root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, "role": "img", "aria-label": label})
        self.root.set("style", "max-width:100%;height:auto")
        self.box(0, 0, width, height, PAPER, radius=10)

    def box(
        self, x: float, y: float, width: float, height: float, fill: str, stroke: str = "", radius: int = 6
    ) -> None:
        at = {"x": _n(x), "y": _n(y), "width": _n(width), "height": _n(height), "rx": str(radius), "fill": fill}
        SubElement(self.root, "rect", {**at, **({"stroke": stroke} if stroke else {})})

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str = INK, dashed: bool = False) -> None:
        at = {"x1": _n(x1), "y1": _n(y1), "x2": _n(x2), "y2": _n(y2), "stroke": stroke, "stroke-width": "1.6"}
        SubElement(self.root, "line", {**at, **({"stroke-dasharray": "4 4"} if dashed else {})})

    def arrow(self, x1: float, x2: float, y: float, stroke: str = INK, dashed: bool = False) -> None:
        way = 1 if x2 > x1 else -1
        self.line(x1, y, x2 - way * 6, y, stroke, dashed)
        SubElement(self.root, "path", {"d": f"M{_n(x2)} {_n(y)}l{-way * 9}-5v10z", "fill": stroke})

    def text(
        self,
        x: float,
        y: float,
        said: str,
        size: int = 13,
        fill: str = INK,
        *,
        anchor: str = "start",
        bold: bool = False,
        code: bool = False,
        over: str = "",
    ) -> None:
        """Write. ``over`` is the colour of a rim that keeps the letters apart from lines behind them."""
        at = {"x": _n(x), "y": _n(y), "font-size": str(size), "fill": fill, "text-anchor": anchor}
        at["font-family"] = CODE if code else PLAIN
        rim = {"stroke": over, "stroke-width": "4", "paint-order": "stroke"} if over else {}
        SubElement(self.root, "text", {**at, **rim, **({"font-weight": "600"} if bold else {})}).text = said

    def circle(self, x: float, y: float, radius: float, fill: str, stroke: str) -> None:
        at = {"cx": _n(x), "cy": _n(y), "r": _n(radius), "fill": fill, "stroke": stroke, "fill-opacity": "0.7"}
        SubElement(self.root, "circle", at)


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], marked: int = 0) -> Element:
    """A table for people; the first ``marked`` columns are code."""
    root = Element("table")
    head = SubElement(SubElement(root, "thead"), "tr")
    for one in heads:
        SubElement(head, "th", {"style": _LEFT}).text = one
    body = SubElement(root, "tbody")
    for row in rows:
        line = SubElement(body, "tr")
        for number, cell in enumerate(row):
            held = SubElement(line, "td", {"style": _LEFT + (_BREAK if number == marked - 1 else "")})
            (SubElement(held, "code") if number < marked else held).text = cell
    return root


_LEFT, _BREAK = "text-align:left;vertical-align:top", ";overflow-wrap:anywhere;min-width:11em;max-width:26em"


def cut(text: str, limit: int) -> str:
    """A text that fits."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def wrapped(text: str, limit: int) -> list[str]:
    """A text in lines of at most so many letters."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) + 1 > limit and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
