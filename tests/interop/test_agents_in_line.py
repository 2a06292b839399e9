"""Guest, concierge's agent, spa's agent, MCP tools: agents act one behind the other at the house that ``innkeeper up`` serves, each
goes as far as the guest, those before it and its own ceiling allow, and the books say afterwards who did what for whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from innkeeper.client import Auth, Client, Refused, Secret
from innkeeper.client.exchange import ACCESS_TOKEN, EXCHANGE
from innkeeper.client.mcp import McpSource, acting_for, person
from innkeeper.guard.unverified import read_unverified
from innkeeper.issuer.desk.cognito.seed import seeded_client_id, seeded_client_secret
from innkeeper.issuer.witness.audit import chains, lines, verify
from tests.inn import Inn, open_inn
from tests.interop.test_hotel_tools import Person, call, tools

pytest.importorskip("mcp", reason="the MCP SDK is not installed")

pytestmark = [pytest.mark.interop, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]

SCOPES = "room:enter gym:enter spa:book"
POOL = "us-east-1_innkeepr1"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inn]:
    """A house of its own: its books are read."""
    with open_inn(tmp_path_factory.mktemp("line")) as inn:
        yield inn


@pytest.fixture(scope="module")
def adas(house: Inn) -> str:
    """What the guest's app has: her room, the gym and the spa."""
    source = McpSource(tools(house), person(Person()), clients={house.url: Client("guest-app")})
    with httpx2.Client(auth=Auth(source), timeout=20) as api:
        for tool, said in (("whoami", {}), ("open_gym", {}), ("book_spa", {"hour": 20})):
            assert call(api, house, tool, **said).status_code == 200
    return held(source)


def held(source: McpSource) -> str:
    assert source.token is not None
    return source.token.access_token


def sent(house: Inn, agent: str, token: str, *scopes: str) -> McpSource:
    """An agent that was handed ``token`` with a task."""
    me = Client(agent, Secret(f"{agent}-secret"))
    return McpSource(tools(house), acting_for(token), clients={house.url: me}, ceiling=frozenset(scopes))


def line_of_two(house: Inn, adas: str) -> tuple[McpSource, McpSource]:
    """The concierge's agent and the spa's, each after it has called a tool."""
    first = sent(house, "concierge-agent", adas, "room:enter", "spa:book")
    with httpx2.Client(auth=Auth(first), timeout=20) as api:
        assert "by concierge-agent" in call(api, house, "whoami").text
        assert call(api, house, "book_spa", hour=20).status_code == 200
    second = sent(house, "spa-agent", held(first), "room:enter", "gym:enter", "spa:book")
    with httpx2.Client(auth=Auth(second), timeout=20) as api:
        assert "by spa-agent, sent by concierge-agent" in call(api, house, "whoami").text
        assert call(api, house, "book_spa", hour=20).status_code == 200
    return first, second


def ask(house: Inn, agent: str, subject: str, **more: str) -> httpx2.Response:
    form = {"grant_type": EXCHANGE, "subject_token": subject, "subject_token_type": ACCESS_TOKEN, **more}
    return httpx2.post(f"{house.url}/token", data=form, auth=(agent, f"{agent}-secret"), timeout=20)


def error(answer: httpx2.Response) -> str:
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"])


def test_each_hop_reaches_the_tools_and_the_books_lead_back_to_the_guest(house: Inn, adas: str) -> None:
    _, second = line_of_two(house, adas)
    claims = read_unverified(held(second)).claims
    assert claims["sub"] == "guest-204"
    assert claims["act"] == {"sub": "spa-agent", "act": {"sub": "concierge-agent"}}
    books = chains(house.folder / ".innkeeper" / "audit")
    assert [one.problem for one in (verify(name, files) for name, files in books.items())] == [""] * len(books)
    hops = {one["token"]: one for files in books.values() for one in lines(files) if one.get("token")}
    last = hops[claims["jti"]]
    before = hops[last["parent"]]
    assert (last["actor"], before["actor"]) == ("spa-agent for concierge-agent", "concierge-agent")
    assert (last["subject"], before["subject"]) == ("guest-204", "guest-204")
    assert before["parent"] == read_unverified(adas).claims["jti"], "the first hop leads to what the guest's app held"


