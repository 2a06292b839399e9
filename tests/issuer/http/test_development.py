"""On a laptop every refusal explains itself: its address stands in the answer, and leads to the reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.issuer.house import ASKED, ORIGIN, House
from tests.issuer.visitor import ROBOT, Visitor, redeem


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("laptop"), development=True)
    yield made
    made.close()


def test_a_refused_token_request_leads_to_its_reason(laptop: House) -> None:
    answer = laptop.token({"grant_type": "client_credentials", "client_id": "robot", "client_secret": "guess"})
    more = answer.json["error_uri"]
    assert more.startswith(f"{ORIGIN}/_explain?id=")
    page = laptop.get(more)
    assert page.status == 200
    assert "the secret is not one of this client" in page.text
    assert "IK201" in page.text
    assert "guess" not in page.text, "no secret, not even a wrong one, is shown"


def test_each_refusal_leads_to_its_own_reason(laptop: House) -> None:
    first = laptop.token({"grant_type": "client_credentials", "scope": "nonsense", **ROBOT}).json["error_uri"]
    second = laptop.token({"grant_type": "magic", **ROBOT}).json["error_uri"]
    assert "nonsense" in laptop.get(first).text
    assert "nonsense" not in laptop.get(second).text
    assert "magic" in laptop.get(second).text


def test_a_refusal_at_the_redirect_leads_to_its_reason(laptop: House) -> None:
    answer = Visitor(laptop).authorize(scope="openid room:paint")
    page = laptop.get(answer.sent_back["error_uri"])
    assert "room:paint" in page.text


def test_a_wrong_redirect_is_shown_beside_the_registered_one(laptop: House) -> None:
    page = Visitor(laptop).authorize(redirect_uri="https://shop.example/Callback")
    assert page.status == 400
    text = "".join(page.text.split())
    for part in ("IK103", "<mark", "C", "allback"):
        assert part in text
    assert page.header("location") is None


def test_an_explanation_nobody_has_is_not_found(laptop: House) -> None:
    for query in ("", "?id=", "?id=x", "?id=a&id=b", "?id=%FF"):
        assert laptop.get(f"/_explain{query}").status == 404, query


def test_the_people_of_the_laptop_are_shown_at_sign_in(laptop: House) -> None:
    assert "ada@example.org" in Visitor(laptop).authorize(prompt="login").text


def test_an_explanation_is_kept_for_a_while_and_not_for_ever(laptop: House) -> None:
    first = laptop.token({"grant_type": "magic", **ROBOT}).json["error_uri"]
    for _ in range(500):
        laptop.token({"grant_type": "magic", **ROBOT})
    assert laptop.get(first).status == 404


def test_a_success_explains_nothing(laptop: House) -> None:
    visitor = Visitor(laptop)
    answer = redeem(laptop, visitor.code())
    assert answer.status == 200
    assert "error_uri" not in answer.json
    assert set(visitor.authorize(prompt="none").sent_back) == {"code", "state", "iss"}


def test_elsewhere_nothing_is_explained(house: House) -> None:
    answer = house.token({"grant_type": "magic", **ROBOT})
    assert set(answer.json) == {"error", "error_description"}
    assert set(Visitor(house).authorize(scope="nonsense").sent_back) == {"error", "error_description", "state", "iss"}
    assert "ada@example.org" not in Visitor(house).authorize().text
    page = Visitor(house).authorize(redirect_uri="https://shop.example/Callback")
    assert ASKED["redirect_uri"] not in page.text
