"""By what an exchange is known to belong to a visit: the visit's cookie in a browser, or its header from a program."""

from __future__ import annotations

COOKIE = "innkeeper_tour"
HEADER = "innkeeper-tour"
THIEF = "thief"
"""How the label of a request begins that is made by a thief, in a visit in which one has a copy of the card."""


def marked(visit_id: str, label: str = "") -> dict[str, str]:
    """The header of a program's request for a visit; ``label`` is the program's own name for this one request."""
    return {HEADER: f"{visit_id}/{label}" if label else visit_id}
