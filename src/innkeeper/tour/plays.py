"""The chapters, read from ``chapters/``: what each is about, and the acts that are played for real, in order."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

Lane = Literal["browser", "app", "agent", "spa", "thief", "desk", "doors", "annexe", "cognito", "entra"]
Who = Literal["guest", "agent", "thief"]


class Act(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing somebody does, and what has to come of it.

    ``by`` does it. ``send`` is a request ("POST {token_endpoint}"); ``walk`` an address for a browser that fills in the
    pages it meets with ``answers``, and where a page only lists, follows the link beside the words ``follow``. ``ask`` stands in the address, ``form`` in the body; ``call`` is an MCP method, for a tool with its name, and ``arguments`` what goes along; ``basic`` names a client that
    shows its secret, ``bearer`` a token, ``dpop`` whose key signs a proof. ``make`` prepares values by recipes, ``keep``
    takes values from the answer. Texts between braces are values. ``expect`` is how the outcome has to begin.
    """

    by: Lane
    title: str
    says: str
    expect: str
    lesson: str = ""
    spec: str = ""
    make: dict[str, str] = {}
    send: str = ""
    walk: str = ""
    ask: dict[str, str] = {}
    form: dict[str, str] = {}
    call: str = ""
    arguments: dict[str, str] = {}
    headers: dict[str, str] = {}
    basic: str = ""
    bearer: str = ""
    dpop: str = ""
    answers: dict[str, str] = {}
    follow: str = ""
    keep: dict[str, str] = {}
    door: str = ""


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to type for the same result; ``prints`` is what has to stand in what is printed."""

    says: str
    line: str
    prints: str = ""


class Chapter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A chapter. ``who`` is seen in the hotel, ``lanes`` take part; ``needs`` names what not every house has."""

    key: str = ""
    title: str
    question: str
    lead: str
    oauth: str
    spec: str
    who: Who
    lanes: tuple[Lane, ...]
    acts: tuple[Act, ...]
    remember: tuple[str, ...]
    yourself: tuple[Line, ...] = ()
    needs: str = ""


class Comparison(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One flow at several desks: by desk, the same steps as acts, spelt as it is done there."""

    key: str = ""
    title: str
    says: str
    spec: str
    remember: tuple[str, ...]
    desks: dict[str, tuple[Act, ...]]

    def at(self, desk: str) -> Chapter:
        """The flow at one desk, as a chapter to be played."""
        here: Lane = "desk" if desk == "native" else _CLOUDS[desk]
        doing = tuple(dict.fromkeys(act.by for act in self.desks[desk]))
        return Chapter(
            key=f"{_COMPARE}{self.key}/{desk}",
            title=self.title,
            question=self.says,
            lead=self.says,
            oauth=self.title,
            spec=self.spec,
            who="agent" if doing == ("agent",) else "guest",
            lanes=(*doing, here),
            acts=self.desks[desk],
            remember=self.remember,
        )


_CLOUDS: dict[str, Lane] = {"cognito": "cognito", "entra": "entra"}
_COMPARE = "compare/"

ORDER = (
    "who-and-what",
    "api-key",
    "history",
    "discovery",
    "claims",
    "client-credentials",
    "code",
    "device",
    "ciba",
    "refresh",
    "revocation",
    "dpop",
    "exchange",
    "mcp",
    "cognito",
    "entra",
    "mistakes",
)
"""The chapters in the order they are told."""


@cache
def chapters() -> tuple[Chapter, ...]:
    """All chapters that there are, in order."""
    folder = files("innkeeper.tour") / "chapters"
    return tuple(_read(key) for key in ORDER if (folder / f"{key}.toml").is_file())


def chapter(key: str) -> Chapter | None:
    """The chapter of this name, or a comparison's at one desk, or None."""
    if key.startswith(_COMPARE):
        name, _, desk = key.removeprefix(_COMPARE).partition("/")
        told = comparison(name)
        return told.at(desk) if told and desk in told.desks else None
    return next((one for one in chapters() if one.key == key), None)


@cache
def comparisons() -> tuple[Comparison, ...]:
    """All flows that can be compared."""
    folder = files("innkeeper.tour") / "comparisons"
    return tuple(
        msgspec.structs.replace(msgspec.toml.decode((folder / f"{key}.toml").read_bytes(), type=Comparison), key=key)
        for key in ("client-credentials", "code")
    )


def comparison(key: str) -> Comparison | None:
    """The comparison of this name, or None."""
    return next((one for one in comparisons() if one.key == key), None)


def act_key(number: int) -> str:
    """The mark of an act's requests; acts count from 1."""
    return f"act-{number}"


def _read(key: str) -> Chapter:
    text = (files("innkeeper.tour") / "chapters" / f"{key}.toml").read_bytes()
    return msgspec.structs.replace(msgspec.toml.decode(text, type=Chapter), key=key)
