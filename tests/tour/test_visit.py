"""The stages of a visit."""

from __future__ import annotations

import pytest

from innkeeper.protocol.refusals import UsageError
from innkeeper.tour.visit import carded, failed, holding, moved, tried
from tests.tour.world import visit


def test_a_guest_leaves_comes_back_and_holds_a_card() -> None:
    away = moved(visit(), "leave")
    assert away.stage == "away"
    assert moved(away, "leave").stage == "away", "going to the desk twice is no crime"
    back = carded(away, "card", "slip")
    assert (back.stage, back.card, back.identity, back.pending) == ("carded", "card", "slip", None)


def test_an_agent_gets_its_card_at_once() -> None:
    assert carded(visit(flow="agent"), "card").stage == "carded"


@pytest.mark.parametrize("stage", ["carded", "failed"])
@pytest.mark.parametrize("event", ["leave", "card", "fail"])
def test_a_visit_that_is_over_stays_as_it_is(stage: str, event: str) -> None:
    with pytest.raises(UsageError, match="start another one"):
        moved(visit(stage=stage), event)  # type: ignore[arg-type]


def test_a_failure_says_why() -> None:
    lost = failed(moved(visit(), "leave"), "the desk said no")
    assert (lost.stage, lost.trouble) == ("failed", "the desk said no")


def test_tries_are_counted_and_cards_kept_by_name() -> None:
    after = tried(tried(holding(visit(), "none", ""), "none", "gym", 401, 3), "real", "gym", 200, 4)
    assert [(one.n, one.card, one.status, one.hop) for one in after.tries] == [(1, "none", 401, 3), (2, "real", 200, 4)]
    assert after.cards == {"none": ""}
