"""The hotel's tools for agents: what each needs, whom it serves, and nothing brought that the guest did not allow."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from innkeeper.client.backchannel import Asked
from innkeeper.hotel.app import HotelSettings
from innkeeper.hotel.mcp import HotelTools, make_tools
from innkeeper.protocol.challenges import parse
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Trail
from tests.guard.world import World, claims, forge

DAY = datetime(2026, 11, 23, tzinfo=UTC)
TOOLS = "https://hotel.example/hotel/mcp"
ALL = "room:enter gym:enter pool:enter vip:enter spa:book room:order"
VERSION = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Guests:
    """Guests who answer when the test lets them; ``asked`` is what they were shown."""

    where = "https://issuer.example/approvals"

    def __init__(self, answer: Asked | bool | Refusal | None = None) -> None:
        self.asked: list[tuple[str, str, Mapping[str, Any]]] = []
        self.looks = 0
        self.answers = answer

    async def ask(self, account: str, message: str, detail: Mapping[str, Any]) -> Asked | Refusal:
        self.asked.append((account, message, detail))
        return Asked("a-request", 1e12, 5)

    async def answer(self, asked: Asked, detail: Mapping[str, Any]) -> Asked | bool | Refusal:
        self.looks += 1
        return asked if self.answers is None else self.answers


class Agents:
    """The tools on one day, and agents that call them."""

    def __init__(self, guests: Guests | None = None, hour: float = 12) -> None:
        self.world = World()
        self.guests = guests
        self.seen: list[Trail] = []
        self.at(hour)
        guard = self.world.guard(audience=TOOLS, scopes_supported=ALL.split(), observe=self.seen.append)
        self.tools: HotelTools = make_tools(
            guard=guard,
            settings=HotelSettings(zone=UTC),
            asking=guests,
            clock=lambda: self.world.now,
            observe=self.seen.append,
        )

    def at(self, hour: float, day: int = 0) -> Agents:
        self.world.now = (DAY + timedelta(days=day, hours=hour)).timestamp()
        return self

    def card(self, scope: str = ALL, **changes: Any) -> str:
        now = int(self.world.now)
        fresh = {"iat": now, "exp": now + 600, "aud": TOOLS, "scope": scope, "auth_time": now - 10, "client_id": "app"}
        return forge(claims(**(fresh | changes)))

    async def _post(self, *calls: tuple[str, dict[str, Any], str, dict[str, str]]) -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(app=self.tools.app)
        async with (
            self.tools.opened(),
            httpx2.AsyncClient(transport=transport, base_url="https://hotel.example") as http,
        ):
            return [await http.post("/hotel/mcp", json=said, headers=sent) for said, sent in map(self._request, calls)]

    def _request(self, call: tuple[str, dict[str, Any], str, dict[str, str]]) -> tuple[dict[str, Any], dict[str, str]]:
        tool, arguments, card, more = call
        said = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
        sent = {
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": VERSION,
            "mcp-method": "tools/call",
            "mcp-name": tool,
            **({"authorization": f"Bearer {card}"} if card else {}),
        }
        return said | {"params": {"name": tool, "arguments": arguments, "_meta": META}}, sent | more

    def ask(self, tool: str, card: str | None = None, more: dict[str, str] = {}, **arguments: Any) -> httpx2.Response:  # noqa: B006
        held = self.card() if card is None else card
        return asyncio.run(self._post((tool, arguments, held, more)))[0]

    def call(self, *wishes: tuple[str, dict[str, Any]], card: str | None = None) -> list[tuple[bool, str]]:
        """What each call came to: whether it went well, and the text."""
        held = self.card() if card is None else card
        found = []
        for answer in asyncio.run(self._post(*((tool, arguments, held, {}) for tool, arguments in wishes))):
            assert answer.status_code == 200, answer.text
            result = answer.json()["result"]
            found.append((not result.get("isError", False), said(result)))
        return found

    def number(self) -> str | None:
        refusal = self.seen[-1].refusal
        return refusal and refusal.page.number


def said(result: dict[str, Any]) -> str:
    """The text of a result, without what the SDK puts before errors."""
    return re.sub(r"^Error executing tool \w+: ", "", result["content"][0]["text"])


def test_the_tool_says_whom_it_acts_for() -> None:
    assert Agents().call(("whoami", {})) == [(True, "guest-204 (Ada Guest, room 204) by app")]


@pytest.mark.parametrize(
    ("tool", "arguments", "hour", "sub", "text", "number"),
    [
        ("open_room", {"number": 204}, 12, "guest-204", "The room 204 is open. Welcome, Ada Guest.", None),
        ("open_room", {"number": 305}, 12, "guest-204", "This room is not yours.", "IK703"),
        ("open_gym", {}, 12, "guest-204", "The gym is open. Welcome, Ada Guest.", None),
        ("open_gym", {}, 23, "guest-204", "It is closed at this hour.", "IK705"),
        ("open_lounge", {}, 12, "guest-204", "The lounge is for guests who booked it.", "IK704"),
        ("open_lounge", {}, 12, "guest-305", "The VIP lounge is open. Welcome, Grace Visitor.", None),
        ("book_spa", {"hour": 15}, 12, "guest-204", "The spa is yours today at 15:00.", None),
        ("book_spa", {"hour": 8}, 7, "guest-204", "The spa takes nobody at that hour.", "IK714"),
        ("book_spa", {"hour": 12}, 12, "guest-204", "The spa takes nobody at that hour.", "IK714"),
        ("book_spa", {"hour": 21}, 12, "guest-204", "The spa takes nobody at that hour.", "IK714"),
        ("book_spa", {"hour": 15}, 12, "nobody", "You are not a guest of this hotel.", "IK702"),
        ("settle_bill", {}, 12, "nobody", "You are not a guest of this hotel.", "IK702"),
        ("order_to_room", {"dish": "caviar"}, 12, "guest-204", "The menu has no such dish.", "IK716"),
    ],
)
def test_tools_hold_to_the_rules_of_the_house(
    tool: str, arguments: dict[str, Any], hour: int, sub: str, text: str, number: str | None
) -> None:
    agents = Agents(Guests(), hour)
    assert agents.call((tool, arguments), card=agents.card(sub=sub)) == [(number is None, text)]
    assert agents.number() == number


def test_nobody_is_served_after_they_have_left() -> None:
    agents = Agents(Guests()).at(12, day=9)
    assert agents.call(("book_spa", {"hour": 15})) == [(False, "Your stay is over or has not begun.")]


def test_an_hour_in_the_spa_is_one_guests() -> None:
    agents = Agents()
    ada, grace = agents.card(), agents.card(sub="guest-305")
    calls = [("book_spa", {"hour": hour}, card, {}) for card, hour in ((ada, 15), (grace, 15), (grace, 16), (ada, 15))]
    answers = [said(one.json()["result"]) for one in asyncio.run(agents._post(*calls))]
    assert answers == [
        "The spa is yours today at 15:00.",
        "The spa is taken at that hour.",
        "The spa is yours today at 16:00.",
        "The spa is yours today at 15:00.",
    ]


@pytest.fixture
def opened_once() -> Agents:
    return Agents(Guests())


def challenge(answer: httpx2.Response) -> dict[str, str | None]:
    said = parse(answer.headers["www-authenticate"])[0]
    return {name: said.get(name) for name in ("error", "scope", "resource_metadata", "max_age")}


def test_without_a_card_the_challenge_names_all_that_the_tool_needs(opened_once: Agents) -> None:
    answer = opened_once.ask("book_spa", "", hour=15)
    assert answer.status_code == 401
    assert challenge(answer) == {
        "error": None,
        "scope": "room:enter spa:book",
        "resource_metadata": "https://hotel.example/.well-known/oauth-protected-resource/hotel/mcp",
        "max_age": None,
    }


@pytest.mark.parametrize(
    ("tool", "scope"),
    [
        ("open_gym", "gym:enter room:enter"),
        ("open_pool", "pool:enter room:enter"),
        ("open_lounge", "room:enter vip:enter"),
        ("book_spa", "room:enter spa:book"),
        ("order_to_room", "room:enter room:order"),
        ("order_status", "room:enter room:order"),
        ("settle_bill", "room:enter room:order"),
    ],
)
def test_a_card_that_opens_too_little_is_told_to_step_up(opened_once: Agents, tool: str, scope: str) -> None:
    answer = opened_once.ask(tool, opened_once.card("room:enter"))
    assert answer.status_code == 403
    assert challenge(answer)["error"] == "insufficient_scope"
    assert challenge(answer)["scope"] == scope


def test_the_bill_wants_a_guest_who_has_just_signed_in(opened_once: Agents) -> None:
    long_ago = opened_once.card(auth_time=int(opened_once.world.now) - 3600)
    answer = opened_once.ask("settle_bill", long_ago)
    assert (answer.status_code, challenge(answer)["error"]) == (401, "insufficient_user_authentication")
    assert challenge(answer)["max_age"] == "300"


def test_a_card_for_the_plain_doors_is_no_card_for_the_tools(opened_once: Agents) -> None:
    answer = opened_once.ask("whoami", opened_once.card(aud="https://hotel.example/hotel"))
    assert (answer.status_code, challenge(answer)["error"]) == (401, "invalid_token")


def test_headers_that_name_a_cheaper_tool_than_the_body_are_refused(opened_once: Agents) -> None:
    answer = opened_once.ask("book_spa", opened_once.card("room:enter"), {"mcp-name": "whoami"}, hour=15)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020)


def test_a_page_of_another_name_that_leads_here_is_turned_away(opened_once: Agents) -> None:
    answer = opened_once.ask("whoami", None, {"host": "evil.example"})
    assert answer.status_code in {403, 421}


def test_an_order_waits_for_the_guest_who_is_told_what_it_is() -> None:
    guests = Guests()
    agents = Agents(guests)
    wishes = ("order_to_room", {"dish": "ice cream"}), ("order_status", {"order": 1})
    (placed, first), (fine, still) = agents.call(*wishes)
    assert placed
    assert fine
    assert "Order 1 waits for Ada Guest" in first
    assert guests.where in first
    assert still.startswith("Order 1 still waits")
    assert guests.asked == [
        (
            "guest@hotel.example",
            "Order 1: ice cream, 9 euros, room 204",
            {"type": "room_order", "room": 204, "dish": "ice cream", "euros": 9},
        )
    ]


def test_what_the_guest_allows_comes_and_is_on_the_bill() -> None:
    agents = Agents(Guests(answer=True))
    found = agents.call(
        ("settle_bill", {}),
        ("order_to_room", {"dish": "champagne"}),
        ("order_status", {"order": 1}),
        ("settle_bill", {}),
    )
    assert found[0][1].startswith("0 euros")
    assert found[2] == (True, "Order 1, champagne, is on its way to room 204.")
    assert found[3][1].startswith("95 euros")


def test_what_the_guest_declines_does_not_come_and_costs_nothing() -> None:
    agents = Agents(Guests(answer=False))
    found = agents.call(("order_to_room", {"dish": "champagne"}), ("order_status", {"order": 1}), ("settle_bill", {}))
    assert found[1] == (False, "The guest did not allow the order.")
    assert found[2][1].startswith("0 euros")


@pytest.mark.parametrize("other", [{"sub": "guest-305"}, {"client_id": "another-app"}], ids=["guest", "program"])
def test_an_order_is_nobody_elses(other: dict[str, str]) -> None:
    agents = Agents(Guests(answer=True))
    stranger = agents.card(**other)
    calls = ("order_to_room", {"dish": "champagne"}, agents.card(), {}), ("order_status", {"order": 1}, stranger, {})
    result = asyncio.run(agents._post(*calls))[1].json()["result"]
    assert said(result) == "There is no such order."


def test_the_issuer_is_not_asked_more_often_than_it_wishes() -> None:
    guests = Guests()
    agents = Agents(guests)
    agents.call(("order_to_room", {"dish": "ice cream"}), *[("order_status", {"order": 1})] * 3)
    assert guests.looks == 1


def test_a_hotel_that_can_ask_nobody_takes_no_orders() -> None:
    assert Agents().call(("order_to_room", {"dish": "ice cream"})) == [
        (False, "The guest cannot be asked now, and nothing is brought without being asked.")
    ]


def test_the_listing_names_every_tool_and_its_arguments() -> None:
    agents = Agents()
    said = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}}
    headers = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": VERSION,
        "mcp-method": "tools/list",
        "authorization": f"Bearer {agents.card('room:enter')}",
    }

    async def work() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=agents.tools.app)
        async with (
            agents.tools.opened(),
            httpx2.AsyncClient(transport=transport, base_url="https://hotel.example") as http,
        ):
            return await http.post("/hotel/mcp", json=said, headers=headers)

    listed = {one["name"]: one for one in asyncio.run(work()).json()["result"]["tools"]}
    assert set(listed) == {
        "whoami", "open_room", "open_gym", "open_pool", "open_lounge",
        "book_spa", "order_to_room", "order_status", "settle_bill",
    }  # fmt: skip
    assert list(listed["book_spa"]["inputSchema"]["properties"]) == ["hour"]
