"""The load model in docs/how-to/scale.md is what a run comes to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench import model
from tests.issuer import engines
from tests.issuer.house import House
from tests.issuer.visitor import Visitor, redeem, refresh
from tests.postgres import Postgres

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "scale.md"
PEOPLE = 5


def told(act: str) -> list[float]:
    """The look-ups, commits, rows inserted and rows updated that the page tells of an act."""
    row = re.search(rf"^\| {act}[^|]*\|([^\n]*)\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert row is not None
    return [float(cell.replace(",", "")) for cell in row[1].split("|")][:4]


def test_a_sign_in_and_a_refresh_come_to_what_the_page_says(
    tmp_path: Path, request: pytest.FixtureRequest, postgres: Postgres
) -> None:
    with engines.remembering_in(engines.POSTGRES, request, nodes=1):
        house = House(tmp_path / "house")
        database = house.settings.server.database_url.rpartition("/")[2]
        Visitor(house).code()
        tokens: list[str] = []

        def sign_in() -> None:
            tokens.append(redeem(house, Visitor(house).code(prompt="login")).json["refresh_token"])

        signed_in = model.counted(house, postgres, database, lambda: [sign_in() for _ in range(PEOPLE)], PEOPLE)
        refreshed = model.counted(house, postgres, database, lambda: [refresh(house, one) for one in tokens], PEOPLE)
        house.close()
    for act, found in (("a sign-in", signed_in), ("a refresh", refreshed)):
        assert [round(one) for one in found[:4]] == told(act), act
