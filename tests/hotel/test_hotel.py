"""The hotel: same card, different guests, different doors, different hours."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from innkeeper.hotel import Book, Booking, make_hotel
from innkeeper.hotel.app import Hotel, HotelSettings
from innkeeper.hotel.book import seeded
from innkeeper.hotel.doors import NO_DOOR, door_at
from innkeeper.protocol.refusals import Refusal, UsageError
from innkeeper.tokens.trail import Trail
from tests.guard.world import World, claims, forge

DAY = datetime(2026, 11, 23, tzinfo=UTC)
ALL = "room:enter gym:enter pool:enter vip:enter"
HOTEL = "https://hotel.example/hotel"


class Stay:
    """The hotel on one day: ``at`` moves its clock, ``ask`` knocks."""

    def __init__(self, hour: int = 12, **more: Any) -> None:
        self.world = World()
        self.world.now = (DAY + timedelta(hours=hour)).timestamp()
        self.seen: list[Trail] = []
        guard = self.world.guard(audience=HOTEL, scopes_supported=ALL.split())
        settings = more.pop("settings", HotelSettings(zone=UTC))
        self.hotel: Hotel = make_hotel(
            guard=guard, settings=settings, clock=lambda: self.world.now, observe=self.seen.append, **more
        )

    def at(self, hour: float, day: int = 0) -> Stay:
        self.world.now = (DAY + timedelta(days=day, hours=hour)).timestamp()
        return self

    def card(self, sub: str = "guest-204", **changes: Any) -> str:
        now = int(self.world.now)
        fresh = {"iat": now, "exp": now + 600, "aud": HOTEL, "scope": ALL, "sub": sub}
        return forge(claims(**(fresh | changes)))

    def ask(self, path: str, card: str | None = "", method: str = "GET") -> httpx2.Response:
        async def work() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=self.hotel)
            async with httpx2.AsyncClient(transport=transport, base_url="https://hotel.example") as client:
                held = self.card() if card == "" else card
                return await client.request(method, path, headers={"authorization": f"Bearer {held}"} if held else {})

        return asyncio.run(work())

    def number(self) -> str | None:
        refusal = self.seen[-1].refusal
        return refusal and refusal.page.number


def test_a_guest_enters_their_own_room() -> None:
    stay = Stay()
    answer = stay.ask("/hotel/rooms/204")
    assert (answer.status_code, answer.json()) == (
        200,
        {"door": "room 204", "open": True, "message": "Welcome, Ada Guest."},
    )


@pytest.mark.parametrize(
    ("sub", "path", "status", "number"),
    [
        ("guest-204", "/hotel/rooms/204", 200, None),
        ("guest-204", "/hotel/rooms/305", 403, "IK703"),
        ("guest-204", "/hotel/gym", 200, None),
        ("guest-204", "/hotel/pool", 200, None),
        ("guest-204", "/hotel/vip", 403, "IK704"),
        ("guest-305", "/hotel/rooms/204", 403, "IK703"),
        ("guest-305", "/hotel/rooms/305", 200, None),
        ("guest-305", "/hotel/vip", 200, None),
        ("nobody", "/hotel/gym", 403, "IK702"),
        ("nobody", "/hotel/rooms/204", 403, "IK702"),
        ("guest-204", "/hotel/rooms/999", 404, "IK701"),
        ("guest-204", "/hotel/rooms/113", 404, "IK701"),
        ("guest-204", "/hotel/rooms/0204", 404, "IK701"),
        ("guest-204", "/hotel/rooms/204/minibar", 404, "IK701"),
        ("guest-204", "/hotel/kitchen", 404, "IK701"),
    ],
)
def test_the_same_scopes_open_different_doors_for_different_guests(
    sub: str, path: str, status: int, number: str | None
) -> None:
    stay = Stay()
    answer = stay.ask(path, stay.card(sub))
    assert (answer.status_code, stay.number()) == (status, number)


@pytest.mark.parametrize("path", ["rooms/204", "gym", "pool", "vip"])
def test_each_door_needs_its_scope(path: str) -> None:
    stay = Stay()
    scope = f"{path.partition('/')[0].removesuffix('s')}:enter"
    without = stay.ask(f"/hotel/{path}", stay.card(scope=ALL.replace(scope, "").strip()))
    assert without.status_code == 403
    assert f'scope="{scope}"' in without.headers["www-authenticate"]


def test_without_a_card_the_door_tells_where_cards_are_cut() -> None:
    answer = Stay().ask("/hotel/gym", None)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == (
        'Bearer scope="gym:enter", resource_metadata="https://hotel.example/.well-known/oauth-protected-resource/hotel"'
    )


@pytest.mark.parametrize(
    "path", ["/.well-known/oauth-protected-resource/hotel", "/.well-known/oauth-protected-resource"]
)
def test_the_hotel_publishes_its_metadata(path: str) -> None:
    answer = Stay().ask(path, None)
    assert answer.json() == {
        "resource": HOTEL,
        "authorization_servers": ["https://issuer.example"],
        "scopes_supported": ["gym:enter", "pool:enter", "room:enter", "vip:enter"],
        "bearer_methods_supported": ["header"],
    }


@pytest.mark.parametrize("path", ["/.well-known/oauth-protected-resource/hotel/mcp", "/hotels", "/"])
def test_what_is_not_the_hotels_is_not_found(path: str) -> None:
    assert Stay().ask(path, None).status_code == 404


@pytest.mark.parametrize(
    ("path", "hour", "opens"),
    [
        ("gym", 5.99, False),
        ("gym", 6, True),
        ("gym", 21.99, True),
        ("gym", 22, False),
        ("pool", 7.99, False),
        ("pool", 8, True),
        ("pool", 19.99, True),
        ("pool", 20, False),
        ("rooms/204", 3, True),
    ],
)
def test_gym_and_pool_have_hours_and_rooms_have_none(path: str, hour: float, opens: bool) -> None:
    stay = Stay().at(hour)
    answer = stay.ask(f"/hotel/{path}")
    assert (answer.status_code, stay.number()) == ((200, None) if opens else (403, "IK705"))


def test_hours_are_the_hotels_local_ones() -> None:
    from datetime import timezone

    tokyo = Stay(settings=HotelSettings(zone=timezone(timedelta(hours=9)))).at(12)
    assert tokyo.ask("/hotel/pool").status_code == 403
    assert tokyo.at(0).ask("/hotel/pool").status_code == 200


@pytest.mark.parametrize("path", ["rooms/204", "gym", "pool"])
def test_the_card_ends_with_the_stay_however_long_the_token_lasts(path: str) -> None:
    stay = Stay()
    card = stay.card(exp=int(stay.world.now) + 10 * 86400)
    assert stay.ask(f"/hotel/{path}", card).status_code == 200
    assert stay.at(10.9, day=3).ask(f"/hotel/{path}", card).status_code == 200
    answer = stay.at(11, day=3).ask(f"/hotel/{path}", card)
    assert (answer.status_code, stay.number()) == (403, "IK706")


def test_before_check_in_the_door_stays_shut() -> None:
    tomorrow = DAY + timedelta(days=1)
    book = Book([Booking("guest-204", "Ada", 204, tomorrow, tomorrow + timedelta(days=1))])
    stay = Stay(settings=HotelSettings(zone=UTC, book=book))
    assert (stay.ask("/hotel/rooms/204").status_code, stay.number()) == (403, "IK706")


@pytest.mark.parametrize(
    ("path", "status", "number"),
    [("gym", 200, None), ("pool", 200, None), ("vip", 403, "IK704"), ("rooms/204", 403, "IK703")],
)
def test_a_machine_of_the_house_uses_the_gym_but_has_no_room_and_no_lounge(
    path: str, status: int, number: str | None
) -> None:
    stay = Stay()
    answer = stay.ask(f"/hotel/{path}", stay.card("concierge", client_id="concierge"))
    assert (answer.status_code, stay.number()) == (status, number)


@pytest.mark.parametrize(
    ("sub", "said", "number"),
    [
        ("concierge", {"client_id": "concierge"}, None),
        ("ada-the-porter", {"roles": ["staff", "porter"]}, None),
        ("guest-204", {}, "IK708"),
        ("guest-204", {"roles": ["guest"]}, "IK708"),
        ("guest-204", {"client_id": "concierge", "act": {"sub": "concierge"}}, "IK708"),
    ],
)
def test_the_staff_door_opens_for_a_role_and_for_no_agent_in_a_guests_name(
    sub: str, said: dict[str, Any], number: str | None
) -> None:
    stay = Stay()
    answer = stay.ask("/hotel/staff", stay.card(sub, **said))
    assert (answer.status_code, stay.number()) == (403 if number else 200, number)


def test_a_machine_that_a_booking_names_has_that_room_and_that_stay() -> None:
    book = Book([Booking("minibar-robot", "The robot", 112, DAY, DAY + timedelta(days=1), vip=True)])
    stay = Stay(settings=HotelSettings(zone=UTC, book=book))
    card = stay.card("minibar-robot", client_id="minibar-robot", exp=int(stay.world.now) + 9 * 86400)
    assert stay.ask("/hotel/rooms/112", card).status_code == 200
    assert stay.ask("/hotel/vip", card).status_code == 200
    assert stay.at(1, day=1).ask("/hotel/rooms/112", card).status_code == 403


def test_a_refusal_says_on_the_wire_no_more_than_its_page() -> None:
    stay = Stay()
    answer = stay.ask("/hotel/rooms/305")
    assert answer.json() == {"door": "room 305", "open": False, "message": "This room is not yours."}
    assert "204" not in answer.text
    assert "www-authenticate" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


def test_in_development_a_refusal_links_to_its_explanation() -> None:
    asked: list[Refusal] = []

    def explain(refusal: Refusal) -> str:
        asked.append(refusal)
        return "https://hotel.example/_explain?id=1"

    stay = Stay(explain=explain)
    assert stay.ask("/hotel/vip").json()["explained"] == "https://hotel.example/_explain?id=1"
    assert asked == [stay.seen[-1].refusal]


def test_a_knock_has_one_trail_the_guards_checks_then_the_hotels() -> None:
    stay = Stay()
    stay.ask("/hotel/rooms/305")
    document = stay.seen[-1].as_document()
    names = [step["name"] for step in document["steps"]]
    assert names[:2] == ["token is a signed jwt", "issuer is trusted"]
    assert names[-4:] == ["scopes are enough", "door is known", "holder is expected", "room is their own"]
    assert document["refusal"]["reason"] == "the holder's booking is for room 204"
    assert (document["steps"][-1]["expected"], document["steps"][-1]["found"]) == ("room 305", "room 204")


def test_a_card_for_another_hotel_an_old_one_and_a_false_one_open_nothing() -> None:
    stay = Stay()
    old = stay.card(exp=int(stay.world.now) - 60)
    for card in (stay.card(aud="https://other.example/hotel"), old, forge(claims(aud=HOTEL), which=1), "x"):
        answer = stay.ask("/hotel/rooms/204", card)
        assert answer.status_code == 401
        assert answer.json()["error"] == "invalid_token"
    assert stay.seen == []


def test_anyone_may_look_at_the_list_of_doors() -> None:
    answer = Stay().ask("/hotel", None)
    assert answer.status_code == 200
    assert [one["path"] for one in answer.json()["doors"]] == [
        "/hotel/rooms/{number}",
        "/hotel/gym",
        "/hotel/pool",
        "/hotel/vip",
        "/hotel/staff",
    ]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_doors_are_only_ever_read(method: str) -> None:
    answer = Stay().ask("/hotel/gym", method=method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_head_answers_without_a_body() -> None:
    answer = Stay().ask("/hotel/gym", method="HEAD")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("path", ["/rooms/204", "/rooms/101", "/rooms/412"])
def test_rooms_there_are(path: str) -> None:
    assert door_at(path).kind == "room"


@pytest.mark.parametrize("path", ["/rooms/٢٠٤", "/rooms/204\n", "/rooms/", "/rooms/500", "/gym/", "", "/rooms/-204"])
def test_doors_there_are_not(path: str) -> None:
    assert door_at(path) is NO_DOOR


def test_the_seeded_guests_came_today_and_stay_some_days() -> None:
    now = (DAY + timedelta(hours=23.9)).timestamp()
    book = seeded(now, UTC)
    ada, grace = book.of("guest-204"), book.of("guest-305")
    assert ada is not None
    assert grace is not None
    assert (ada.room, ada.vip, grace.room, grace.vip) == (204, False, 305, True)
    assert (ada.check_in, ada.check_out) == (DAY, DAY + timedelta(days=3, hours=11))
    assert grace.check_out == DAY + timedelta(days=5, hours=11)


def test_without_a_zone_the_hotel_keeps_this_computers_time() -> None:
    now = (DAY + timedelta(hours=12)).timestamp()
    ada = seeded(now).of("guest-204")
    assert ada is not None
    here = datetime.fromtimestamp(now).astimezone()
    assert ada.check_in.utcoffset() == here.utcoffset()
    assert ada.check_in <= here < ada.check_out


def test_a_hotel_that_does_not_know_its_address_is_a_mistake_said_aloud() -> None:
    with pytest.raises(UsageError, match="resource"):
        make_hotel(guard=World().guard(audience="api://hotel"))


ROOM = {"type": "room", "room": 204, "actions": ["enter"]}


@pytest.mark.parametrize(
    ("details", "status"),
    [
        ([ROOM], 200),
        ([{**ROOM, "room": 305}, ROOM], 200),
        ([{"type": "spend", "most": 5}], 200),
        ([{**ROOM, "room": 305}], 403),
        ([{**ROOM, "actions": ["clean"]}], 403),
        ([{**ROOM, "actions": "enter"}], 403),
        ([{"type": "room"}], 403),
        ([{**ROOM, "until": int((DAY + timedelta(hours=13)).timestamp())}], 200),
        ([{**ROOM, "until": int((DAY + timedelta(hours=12)).timestamp())}], 403),
        ([{**ROOM, "until": "tomorrow"}], 403),
    ],
    ids=str,
)
def test_a_card_that_names_rooms_opens_only_those_while_it_says(details: list[dict[str, Any]], status: int) -> None:
    stay = Stay()
    answer = stay.ask("/hotel/rooms/204", stay.card(authorization_details=details))
    assert (answer.status_code, stay.number()) == (status, None if status == 200 else "IK707")


def test_a_detail_opens_no_room_that_was_not_booked() -> None:
    stay = Stay()
    answer = stay.ask("/hotel/rooms/305", stay.card(authorization_details=[{**ROOM, "room": 305}]))
    assert (answer.status_code, stay.number()) == (403, "IK703")
