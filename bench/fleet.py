"""A fleet of machines, each a client with a secret of its own: who calls where no two requests are to be alike."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

MACHINES: Mapping[str, str] = {f"machine-{n:02}": f"secret-of-machine-{n:02}" for n in range(50)}
"""Ids and secrets; the peers of a bench know the same."""

SCOPES = ("room:enter", "gym:enter", "gym:enter room:enter")


def turns() -> Sequence[str]:
    """One line for each request in turn: an Authorization header, and a form with a place for a running number.

    The number is a parameter that nobody knows and everybody has to read and ignore (RFC 6749 §3.2), so that every
    request is another one.
    """
    return [
        f"{_basic(one, secret)}\tgrant_type=client_credentials&scope={scope.replace(' ', '+').replace(':', '%%3A')}&turn=%d"
        for scope in SCOPES
        for one, secret in MACHINES.items()
    ]


def settle_in(folder: Path, more: str = "") -> None:
    """Write settings into a folder: ``more`` ones, those for a laptop without its twins, and the fleet."""
    laptop = files("innkeeper.issuer").joinpath("laptop.toml").read_text("utf-8")
    house = re.sub(r"^\[\[?twin.*?(?=^\[\[(?!twin)|\Z)", "", laptop, flags=re.DOTALL | re.MULTILINE)
    (folder / "innkeeper.toml").write_text(more + house + "".join(_client(*one) for one in MACHINES.items()), "utf-8")


def _client(name: str, secret: str) -> str:
    return (
        f'\n[[client]]\nid = "{name}"\nname = "{name}"\nsecret = "{secret}"\ngrants = ["client_credentials"]\n'
        'scopes = ["room:enter", "gym:enter"]\n'
    )


def _basic(name: str, secret: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"
