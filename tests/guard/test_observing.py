"""Decisions in a log and in metrics: why, by number, without a token in it."""

from __future__ import annotations

import logging

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from innkeeper.guard.observing import Counted, Logged, together
from tests.guard.world import World, claims, forge


def test_a_refusal_is_a_line_with_its_number_and_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    guard = World().guard(observe=Logged())
    with caplog.at_level(logging.INFO, "innkeeper.guard"):
        bad = forge(claims(aud="https://other.example"))
        guard.verify_blocking(forge())
        guard.verify_blocking(bad)
    (record,) = caplog.records
    assert (record.levelname, record.name) == ("INFO", "innkeeper.guard")
    assert record.getMessage() == (
        "refused [IK508] The token is for another API: the token is for 'https://other.example' "
        "(check: audience is this api, RFC 9068 §4)"
    )
    assert record.trail["refusal"]["number"] == "IK508"  # type: ignore[attr-defined]
    assert not any(part in f"{record.getMessage()}{record.trail}" for part in bad.split("."))  # type: ignore[attr-defined]


def test_an_issuer_that_is_away_is_a_warning_and_a_yes_is_written_where_that_is_wished_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    guard = world.guard(observe=Logged(logging.getLogger("api"), everything=True))
    with caplog.at_level(logging.INFO, "api"):
        world.down = True
        guard.verify_blocking(forge())
        world.down = False
        world.now += 60
        guard.verify_blocking(forge())
    assert [one.levelname for one in caplog.records] == ["WARNING", "INFO"]
    assert caplog.records[-1].getMessage() == "let in after 13 checks"


def test_nobody_writes_lines_of_their_own_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    guard = World().guard(observe=Logged())
    with caplog.at_level(logging.INFO, "innkeeper.guard"):
        guard.verify_blocking(forge(claims(aud="x\nrefused [IK000] somebody\x1b[2J\u2028else")))
        guard.verify_blocking(forge(header={"kid": "k\r\nlet in after 13 checks"}))
    assert len(caplog.records) == 2
    assert all(one.getMessage().isprintable() for one in caplog.records)


def test_decisions_are_counted_by_outcome_and_number_and_published() -> None:
    counted, seen = Counted(), list[bool]()
    guard = World().guard(observe=together(counted, lambda trail: seen.append(trail.refusal is None)))
    for token in (forge(), forge(), "junk", forge(which=1)):
        guard.verify_blocking(token)
    assert counted.counts == {("let in", ""): 2, ("refused", "IK501"): 1, ("refused", "IK506"): 1}
    assert seen == [True, True, False, False]
    registry = CollectorRegistry()
    registry.register(counted)
    text = generate_latest(registry).decode()
    assert 'innkeeper_guard_decisions_total{number="",outcome="let in"} 2.0' in text
    assert 'innkeeper_guard_decisions_total{number="IK506",outcome="refused"} 1.0' in text
