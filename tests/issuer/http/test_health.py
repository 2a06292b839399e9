"""What a load balancer is told: whether a node lives, whether it wants requests, and that it is about to go."""

from __future__ import annotations

from tests.issuer.house import Answer, House
from tests.issuer.visitor import ROBOT


def status(answer: Answer) -> tuple[int, str]:
    assert answer.header("cache-control") == "no-store"
    return answer.status, str(answer.json["status"])


def works(house: House) -> bool:
    return house.token({"grant_type": "client_credentials", **ROBOT}).status == 200


def test_a_node_at_work_lives_and_is_ready(own_house: House) -> None:
    assert status(own_house.get("/healthz")) == (200, "alive")
    assert status(own_house.get("/readyz")) == (200, "ready")


def test_a_node_that_leaves_says_so_first_and_answers_who_comes_all_the_same(own_house: House) -> None:
    for node in own_house.nodes:
        node.health.leave()
    assert status(own_house.get("/readyz")) == (503, "leaving")
    assert status(own_house.get("/healthz")) == (200, "alive"), "nobody should kill it"
    assert works(own_house)


def test_a_node_without_its_database_lives_but_is_not_ready(own_house: House) -> None:
    for node in own_house.nodes:
        node.close()
    assert status(own_house.get("/readyz")) == (503, "no database")
    assert status(own_house.get("/healthz")) == (200, "alive"), "starting it anew would not bring the database back"
