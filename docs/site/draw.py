"""A recorded flow as a picture that takes the colours of the page around it, with the same in words below. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from docs.site.record import Recording

WIDTH = 900
LONGEST = 46
"""Letters of an address that an arrow bears."""


def figure(recording: Recording, about: str, acts: Sequence[int] = ()) -> str:
    """A flow for a page: the diagram, its caption, the messages in words. ``acts`` chooses some; none are all."""
    shown = _hops(recording, acts)
    used = {hop["from"] for hop in shown} | {hop["to"] for hop in shown}
    lanes = [lane for lane in recording["visit"]["lanes"] if lane["key"] in used]
    html = (
        _templates()
        .get_template("flow.html")
        .render(
            flow=recording,
            about=about,
            hops=shown,
            lanes=lanes,
            at={lane["key"]: round((n + 0.5) * WIDTH / len(lanes), 1) for n, lane in enumerate(lanes)},
            width=WIDTH,
            name=f"flow-{recording['key']}" + "".join(f"-{act}" for act in acts),
        )
    )
    return re.sub(r"\s*\n\s*", "\n", html).strip()


def _hops(recording: Recording, acts: Sequence[int]) -> list[dict[str, Any]]:
    """The messages of these acts, in order, as they are drawn."""
    of = {n: act["n"] for act in recording["acts"] for n in act["hops"]}
    kept = [hop for hop in recording["visit"]["hops"] if not acts or of.get(hop["n"]) in acts]
    return [_hop(n, hop) for n, hop in enumerate(kept, 1)]


def _hop(n: int, hop: dict[str, Any]) -> dict[str, Any]:
    response = hop["response"]
    failed = [step for trail in hop["trails"] if trail["verdict"] == "refused" for step in trail["steps"]]
    return {
        "n": n,
        "from": hop["from"],
        "to": hop["to"],
        "title": hop["title"],
        "explain": hop["explain"],
        "asked": f"{hop['request']['method']} {_short(hop['request']['path'])}",
        "came": f"{response['status']} {response['phrase']}",
        "kind": "no" if response["status"] >= 400 else "on" if response["status"] >= 300 else "yes",
        "refused": next(
            (f"{one['label']}: {one['reason']} ({one['spec']})" for one in failed if not one["passed"]), ""
        ),
    }


def _short(path: str) -> str:
    return path if len(path) <= LONGEST else f"{path[: LONGEST - 1]}…"


def _templates() -> Environment:
    folder = FileSystemLoader(Path(__file__).parent)
    return Environment(loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
