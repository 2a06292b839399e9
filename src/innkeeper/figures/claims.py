"""A token's members, one by one, with what each means and who says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from innkeeper.figures.drawing import (
    BRASS,
    BRASS_PAPER,
    CARD,
    FAINT,
    GREEN,
    GREEN_PAPER,
    LINE,
    Figure,
    Sheet,
    cut,
    table,
)
from innkeeper.keys import jws
from innkeeper.tokens.makers import claim_word, header_word, maker
from innkeeper.tokens.words import MOMENTS, Word


def claims(token: str) -> Figure:
    """Every member of a token's header and payload. Nothing is verified by reading it."""
    header, payload = _members(token)
    made_by = maker(payload)
    rows = [_row("header", name, value, header_word(name)) for name, value in header.items()]
    rows += [_row("payload", name, value, claim_word(name, made_by)) for name, value in payload.items()]
    told = "\n".join(f"{name}: {value}\n    {means}" for _, name, value, means in rows)
    return Figure(table(("", "member", "value", "what it means"), [(part, *rest) for part, *rest in rows], 3), told)


def parts(token: str) -> Figure:
    """The three parts of a signed token: what is said of it, what it says, and the seal, which is not shown."""
    header, payload = _members(token)
    seal = len(token.rpartition(".")[2])
    height = 96 + 18 * max(len(header), len(payload), 2)
    sheet = Sheet(height, f"A token: header with {len(header)} members, payload with {len(payload)}, signature")
    columns = (
        (16, 190, "header", BRASS, BRASS_PAPER, [f"{name}: {_plain(value)}" for name, value in header.items()]),
        (216, 460, "payload", GREEN, GREEN_PAPER, [f"{name}: {_plain(value)}" for name, value in payload.items()]),
        (686, 158, "signature", FAINT, CARD, [f"{seal} characters,", "never shown here"]),
    )
    for x, width, title, ink, paper, lines in columns:
        sheet.box(x, 40, width, height - 56, paper, LINE)
        sheet.text(x + 10, 62, title, 14, ink, bold=True)
        for number, line in enumerate(lines):
            sheet.text(x + 10, 86 + 18 * number, cut(line, (width - 16) // 7), 11, code=True)
    sheet.text(16, 26, "base64url(header) . base64url(payload) . base64url(signature)", 12, FAINT, code=True)
    return Figure(
        sheet.root, f"header: {', '.join(header)}\npayload: {', '.join(payload)}\nsignature: {seal} characters"
    )


def _members(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    parsed = jws.parse(token)
    return parsed.header, json.loads(parsed.claims)


def _row(part: str, name: str, value: Any, word: Word | None) -> tuple[str, str, str, str]:
    says = word.says if word else "Not a registered name: the issuer says what it means."
    source = f" ({word.spec or word.by})" if word and (word.spec or word.by) else ""
    shown = _moment(value) if name in MOMENTS and isinstance(value, int | float) else _plain(value)
    return part, name, shown, says + source


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
