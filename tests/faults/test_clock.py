"""The clock steps back and forth by an hour, as after a machine wakes up, while a person and a shop are at it.

What is proved: nothing works twice because time went back, nobody is falsely revoked because it went forward by less than
a grace, and what is refused for being too old is refused as such. Two nodes whose clocks differ come to the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.issuer import engines
from tests.issuer.house import Answer, House
from tests.issuer.visitor import Visitor, redeem, refresh

HOUR = 3600


@pytest.fixture(params=engines.ALL)
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    with engines.remembering_in(request.param, request, nodes=2):
        made = House(tmp_path / "house")
        yield made
        made.close()


def is_refused(answer: Answer) -> bool:
    return (answer.status, answer.json["error"]) == (400, "invalid_grant")


def test_a_spent_code_stays_spent_when_time_goes_back(house: House) -> None:
    code = Visitor(house).code()
    assert redeem(house, code).status == 200
    house.clock.move(-HOUR)
    assert is_refused(redeem(house, code))


def test_a_code_cut_before_time_went_back_is_good_once(house: House) -> None:
    code = Visitor(house).code()
    house.clock.move(-HOUR)
    assert redeem(house, code).status == 200
    house.clock.move(HOUR)
    assert is_refused(redeem(house, code))


def test_time_that_goes_back_and_forth_forks_no_family_and_accuses_nobody(house: House) -> None:
    token = redeem(house, Visitor(house).code()).json["refresh_token"]
    for step in (-HOUR, HOUR, 50, -50, -HOUR, HOUR):
        answers = [refresh(house, token)]
        house.clock.move(step)
        if step < 60:
            answers.append(refresh(house, token))  # its answer was lost: the client tries again
        assert {one.status for one in answers} == {200}
        assert len({one.json["refresh_token"] for one in answers}) == 1
        token = answers[0].json["refresh_token"]


def test_a_token_replayed_after_the_grace_revokes_wherever_the_clock_was_meanwhile(house: House) -> None:
    stolen = redeem(house, Visitor(house).code()).json["refresh_token"]
    newest = refresh(house, stolen).json["refresh_token"]
    house.clock.move(-HOUR)
    house.clock.move(HOUR + 61)
    assert is_refused(refresh(house, stolen))
    assert is_refused(refresh(house, newest))


def test_a_session_ends_when_it_is_due_and_not_because_time_went_back(house: House) -> None:
    visitor = Visitor(house)
    visitor.code()
    house.clock.move(-HOUR)
    assert "code" in visitor.authorize(prompt="none").sent_back
    house.clock.move(14 * HOUR)
    assert visitor.authorize(prompt="none").sent_back["error"] == "login_required"
