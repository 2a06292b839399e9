"""The audit log for people: a line in words, and one line with its trail and its differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from innkeeper.issuer.core.admin.plan import Difference
from innkeeper.issuer.desk.admin.actions import ACTIONS
from innkeeper.issuer.pages.admin.changing import difference_row
from innkeeper.issuer.pages.moments import machine_moment, moment
from innkeeper.issuer.pages.speaking import marked, translated

OUTCOMES = (marked("passed"), marked("refused"))


def audit_context(found: Mapping[str, Any], query: Mapping[str, str], at: str) -> dict[str, Any]:
    """The list's page."""
    more = {**query, "before": found["next"]} if found["next"] else None
    return {
        "rows": [_row(line, at) for line in found["lines"]],
        "query": query,
        "outcomes": OUTCOMES,
        "more": f"{at}?{urlencode(more)}" if more else None,
        "searched": found["searched"],
    }


def line_context(line: Mapping[str, Any]) -> dict[str, Any]:
    """The page of one line."""
    edits = [Difference(one["path"], one.get("before"), one.get("after")) for one in line.get("edits", ())]
    known = [(words, str(line[name])) for name, words in _FACTS if line.get(name)]
    return {
        "line": _row(line, ""),
        "facts": known,
        "changes": line.get("changes", ()),
        "edits": [difference_row(one) for one in edits],
        "steps": [_step(one) for one in line.get("trail", ())],
    }


_FACTS = (
    ("what", marked("At")), ("by", marked("Done by")), ("realm", marked("Realm")), ("client", marked("Client")), ("subject", marked("Subject")), ("grant", marked("Grant")),
    ("network", marked("From")), ("refusal", marked("Refusal")), ("why", marked("Why")), ("chain", marked("Chain")), ("n", marked("Line")), ("hash", marked("Hash")),
)  # fmt: skip


def _row(line: Mapping[str, Any], at: str) -> dict[str, Any]:
    who = line.get("by") or line.get("client") or line.get("subject") or line.get("network") or ""
    changes = line.get("changes", ())
    action, what = _administered(changes)
    return {
        "href": f"{at}/{line['chain']}/{line['n']}",
        "at": moment(int(line.get("at", 0))),
        "machine_at": machine_moment(int(line.get("at", 0))),
        "refused": line.get("outcome") == "refused",
        "outcome": line.get("outcome", ""),
        "about": action or line.get("about", ""),
        "administered": bool(action),
        "who": who,
        "refusal": line.get("refusal", ""),
        "says": line.get("why") or what or (changes[-1] if changes else "") or line.get("what", ""),
        "what": line.get("what", ""),
    }


def _administered(changes: Sequence[str]) -> tuple[str, str]:
    """What an administrator did, in words, and to what; two empty texts for any other line."""
    name, _, what = (changes[-1] if changes else "").partition(" ")
    return (translated(ACTIONS[name].does), what.partition(" ")[2]) if name in ACTIONS else ("", "")


def _step(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": one["check"],
        "spec": one["spec"],
        "sentence": "",
        "passed": one.get("passed", False),
        "expected": one.get("expected", ""),
        "found": one.get("found", ""),
    }
