"""JSON objects read without ambiguity: no name twice, no NaN, no surrogate alone, no deep nesting (RFC 7493 §2.3)."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import msgspec

DEPTH = 16
"""Deepest nesting read. Tokens and metadata seen in the wild stay under six; a parser's stack is not theirs to use."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class NotStrict(ValueError):
    """The bytes are no unambiguous JSON object; the message says why."""


def read_object(data: bytes, *, depth: int = DEPTH) -> dict[str, Any]:
    """The JSON object in ``data``. Raises ``NotStrict``.

    Fast where ``data`` is compact JSON: encoding what was read gives the same bytes back only if no name stood
    twice. Anything else is read again, slowly, by a parser that sees every pair.
    """
    if data.rfind(b"{") > 0 or data.find(b"[") != data.rfind(b"["):  # most are flat, but for a list or two
        _measure(data, depth)
    try:
        document = _decode(data)
    except (ValueError, RecursionError):
        raise NotStrict("not JSON in UTF-8") from None
    if type(document) is not dict:
        raise NotStrict("JSON, but not an object")
    if _encode(document) != data:
        _refuse_repeated_names(data)
    return document


def _measure(data: bytes, depth: int) -> None:
    if data.count(b"[") + data.count(b"{") <= depth:
        return
    level = 0
    for byte in _STRING.sub(b"", data):
        if byte in b"[{":
            level += 1
            if level > depth:
                raise NotStrict(f"nested deeper than {depth} levels")
        elif byte in b"]}":
            level -= 1


def _refuse_repeated_names(data: bytes) -> None:
    try:
        json.loads(data.decode("utf-8"), object_pairs_hook=_only_once, parse_constant=_no_constant)
    except NotStrict:
        raise
    except ValueError:
        raise NotStrict("not JSON in UTF-8") from None


def _only_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise NotStrict(f"member {name[:40]!r} stands twice")
        found[name] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise NotStrict(f"{name} is not JSON")
