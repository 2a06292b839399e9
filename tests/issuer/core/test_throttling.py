"""How long wrong tries make one wait, by arithmetic alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.issuer.core import throttling as t
from innkeeper.issuer.core.throttling import Count, Lane

NOW = 1_800_000_000
RULES = [t.PAIR, t.NETWORK, t.NAME, t.KNOWN_BROWSER, t.SECOND_STEP, t.PASSWORD_AGAIN, t.USER_CODE]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_free_tries_cost_nothing_and_the_pauses_double_up_to_the_longest(rule: t.Rule) -> None:
    pauses = [t.wait(rule, Count(tries, NOW), NOW) for tries in range(rule.free + 30)]
    assert pauses[: rule.free] == [0] * rule.free
    assert pauses[rule.free] == rule.first
    assert all(later in (2 * sooner, rule.most) for sooner, later in pairwise(pauses[rule.free :]))
    assert pauses[-1] == rule.most


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_pause_ends_to_the_second_and_tries_are_forgotten(rule: t.Rule) -> None:
    count = Count(rule.free, NOW)
    assert t.wait(rule, count, NOW + rule.first - 1) == 1
    assert t.wait(rule, count, NOW + rule.first) == 0
    assert t.counted(rule, Count(99, NOW), NOW + rule.forget) == Count(1, NOW + rule.forget)
    assert t.counted(rule, Count(99, NOW), NOW + rule.forget - 1).tries == 100


@given(st.lists(st.integers(0, 600), min_size=1, max_size=400))
def test_whatever_the_rhythm_a_name_is_guessed_at_most_once_a_minute(gaps: list[int]) -> None:
    count, now, made = t.NONE_YET, NOW, []
    for gap in gaps:
        now += gap
        if t.wait(t.NAME, count, now) == 0:
            count = t.counted(t.NAME, count, now)
            made.append(now)
    within_an_hour = max(sum(start <= at < start + 3600 for at in made) for start in made)
    assert within_an_hour <= t.NAME.free + 8 + 60


def test_a_known_browser_shares_no_lane_with_any_stranger() -> None:
    mine = t.password_lanes("ada", "192.0.2.1", "browser-1", network_is_known=False)
    theirs = t.password_lanes("ada", "192.0.2.1", None, network_is_known=False)
    assert not set(mine) & set(theirs)
    assert not set(mine) & set(t.password_lanes("ada", "192.0.2.1", "browser-2", network_is_known=False))


def test_a_stranger_is_counted_by_name_and_network_by_network_and_by_name() -> None:
    lanes = t.password_lanes("Ada", "192.0.2.1", None, network_is_known=False)
    assert lanes == (Lane(t.PAIR, ("ada", "192.0.2.1")), Lane(t.NETWORK, ("192.0.2.1",)), Lane(t.NAME, ("ada",)))
    assert t.password_lanes("ada", "192.0.2.1", None, network_is_known=True) == lanes[:2]


def test_a_right_try_takes_back_itself_alone_where_others_stand_too() -> None:
    assert t.given_back(t.NAME, Count(30, NOW - 5), NOW) == Count(29, NOW - 5)
    assert t.given_back(t.NETWORK, Count(1, NOW), NOW) == Count(0, NOW)
    assert t.given_back(t.PAIR, Count(4, NOW), NOW).tries == 0
