"""Every numbered refusal, with what the caller is told, why it happens and what helps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from docs.generate.modules import modules
from innkeeper.protocol.refusals import Page

RANGES = {
    "1": "Authorizing, signing in, consenting, signing out",
    "2": "The token endpoint and client authentication",
    "3": "Introspection, revocation, userinfo",
    "4": "Fetching and registration",
    "5": "The guard and token verification",
    "6": "The client library and the command line",
    "7": "The hotel, and the page of your own traffic",
    "8": "What readers, the doctor and the client find",
    "9": "Signing in through another issuer",
    "10": "The Cognito twin: its OAuth endpoints and hosted pages",
    "11": "The Cognito twin: its JSON API",
    "12": "The Entra twin: its OAuth endpoints and pages",
    "13": "The Entra twin: signing in, and its Microsoft Graph",
    "14": "Agents: enterprise grants and workloads",
    "15": "Agents as principals and what they may do",
    "16": "The admin API and console",
}


class Numbered(NamedTuple):
    """A page, the room that holds it and its name there."""

    page: Page
    room: str
    constant: str


def numbered() -> list[Numbered]:
    """Every page of the house, in the order of its number."""
    found = [Numbered(page, module.room, name) for module in modules() for name, page in module.constants(Page)]
    return sorted(found, key=lambda one: (int(one.page.number[2:]), one.room))


def page() -> str:
    return "\n".join(["# Refusals\n", _INTRODUCTION, *_lines(numbered())])


def _lines(refusals: list[Numbered]) -> Iterator[str]:
    for hundreds, subject in RANGES.items():
        chapter = [one for one in refusals if one.page.number[2:-2] == hundreds]
        if chapter:
            yield f"## IK{hundreds}xx: {subject}\n"
            yield from map(_entry, chapter)


def _entry(one: Numbered) -> str:
    page = one.page
    elsewhere = "".join(f"\n- In {place}: {text}" for place, text in page.remedies)
    sure = f"\n- How sure we are: {page.level}" if page.level else ""
    return f"""### {page.number}

**{page.title}**

- On the wire: {_wire(page)}
- Why: {page.cause}
- What helps: {page.remedy}{elsewhere}{sure}
- In the code: `{one.constant}` in [`{one.room}`](../../src/innkeeper/{one.room})
"""


def _wire(page: Page) -> str:
    if not page.wire:
        return (
            f"no error code, status {page.status}" if not page.error else "nothing; it is told to the caller's own code"
        )
    return f'`{page.error}`, status {page.status}: "{page.wire}"'


_INTRODUCTION = """A refusal has two faces. The caller is told the error code of the specification and one safe sentence. The number
stays with the trail, in logs, in the tour and in `innkeeper explain`; it never changes its meaning, so a number found
in a log leads here.
"""
