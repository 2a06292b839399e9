"""What somebody sends for a change, made into the values that it takes: a member that is not among them is refused."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from innkeeper.protocol.refusals import UsageError

MOST_BYTES = 48 * 1024
LONGEST_TEXT = 8_192
MOST_VALUES = 1_000


def values_of(takes: type[msgspec.Struct], sent: Mapping[str, Any]) -> Any:
    """The values. Raises ``UsageError`` that names the member, the rule and what helps."""
    known = takes.__struct_fields__
    for name in sent:
        if name not in known:
            raise UsageError(f"no member {name!r} here: {_advice(name, known)}")
    for name, value in sent.items():
        _measure(name, value)
    try:
        return msgspec.convert(dict(sent), takes)
    except msgspec.ValidationError as error:
        raise UsageError(f"{str(error)[:1].lower()}{str(error)[1:]}") from None


def _advice(name: str, known: tuple[str, ...]) -> str:
    if not known:
        return "this takes no values"
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(known)}"


def _measure(name: str, value: Any) -> None:
    """Nothing is longer than anybody would write by hand."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise UsageError(f"{name} has {len(value)} characters; at most {LONGEST_TEXT} are taken")
    if isinstance(value, list | dict):
        if len(value) > MOST_VALUES:
            raise UsageError(f"{name} has {len(value)} values; at most {MOST_VALUES} are taken")
        for one in [*value.values(), *value] if isinstance(value, dict) else value:
            _measure(name, one)
