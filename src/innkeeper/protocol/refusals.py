"""A refusal and its two faces: what goes on the wire, and the reason that stays at home."""

from __future__ import annotations

import msgspec


class Page(msgspec.Struct, frozen=True):
    """One numbered kind of refusal; its docs page is generated from these words.

    ``number`` never changes meaning once released. ``error`` and ``wire`` are all that a caller is told:
    the code of the specification and one safe sentence. ``cause`` and ``remedy`` are for the docs, the
    tour and the terminal. ``status`` is the HTTP status where the refusal is answered directly.

    A refusal that is spelt as a cloud spells it says three things more: ``level``, how sure we are that the cloud does
    so (``documented``, ``observed`` in a public client, ``inferred``), and the remedy in the cloud's ``console`` and in
    ``terraform``; ``remedy`` is then the one in code.
    """

    number: str
    error: str
    title: str
    cause: str
    remedy: str
    wire: str
    status: int = 400
    level: str = ""
    console: str = ""
    terraform: str = ""

    @property
    def remedies(self) -> tuple[tuple[str, str], ...]:
        """The remedies beside the one in code, by where they are taken; none for a refusal of our own."""
        return self._taken_in("the console") if self.level else ()

    def _taken_in(self, console: str) -> tuple[tuple[str, str], ...]:
        return (console, self.console or NOTHING_THERE), ("Terraform", self.terraform or NOTHING_THERE)


NOTHING_THERE = "nothing to change there; what is sent has to."
"""The remedy in the console and in Terraform of what only the caller can mend."""


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """One refusal that happened: a page, and this case's ``reason`` with what was expected and found.

    ``reason``, ``expected``, ``found`` and ``hint`` never leave the house, except onto development pages.
    No secret and no whole token is ever put into them. ``said`` goes on the wire instead of the page's sentence, where
    a cloud's own sentence names a value of the request; ``told`` are further members of the answer.
    """

    page: Page
    reason: str
    expected: str = ""
    found: str = ""
    hint: str = ""
    said: str = ""
    told: dict[str, str | int] = {}

    @property
    def wire(self) -> str:
        """The sentence that goes on the wire."""
        return self.said or self.page.wire

    @property
    def error(self) -> str:
        return self.page.error

    @property
    def remedy(self) -> str:
        """What to do now: this case's hint, or the page's general remedy."""
        return self.hint or self.page.remedy


class UsageError(Exception):
    """The caller of innkeeper got it wrong: a setting, an argument. The message names value, rule and remedy."""


class Unreachable(Exception):
    """The world failed: an issuer, a store, a network. Trying again may help."""
