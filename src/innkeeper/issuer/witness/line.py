"""A line of the audit log as it is written."""

from __future__ import annotations

from typing import Any

import msgspec


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line, without what chains it. ``at`` in seconds since the epoch; ``refusal`` a number and ``why`` its reason as the
    trail has it; ``checks`` how many were made; ``changes`` what was committed. ``trail`` are the checks themselves, where one of
    them refused. ``by`` is whoever administers, and ``edits`` are the values that they changed: none of them is a secret. Where somebody comes to act for
    somebody, ``actor`` says who for whom, ``parent`` is the jti of the token that was shown and ``token`` that of the new one."""

    at: int
    realm: str = ""
    what: str = ""
    about: str = ""
    outcome: str = ""
    client: str = ""
    subject: str = ""
    grant: str = ""
    actor: str = ""
    parent: str = ""
    token: str = ""
    network: str = ""
    refusal: str = ""
    why: str = ""
    checks: int = 0
    changes: tuple[str, ...] = ()
    trail: tuple[Checked, ...] = ()
    by: str = ""
    edits: tuple[dict[str, Any], ...] = ()


class Checked(msgspec.Struct, frozen=True, omit_defaults=True):
    """A check as it went: its name, its section, and what had to be there and was."""

    check: str
    spec: str
    passed: bool = False
    expected: str = ""
    found: str = ""
