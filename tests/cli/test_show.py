"""How moments, distances and ledgers read."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from rich.console import Console

from innkeeper.cli import show
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Check, Seen, check, follow

PAGE = Page("IK699", "invalid", "It is odd", "Odd things are odd.", "Make it even.", "")


@pytest.fixture(autouse=True)
def _in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"),
        (0.4, "now"),
        (1, "in 1 second"),
        (-1, "1 second ago"),
        (59.4, "in 59 seconds"),
        (59.6, "in 1 minute"),
        (240, "in 4 minutes"),
        (-3 * 3600, "3 hours ago"),
        (86400, "in 1 day"),
        (-400 * 86400, "1 year ago"),
        (10**11, "in 3169 years"),
    ],
)
def test_distances_are_said_in_the_largest_unit_that_fits(seconds: float, words: str) -> None:
    assert show.distance(seconds) == words


def test_a_moment_is_in_the_readers_zone() -> None:
    assert show.moment(1_600_000_000, 1_600_000_240) == "2020-09-13 21:26:40 JST, 4 minutes ago"


@pytest.mark.parametrize("seconds", [10**30, float("nan"), float("inf"), -(10**18)])
def test_a_moment_no_calendar_knows_is_shown_all_the_same(seconds: float) -> None:
    assert "no time a calendar knows" in show.moment(seconds, 0)


@check("RFC 1 §1")
def number_is_there(case: int) -> Seen | Refusal:
    """There is a number."""
    return Seen(str(case))


@check("RFC 1 §2")
def number_is_even(case: int) -> Seen | Refusal:
    """The number is even."""
    return Refusal(PAGE, f"{case} is odd", "2", f"{case}\x1b[31m") if case % 2 else Seen("even")


@check("RFC 1 §3")
def number_is_large(_: int) -> Seen | Refusal:
    """The number is large."""
    return Seen()


CHECKS: tuple[Check[int], ...] = (number_is_there, number_is_even, number_is_large)


def drawn(width: int, case: int, unasked: frozenset[str] = frozenset()) -> list[str]:
    console = Console(width=width, color_system=None, highlight=False, markup=False)
    with console.capture() as page:
        console.print(show.ledger(follow("test", CHECKS, case).as_document(), CHECKS, unasked=unasked))
    return [line.rstrip() for line in page.get().splitlines()]


def test_a_ledger_marks_what_passed_what_failed_and_what_was_never_reached() -> None:
    assert drawn(60, 3) == [
        "  ✓ number is there                 3  RFC 1 §1",
        "  ✗ number is even  RFC 1 §2",
        "    3 is odd",
        "    expected   2",
        "    found      3[31m",
        "    to mend it Make it even.",
        "  · number is large: not reached",
    ]


def test_what_was_not_asked_is_never_ticked() -> None:
    assert drawn(60, 2, frozenset({"number is even"}))[1] == "  – number is even: not asked"


def test_a_check_that_was_not_asked_but_failed_is_shown_as_failed() -> None:
    assert drawn(60, 3, frozenset({"number is even"}))[1].startswith("  ✗ number is even")


def rows(width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    console = Console(width=width, color_system=None, highlight=False, markup=False, emoji=False)
    monkeypatch.setattr(show, "OUT", console)
    with console.capture() as page:
        console.print(show.meanings([("scope", "x" * 70, "What it is for.")]))
    return [line.rstrip() for line in page.get().splitlines()]


def test_meanings_stand_beside_where_there_is_room_and_below_where_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rows(200, monkeypatch)[0].endswith("What it is for.")
    assert rows(80, monkeypatch) == [f"  scope  {'x' * 70}", "         What it is for."]


def test_in_a_narrow_terminal_nothing_of_a_value_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "".join(line.strip() for line in rows(30, monkeypatch)).count("x") == 70
