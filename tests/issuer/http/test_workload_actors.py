"""A program that its platform vouches for acts for a person, with no secret of its own: the platform's token is its actor token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from innkeeper.issuer.core.grants.token_exchange import ACCESS_TOKEN, JWT
from innkeeper.issuer.core.platforms import Workload
from innkeeper.issuer.core.token import TOKEN_EXCHANGE
from innkeeper.issuer.desk import agents
from innkeeper.issuer.settings import SeedAgent
from innkeeper.protocol.refusals import UsageError
from tests.issuer.house import SETTINGS, Answer, House
from tests.issuer.http.test_workloads import BY_NAMES, CLUSTER, ISSUERS, OTHER, said, word
from tests.issuer.visitor import Visitor, redeem

POD = {"iss": CLUSTER, "sub": "system:serviceaccount:prod:agent", "jti": ..., **BY_NAMES}


def unarmed(name: str) -> SeedAgent:
    """An agent with no secret and no key."""
    scopes, grants = ["room:enter", "gym:enter"], ("token_exchange", "jwt_bearer")
    return SeedAgent(id=name, name=name, owner="bob@example.org", purpose="Works", scopes=scopes, grants=grants)


ON_PLATFORMS = replace(
    SETTINGS,
    client=[*SETTINGS.client, replace(SETTINGS.client[0], id="gated", may_act="deployer")],
    agent=[unarmed("deployer"), unarmed("tester")],
    trusted_issuer=[ISSUERS[0], replace(ISSUERS[1], workloads=(Workload("tester", BY_NAMES),))],
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"), ON_PLATFORMS)
    yield made
    made.close()


@pytest.fixture
def adas(house: House) -> str:
    code = Visitor(house).code(scope="openid room:enter gym:enter")
    return str(redeem(house, code).json["access_token"])


def act(house: House, token: str, actor: str, by: str = "deployer", **more: str) -> Answer:
    form = {
        "grant_type": TOKEN_EXCHANGE,
        "client_id": by,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        "actor_token": actor,
        "actor_token_type": JWT,
        "scope": "room:enter",
        **more,
    }
    return house.token({name: value for name, value in form.items() if value})


def refused(house: House, answer: Answer) -> tuple[str, str, str]:
    """The error on the wire, and at home the number and why."""
    assert answer.status == 400, answer.body
    refusal = next(one.refusal for one in reversed(house.trails) if one.refusal)
    return str(answer.json["error"]), refusal.page.number, refusal.reason


def test_a_job_acts_for_a_person_by_its_platforms_word_alone(house: House, adas: str) -> None:
    claims = said(act(house, adas, word(house)))
    assert (claims["sub"], claims["act"], claims["scope"]) == ("ada-1", {"sub": "deployer"}, "room:enter")


def test_without_the_platforms_word_it_is_nobody(house: House, adas: str) -> None:
    answer = act(house, adas, "", actor_token_type="")
    assert refused(house, answer)[:2] == ("invalid_request", "IK272")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"repository": "acme/app-of-somebody-else"}, "repository is not as the rule says"),
        ({"aud": "https://elsewhere.example"}, "for someone else"),
        ({"exp": 1}, "expired"),
        ({"signed_by": OTHER}, "signature does not verify"),
        ({"iss": "https://token.actions.githubusercontent.com.evil.example"}, "not a token of this issuer"),
        ({"typ": "at+jwt"}, "another type"),
    ],
    ids=["another job", "for others", "expired", "signed by another", "nobody's", "of another type"],
)
def test_a_forged_or_foreign_word_makes_no_actor(house: House, adas: str, changes: dict[str, Any], why: str) -> None:
    """Actor forgery: each claim that a thief could have in a token of the same platform."""
    error, number, reason = refused(house, act(house, adas, word(house, **changes)))
    assert (error, number) == ("invalid_request", "IK271")
    assert why in reason


def test_one_program_is_not_the_agent_of_another(house: House, adas: str) -> None:
    assert refused(house, act(house, adas, word(house, **POD)))[:2] == ("invalid_request", "IK271")
    assert said(act(house, adas, word(house, **POD), by="tester"))["act"] == {"sub": "tester"}


def test_a_word_that_is_the_only_proof_is_good_once_where_the_platform_gives_a_new_one(house: House, adas: str) -> None:
    """Replayed assertion: what somebody copied from a job's log."""
    job, pod = word(house), word(house, **POD)
    assert act(house, adas, job).status == 200
    error, number, reason = refused(house, act(house, adas, job))
    assert (error, number) == ("invalid_request", "IK271")
    assert "redeemed before" in reason
    assert [act(house, adas, pod, by="tester").status for _ in range(2)] == [200, 200]


def test_the_rule_of_the_platform_is_a_ceiling_too(house: House, adas: str) -> None:
    """The agent may have the gym and so may Ada; the job's rule says rooms alone."""
    answer = act(house, adas, word(house), scope="room:enter gym:enter")
    assert refused(house, answer)[:2] == ("invalid_scope", "IK1512")
    assert said(act(house, adas, word(house), scope=""))["scope"] == "room:enter"
    assert said(act(house, adas, word(house, **POD), by="tester", scope="gym:enter"))["scope"] == "gym:enter"


def test_may_act_says_whom_a_token_may_be_exchanged_by(house: House) -> None:
    gated = {"client_id": "gated"}
    code = Visitor(house).code(scope="openid room:enter gym:enter", **gated)
    token = str(redeem(house, code, **gated).json["access_token"])
    assert said(act(house, token, word(house)))["act"] == {"sub": "deployer"}
    assert refused(house, act(house, token, word(house, **POD), by="tester"))[:2] == ("invalid_request", "IK275")


def test_a_paused_agent_stays_paused_on_whatever_platform(house: House, adas: str) -> None:
    realm = house.issuer.realm
    house.run(agents.set_status(realm, "deployer", "paused"))
    try:
        assert act(house, adas, word(house)).json["error"] == "unauthorized_client"
    finally:
        house.run(agents.set_status(realm, "deployer", "active"))


def test_an_agent_that_nothing_vouches_for_is_not_planted(tmp_path: Any) -> None:
    with pytest.raises(UsageError, match="a rule for it"):
        House(tmp_path, replace(ON_PLATFORMS, trusted_issuer=[]))
