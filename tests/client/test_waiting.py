"""An agent's exchange that waits until the person has allowed it, against the issuer itself: the clock is moved, nobody sleeps."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from innkeeper.client import Access, Client, Exchange, Refused, Secret, Token
from innkeeper.client.asking import Ask, Flow, Now, Pause
from innkeeper.client.discovery import Metadata
from innkeeper.client.exchange import exchange, exchange_allowed
from innkeeper.client.mcp import acting_for
from innkeeper.client.refused import Waits
from innkeeper.issuer.settings import SeedAgent
from innkeeper.protocol.exchange import Reply
from tests.issuer.house import ORIGIN, SETTINGS, Asked, House
from tests.issuer.http.test_agents import answered
from tests.issuer.visitor import Visitor, redeem

PORTER = SeedAgent(
    id="porter",
    name="Porter",
    owner="bob@example.org",
    purpose="Carries",
    secret="porter-secret",
    scopes=["room:enter"],
)
RISKY = replace(SETTINGS.resource[0], approval=True)
THERE = Metadata(
    ORIGIN, token_endpoint=f"{ORIGIN}/token", token_endpoint_auth_methods_supported=("client_secret_post",)
)
ME, WISH = Client("porter", Secret("porter-secret")), Access("room:enter")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = replace(SETTINGS, resource=[RISKY, *SETTINGS.resource[1:]], agent=[PORTER])
    made = House(tmp_path_factory.mktemp("house"), settings)
    yield made
    made.close()


@pytest.fixture
def adas(house: House) -> Exchange:
    return Exchange(str(redeem(house, Visitor(house).code()).json["access_token"]))


def driven(house: House, flow: Flow[Token], paused: Callable[[], object] = lambda: None) -> Token:
    """What a flow comes to, by the house's clock; ``paused`` is called while it waits."""
    answer: Any = None
    try:
        while True:
            question = flow.send(answer)
            if isinstance(question, Ask):
                answer = _asked(house, question)
            elif isinstance(question, Now):
                answer = float(house.clock())
            else:
                assert isinstance(question, Pause)
                answer = house.clock.move(int(question.seconds))
                paused()
    except StopIteration as end:
        token: Token = end.value
        return token


def _asked(house: House, question: Ask) -> Reply:
    parts = urlsplit(question.url)
    sent = Asked(question.method, parts.path, parts.query.encode(), tuple(question.headers), (question.body,))
    found = house.ask(sent)
    return Reply(found.status, tuple(found.headers), found.body)


def test_without_waiting_it_is_told_what_to_ask_again_with(house: House, adas: Exchange) -> None:
    with pytest.raises(Waits) as waits:
        driven(house, exchange(THERE, ME, WISH, adas))
    asked = waits.value
    assert (asked.error, asked.expires_in, asked.interval) == ("authorization_pending", 300, 5)
    assert asked.auth_req_id not in str(asked), "whoever has it and the secret gets the token"
    assert pickle.loads(pickle.dumps(asked)).auth_req_id == asked.auth_req_id
    answered(house, "deny")


def test_it_waits_until_the_person_has_allowed_it(house: House, adas: Exchange) -> None:
    said: list[str] = []
    looks = iter(["", "allow"])

    def looked() -> None:
        if decision := next(looks):
            answered(house, decision)

    flow = exchange_allowed(THERE, ME, WISH, adas, lambda waits: said.append(waits.error))
    token = driven(house, flow, looked)
    assert token.scope == "room:enter"
    assert said == ["authorization_pending"]


def test_an_agent_at_a_server_of_tools_waits_in_the_same_way(house: House, adas: Exchange) -> None:
    grant = acting_for(adas.subject, told=lambda _: None)
    assert driven(house, grant(THERE, ME, WISH), lambda: answered(house, "allow")).scope == "room:enter"


def test_a_no_ends_the_waiting(house: House, adas: Exchange) -> None:
    with pytest.raises(Refused) as refused:
        driven(house, exchange_allowed(THERE, ME, WISH, adas), lambda: answered(house, "deny"))
    assert refused.value.error == "access_denied"


def test_nobody_waits_for_ever(house: House, adas: Exchange) -> None:
    with pytest.raises(Refused) as refused:
        driven(house, exchange_allowed(THERE, ME, WISH, adas))
    assert refused.value.error == "expired_token"
