"""What another issuer vouches for waits for the person as well, where it is marked as risky: its word is for who they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from innkeeper.issuer.core.records import TrustedIssuer
from innkeeper.issuer.core.token import JWT_BEARER
from innkeeper.issuer.desk import agents
from innkeeper.issuer.settings import SeedAgent
from innkeeper.keys import jwk
from tests.issuer.house import HOTEL, ORIGIN, SETTINGS, Answer, House
from tests.issuer.http.test_agents import answered, question, told
from tests.issuer.http.test_workloads import said
from tests.issuer.signing import said as signed
from tests.keys.keyring import private_key

IDP, PARTNER = "https://login.example", "https://partner.example"
KEYS = (jwk.public_document(private_key("ES256").public_key(), "ES256", "ES256"),)
RISKY = replace(
    SETTINGS,
    resource=[replace(SETTINGS.resource[0], approval=["room:enter"]), *SETTINGS.resource[1:]],
    agent=[
        SeedAgent(
            id=name,
            name=f"The {name}",
            owner="bob@example.org",
            purpose=f"Does what a {name} does",
            secret=f"{name}-secret",
            grants=("jwt_bearer", "client_credentials"),
            scopes=["room:enter", "gym:enter"],
        )
        for name in ("concierge", "porter")
    ],
    trusted_issuer=[
        TrustedIssuer(issuer=IDP, jwks=KEYS, identity_assertions=True, subjects={"u-ada": "ada-1"}),
        TrustedIssuer(issuer=PARTNER, jwks=KEYS, subjects={"ada": "ada-1", "machine": "concierge"}),
    ],
)
_count = iter(range(1_000_000))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"), RISKY)
    yield made
    made.close()


def id_jag(house: House, scope: str = "gym:enter room:enter", **changes: Any) -> str:
    """What Ada's organization says for the concierge at the hotel."""
    now = house.clock()
    body = {
        "iss": IDP, "sub": "u-ada", "aud": ORIGIN, "client_id": "concierge", "resource": HOTEL, "scope": scope,
        "iat": now, "exp": now + 300, "jti": f"v{next(_count)}", **changes,
    }  # fmt: skip
    return signed(body, typ="oauth-id-jag+jwt")


def partners(house: House, sub: str = "ada") -> str:
    now = house.clock()
    return signed({"iss": PARTNER, "sub": sub, "aud": ORIGIN, "iat": now, "exp": now + 300, "jti": f"p{next(_count)}"})


def redeem(house: House, assertion: str, by: str = "concierge", **more: str) -> Answer:
    proof = {"client_id": by, "client_secret": f"{by}-secret"}
    return house.token({"grant_type": JWT_BEARER, "assertion": assertion, **proof, **more})


def refused(house: House, answer: Answer) -> tuple[str, str]:
    assert answer.status == 400, answer.body
    refusal = next(one.refusal for one in reversed(house.trails) if one.refusal)
    return str(answer.json["error"]), refusal.page.number


def test_what_an_organization_vouches_for_waits_for_the_persons_yes(house: House) -> None:
    assertion = id_jag(house)
    name = told(redeem(house, assertion))
    page = question(house)[1]
    for shown in ("The concierge", "Open your room", "It needs your yes for this each time"):
        assert shown in page.text
    assert redeem(house, assertion, auth_req_id=name).json["error"] == "authorization_pending"
    answered(house, "allow")
    claims = said(redeem(house, assertion, auth_req_id=name))
    assert (claims["sub"], claims["scope"], claims["aud"]) == ("ada-1", "gym:enter room:enter", HOTEL)


def test_a_yes_is_good_once_and_so_is_the_assertion(house: House) -> None:
    assertion = id_jag(house)
    name = told(redeem(house, assertion))
    answered(house, "allow")
    assert redeem(house, assertion, auth_req_id=name).status == 200
    assert refused(house, redeem(house, assertion, auth_req_id=name)) == ("invalid_grant", "IK281")
    assert refused(house, redeem(house, id_jag(house), auth_req_id=name)) == ("invalid_grant", "IK260")


def test_a_new_assertion_may_come_for_the_old_question(house: House) -> None:
    """Assertions end sooner than people answer."""
    name = told(redeem(house, id_jag(house)))
    answered(house, "allow")
    assert redeem(house, id_jag(house), auth_req_id=name).status == 200


def test_a_no_is_a_no(house: House) -> None:
    name = told(redeem(house, id_jag(house)))
    answered(house, "deny")
    assert refused(house, redeem(house, id_jag(house), auth_req_id=name)) == ("access_denied", "IK262")


def test_a_yes_is_for_that_client_and_no_more_than_was_shown(house: House) -> None:
    name = told(redeem(house, id_jag(house), scope="room:enter"))
    answered(house, "allow")
    porters = id_jag(house, client_id="porter")
    assert refused(house, redeem(house, porters, by="porter", auth_req_id=name)) == ("invalid_grant", "IK260")
    wider = redeem(house, id_jag(house), scope="gym:enter room:enter", auth_req_id=name)
    assert refused(house, wider) == ("access_denied", "IK1511")
    assert said(redeem(house, id_jag(house), scope="room:enter", auth_req_id=name))["scope"] == "room:enter"


def test_what_is_not_risky_waits_for_nobody(house: House) -> None:
    assert said(redeem(house, id_jag(house), scope="gym:enter"))["scope"] == "gym:enter"
    assert said(redeem(house, partners(house)))["scope"] == "gym:enter", "what is not named is left out"


def test_another_issuers_word_for_a_person_waits_where_it_is_named(house: House) -> None:
    told(redeem(house, partners(house), scope="room:enter"))
    answered(house, "deny")


def test_a_program_in_its_own_name_has_nobody_to_ask(house: House) -> None:
    claims = said(redeem(house, partners(house, "machine"), scope="room:enter"))
    assert (claims["sub"], claims["scope"]) == ("concierge", "room:enter")


def test_nobody_is_asked_by_a_copy_again_and_again(house: House) -> None:
    copied = id_jag(house)
    for _ in range(3):
        told(redeem(house, copied))
    answer = redeem(house, copied)
    assert (answer.status, answer.json["error"]) == (403, "access_denied")
    house.clock.move(400)


def test_whom_a_person_took_back_nobody_vouches_in_again(house: House) -> None:
    realm = house.issuer.realm
    house.run(agents.take_back(realm, "ada-1", "concierge"))
    try:
        answer = redeem(house, id_jag(house), scope="gym:enter")
        assert refused(house, answer) == ("access_denied", "IK1503")
        answer = redeem(house, partners(house), scope="gym:enter")
        assert refused(house, answer) == ("access_denied", "IK1503")
    finally:
        house.run(agents.let_act(realm, "ada-1", "concierge"))
