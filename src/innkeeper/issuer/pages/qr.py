"""A QR code as one line drawing, for a template to put into an SVG."""

from __future__ import annotations

from itertools import groupby
from typing import Any

QUIET = 4
"""Empty modules around the code, without which readers do not find it (ISO/IEC 18004 §9.1)."""


def drawn(text: str) -> dict[str, Any]:
    """``size`` of the square in modules, and ``path``: a horizontal stroke, one module thick, for every dark run."""
    import segno

    rows = [list(row) for row in segno.make(text, error="m", micro=False).matrix]
    strokes = [stroke for at, row in enumerate(rows) for stroke in _strokes(at, row)]
    return {"size": len(rows) + 2 * QUIET, "path": "".join(strokes)}


def _strokes(row: int, modules: list[int]) -> list[str]:
    strokes, column = [], 0
    for dark, run in groupby(modules):
        length = len(list(run))
        if dark:
            strokes.append(f"M{column + QUIET} {row + QUIET}.5h{length}")
        column += length
    return strokes
