"""No refusal is there for show: each is what some test of the issuer comes to."""

from __future__ import annotations

import pytest

from docs.generate.refusals import numbered


def test_every_refusal_is_come_to(reached: set[str], request: pytest.FixtureRequest) -> None:
    if request.config.getoption("keyword") or request.config.getoption("markexpr"):
        pytest.skip("needs all tests of the issuer")
    ours = {
        one.page.number: f"{one.room}: {one.constant}"
        for one in numbered()
        if one.room.startswith("issuer/") and not one.page.level
    }
    assert {number: place for number, place in ours.items() if number not in reached} == {}
