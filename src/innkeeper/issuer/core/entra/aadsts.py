"""A numbered refusal of the Entra twin, and an AADSTS code: one that also has Microsoft's own number."""

from __future__ import annotations

from innkeeper.protocol.refusals import Page, Refusal


class EntraPage(Page, frozen=True):
    """A refusal whose console is called the portal."""

    @property
    def remedies(self) -> tuple[tuple[str, str], ...]:
        return self._taken_in("the portal")


class Aadsts(EntraPage, frozen=True, kw_only=True):
    """``code`` is Microsoft's number, ``wire`` the sentence after it, with {names} for the values of the case.

    ``suberror`` goes along where it is set. ``level`` says how sure number, error and status are.
    """

    level: str = "documented"
    code: int = 0
    suberror: str = ""


def refuse(page: Aadsts, reason: str, *, expected: str = "", found: str = "", hint: str = "", **values: str) -> Refusal:
    """The refusal with the cloud's sentence filled in: these values go on the wire, as they do there."""
    return Refusal(page, reason, expected, found, hint, page.wire.format(**values))