def test_every_over_reach_is_refused_at_the_desk_or_at_the_tool(house: Inn, adas: str) -> None:
    first, second = line_of_two(house, adas)
    theirs = held(first)
    own = httpx2.post(
        f"{house.url}/token",
        data={"grant_type": "client_credentials"},
        auth=("concierge-agent", "concierge-agent-secret"),
        timeout=20,
    ).json()["access_token"]
    refused = {
        "more than was passed on, though the guest has it": ask(house, "spa-agent", theirs, scope="gym:enter"),
        "more than the guest allowed": ask(house, "concierge-agent", adas, scope="pool:enter"),
        "more than the agent may ever do": ask(house, "spa-agent", adas, scope="vip:enter"),
        "another audience": ask(house, "spa-agent", theirs, resource=f"{house.url}/hotel"),
        "another's token as one's own": ask(
            house, "spa-agent", theirs, actor_token=own, actor_token_type=ACCESS_TOKEN, scope="spa:book"
        ),
        "the person's token as one's own": ask(
            house, "spa-agent", theirs, actor_token=adas, actor_token_type=ACCESS_TOKEN, scope="spa:book"
        ),
    }
    assert {what: error(one) for what, one in refused.items()} == {
        "more than was passed on, though the guest has it": "invalid_scope",
        "more than the guest allowed": "invalid_scope",
        "more than the agent may ever do": "invalid_scope",
        "another audience": "invalid_target",
        "another's token as one's own": "invalid_request",
        "the person's token as one's own": "invalid_request",
    }
    with httpx2.Client(headers={"authorization": f"Bearer {held(second)}"}, timeout=20) as plain:
        assert call(plain, house, "open_gym").status_code == 403
        assert '"isError":true' in call(plain, house, "open_room", number=305).text.replace(" ", "")
    with pytest.raises(Refused) as stepped, httpx2.Client(auth=Auth(second), timeout=20) as api:
        call(api, house, "open_gym")
    assert stepped.value.error == "invalid_scope", "the step-up that the tool asks for ends at the desk"


def bearer(house: Inn, url: str, token: str, body: dict[str, Any] | None = None) -> int:
    said = {"authorization": f"Bearer {token}"}
    with httpx2.Client(headers=said, timeout=20) as api:
        return (call(api, house, "whoami") if url == tools(house) else api.get(url)).status_code


def test_a_token_that_is_passed_through_opens_nothing(house: Inn, adas: str) -> None:
    """Token pass-through: what one server was given, another does not take; nor does a server take what a cloud gave."""
    _, second = line_of_two(house, adas)
    assert bearer(house, tools(house), held(second)) == 200
    assert bearer(house, f"{house.url}/hotel/rooms/204", held(second)) == 401
    form = {"grant_type": "client_credentials", "resource": f"{house.url}/hotel", "scope": "gym:enter"}
    door = httpx2.post(f"{house.url}/token", data=form, auth=("concierge", "concierge-secret"), timeout=20)
    assert bearer(house, f"{house.url}/hotel/gym", door.json()["access_token"]) in {200, 403}
    assert bearer(house, tools(house), door.json()["access_token"]) == 401
    cloud = httpx2.post(
        f"{house.url}/{POOL}/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(seeded_client_id(POOL, "concierge"), seeded_client_secret(POOL, "concierge")),
        timeout=20,
    )
    assert bearer(house, tools(house), cloud.json()["access_token"]) == 401
    assert error(ask(house, "spa-agent", cloud.json()["access_token"], scope="spa:book")) == "invalid_request"


def test_a_stopped_agent_stops_those_behind_it(house: Inn, adas: str) -> None:
    first, _ = line_of_two(house, adas)
    with httpx2.Client(base_url=house.url, follow_redirects=True, timeout=20) as owner:
        page = signed_in(owner, "/account/agents")
        pressed(owner, page, "pause", "concierge-agent")
        try:
            stopped = ask(house, "spa-agent", held(first), scope="spa:book")
            assert (error(stopped), ask(house, "spa-agent", adas, scope="spa:book").status_code) == (
                "unauthorized_client",
                200,
            )
        finally:
            pressed(owner, owner.get("/account/agents"), "resume", "concierge-agent")
    assert ask(house, "spa-agent", held(first), scope="spa:book").status_code == 200


def signed_in(browser: httpx2.Client, path: str) -> httpx2.Response:
    from tests.cli.guest import ANSWERS, Form

    page = browser.get(path)
    form = Form(page.text)
    filled = {name: ANSWERS.get(name, value) for name, value in form.fields.items()}
    return browser.post(page.url.join(form.action), data=filled | form.buttons["sign-in"])


def pressed(browser: httpx2.Client, page: httpx2.Response, button: str, agent: str) -> None:
    from tests.cli.guest import Form

    form = Form(page.text)
    answer = browser.post(page.url.join(form.action), data={**form.fields, button: agent})
    assert answer.status_code == 200, answer.text


def test_the_newcomer_finds_both_agents_on_the_account_page(house: Inn) -> None:
    with httpx2.Client(base_url=house.url, follow_redirects=True, timeout=20) as owner:
        page = signed_in(owner, "/account/agents")
    for shown in ("The concierge&#39;s agent", "The spa&#39;s agent", "Books hours in the spa", "Book the spa for you"):
        assert shown in page.text or shown.replace("&#39;", "’") in page.text, shown
