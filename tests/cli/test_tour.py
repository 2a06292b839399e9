"""The tour in a terminal: what it shows, and when it ends in anything but zero."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from innkeeper.cli import main, tour
from innkeeper.cli.show import OUT
from innkeeper.tour.walk import StepResult
from tests.inn import Inn

TRAIL = {
    "about": "guard",
    "outcome": "refused",
    "steps": [
        {"name": "one", "spec": "RFC 1 §1", "passed": True, "found": "x", "expected": "", "reason": "", "hint": ""},
        {"name": "two", "spec": "RFC 1 §2", "passed": False, "found": "y", "expected": "", "reason": "odd", "hint": ""},
    ],
}
GOOD = StepResult("agent", "A tampered card", "401", "401 invalid_token", True, TRAIL)
BAD = StepResult("guest", "The gym", "200", "500 \x1b[2Jsurprise", False)


def walked(monkeypatch: pytest.MonkeyPatch, *steps: StepResult) -> None:
    async def walk(_: str) -> AsyncIterator[StepResult]:
        for step in steps:
            yield step

    monkeypatch.setattr(tour, "walk", walk)
    monkeypatch.setattr(OUT, "_width", 80)


def test_a_walk_through_an_open_house_has_no_surprises(house: Inn, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tour", "--issuer", house.url]) == 0
    shown = capsys.readouterr().out
    assert "✗" not in shown
    assert shown.count("✓") >= 15
    assert "✓ A card with no seal: alg none                 401 invalid_token\n    algorithm is allowed: " in shown
    assert "steps, each as it should be" in shown


def test_a_walk_can_be_read_by_programs(house: Inn, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tour", "--issuer", house.url, "--json"]) == 0
    steps = json.loads(capsys.readouterr().out)
    assert {step["flow"] for step in steps} == {"agent", "guest"}
    assert all(step["ok"] for step in steps)
    assert any(step["trail"] for step in steps)


def test_a_refusal_that_was_meant_shows_the_check_that_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    walked(monkeypatch, GOOD)
    assert main(["tour"]) == 0
    assert "401 invalid_token\n    two: odd  RFC 1 §2\n" in capsys.readouterr().out


def test_every_check_is_shown_on_request(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    walked(monkeypatch, GOOD)
    assert main(["tour", "--checks"]) == 0
    shown = capsys.readouterr().out
    assert "✓ one" in shown
    assert "✗ two  RFC 1 §2" in shown


def test_a_surprise_is_marked_counted_and_ends_in_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    walked(monkeypatch, GOOD, BAD)
    assert main(["tour"]) == 1
    shown = capsys.readouterr().out
    assert "✗ The gym" in shown
    assert "expected 200" in shown
    assert "\x1b" not in shown
    assert "1 of 2 steps went otherwise" in shown


def test_a_walk_of_no_steps_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    walked(monkeypatch)
    assert main(["tour"]) == 1


def test_a_closed_house_is_unreachable_and_says_how_to_open_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tour", "--issuer", "http://127.0.0.1:1"]) == 3
    assert "innkeeper up" in capsys.readouterr().err
