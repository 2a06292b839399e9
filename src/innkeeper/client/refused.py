"""The other side said no, or broke the rules: one exception, carrying the numbered refusal."""

from __future__ import annotations

import unicodedata

from innkeeper.protocol.refusals import Page, Refusal


class Refused(Exception):
    """An issuer refused, or its answer could not be trusted.

    ``refusal`` says which rule, what was expected and found, and what to try next. ``error`` is the code the
    issuer sent (``invalid_scope``), or the page's own where it sent none.
    """

    def __init__(self, refusal: Refusal, error: str = "") -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal
        self.error = error or refusal.error

    @property
    def number(self) -> str:
        return self.refusal.page.number

    def __str__(self) -> str:
        return f"{self.refusal.reason}. {self.refusal.remedy} [{self.number}]"

    def __reduce__(self) -> tuple[type[Refused], tuple[Refusal, str]]:
        return Refused, (self.refusal, self.error)


class Waits(Refused):
    """The person has to allow it first, and was asked just now. The same request is good again with ``auth_req_id``, within
    ``expires_in`` seconds and not more often than every ``interval``."""

    def __init__(self, refusal: Refusal, error: str, auth_req_id: str, expires_in: int, interval: int) -> None:
        super().__init__(refusal, error)
        self.auth_req_id, self.expires_in, self.interval = auth_req_id, expires_in, interval

    def __reduce__(self) -> tuple[type[Waits], tuple[Refusal, str, str, int, int]]:  # type: ignore[override]
        return Waits, (self.refusal, self.error, self.auth_req_id, self.expires_in, self.interval)


def refuse(page: Page, reason: str, *, expected: str = "", found: str = "", hint: str = "", error: str = "") -> Refused:
    """A ``Refused`` to raise."""
    return Refused(Refusal(page, reason=reason, expected=expected, found=found, hint=hint), error)


def quoted(text: object, limit: int = 300) -> str:
    """Somebody else's words made safe to show: one line, printable, no direction tricks, at most ``limit`` long."""
    shown = "".join(_shown(character) for character in str(text)[: limit * 4])
    line = " ".join(shown.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Zl", "Zp"} or character in "\t\r\n":
        return " "
    return "" if category[0] == "C" else character
