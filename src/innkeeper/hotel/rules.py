"""The hotel's own rules: what the holder of a good keycard may do. A token says who and which doors; this says no."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec

from innkeeper.hotel.book import Booking
from innkeeper.hotel.doors import Door, Kind
from innkeeper.protocol.errors import ACCESS_DENIED
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.access import AccessToken
from innkeeper.tokens.trail import Check, Seen, Trail, check, follow

ABOUT = "door"


class Knock(msgspec.Struct, frozen=True):
    """Someone with a good token before a door. ``booking`` is the holder's, None where the book has none."""

    token: AccessToken
    door: Door
    booking: Booking | None
    local_time: datetime


def decide(knock: Knock) -> Trail:
    """The checks of this kind of door."""
    return follow(ABOUT, DOOR_CHECKS[knock.door.kind], knock)


@check("House rules §1")
def door_is_known(case: Knock) -> Seen | Refusal:
    """There must be such a door."""
    if case.door.kind == "none":
        return Refusal(WALL, "no door has this address", "a door of this hotel", "a wall")
    return Seen(case.door.name)


@check("House rules §2")
def holder_is_expected(case: Knock) -> Seen | Refusal:
    """The holder must be a guest in the book, or one of the hotel's own machines."""
    if case.booking:
        return Seen(case.booking.name)
    if case.token.is_machine:
        return Seen(f"{case.token.client_id}, a machine of the house")
    return Refusal(STRANGER, f"the book has no guest {case.token.sub!r}", "a guest in the book", case.token.sub)


@check("House rules §3")
def room_is_their_own(case: Knock) -> Seen | Refusal:
    """A room opens for the guest who booked it, and for nobody else."""
    booked = f"room {case.booking.room}" if case.booking else "no room"
    if case.booking is None or case.booking.room != case.door.room:
        return Refusal(ANOTHER_ROOM, f"the holder's booking is for {booked}", case.door.name, booked)
    return Seen(booked, case.door.name)


@check("House rules §4")
def lounge_is_booked(case: Knock) -> Seen | Refusal:
    """The lounge opens for guests who booked it; the scope alone is not enough."""
    if case.booking is None or not case.booking.vip:
        return Refusal(NOT_VIP, "the holder's booking does not include the lounge", "a booking with the lounge", "none")
    return Seen("booked")


@check("House rules §5")
def door_is_open_at_this_hour(case: Knock) -> Seen | Refusal:
    """Gym and pool open in the morning and close in the evening."""
    opens, closes = case.door.hours
    hours, found = f"{opens:02}:00 to {closes:02}:00", f"{case.local_time:%H:%M}"
    if not opens <= case.local_time.hour < closes:
        return Refusal(CLOSED, f"it is {found}; the {case.door.name} opens {hours}", hours, found)
    return Seen(found, hours)


@check("House rules §6")
def stay_is_not_over(case: Knock) -> Seen | Refusal:
    """A guest's card ends with the stay, however long the token would last."""
    if case.booking is None:
        return Seen("no stay: a machine of the house")
    since, until = (f"{moment:%Y-%m-%d %H:%M}" for moment in (case.booking.check_in, case.booking.check_out))
    found = f"{case.local_time:%Y-%m-%d %H:%M}"
    if case.booking.check_in <= case.local_time < case.booking.check_out:
        return Seen(found, f"{since} to {until}")
    return Refusal(STAY_OVER, f"the stay is from {since} to {until}, and it is {found}", f"{since} to {until}", found)


@check("RFC 9396 §7.1")
def details_open_this_room(case: Knock) -> Seen | Refusal:
    """Where the token speaks of single rooms, one of them is this, to be entered, and its time has not passed."""
    rooms = [one for one in case.token.details if one.get("type") == ROOM]
    if not rooms:
        return Seen("no single rooms named")
    if any(_opens(one, case) for one in rooms):
        return Seen(case.door.name)
    named = ", ".join(f"room {one.get('room')}" for one in rooms)
    return Refusal(OTHER_DETAILS, "the token's authorization details do not open this room now", case.door.name, named)


def _opens(detail: Mapping[str, Any], case: Knock) -> bool:
    actions, until = detail.get("actions"), detail.get("until")
    may_enter = isinstance(actions, list) and ENTER in actions
    in_time = until is None or (isinstance(until, int) and case.local_time.timestamp() < until)
    return detail.get("room") == case.door.room and may_enter and in_time


@check("RFC 9068 §2.2.3.1")
def holder_is_of_the_staff(case: Knock) -> Seen | Refusal:
    """The staff door opens for a role: an employee's, or a machine of the house in its own name."""
    token = case.token
    if token.is_machine and token.act is None:
        return Seen(f"{token.client_id}, a machine of the house", EMPLOYEE)
    if EMPLOYEE in token.roles:
        return Seen(EMPLOYEE, EMPLOYEE)
    for_whom = f"{token.sub}, for whom {token.client_id} acts" if token.act else token.sub
    return Refusal(NOT_STAFF, f"{for_whom}, is no employee", EMPLOYEE, " ".join(sorted(token.roles)) or "no role")


EMPLOYEE = "staff"
"""The role of who works here, as ``roles`` of a token says it."""

ROOM, ENTER = "room", "enter"
"""The type of authorization detail that the hotel takes, and what opens a door."""

DOOR_CHECKS: Mapping[Kind, tuple[Check[Knock], ...]] = MappingProxyType(
    {
        "none": (door_is_known,),
        "room": (door_is_known, holder_is_expected, room_is_their_own, details_open_this_room, stay_is_not_over),
        "leisure": (door_is_known, holder_is_expected, door_is_open_at_this_hour, stay_is_not_over),
        "staff": (door_is_known, holder_is_of_the_staff),
        "lounge": (door_is_known, holder_is_expected, lounge_is_booked, stay_is_not_over),
    }
)
"""Which rules hold at which kind of door, in the order they are asked."""


def _page(number: str, title: str, cause: str, remedy: str, wire: str, status: int = 403) -> Page:
    return Page(number, ACCESS_DENIED, title, cause, remedy, wire, status)


WALL = _page(
    "IK701",
    "There is no such door",
    "The address leads to no door of this hotel. Rooms are 101 to 112, and so on up to floor 4.",
    "Look at GET /hotel for the doors there are.",
    "There is no such door.",
    404,
)
STRANGER = _page(
    "IK702",
    "The holder is not in the book",
    "The token is good, but its subject has no booking in this hotel.",
    "Sign in as a guest of the hotel, or book a stay for this subject.",
    "You are not a guest of this hotel.",
)
ANOTHER_ROOM = _page(
    "IK703",
    "The room is not the holder's",
    "The scope room:enter lets an app open rooms for a guest; which room that is stands in the booking.",
    "Try the room that was booked.",
    "This room is not yours.",
)
NOT_VIP = _page(
    "IK704",
    "The lounge was not booked",
    "The scope vip:enter lets an app ask at the lounge; whether the guest may enter stands in the booking.",
    "Book the lounge, or come as a guest who did.",
    "The lounge is for guests who booked it.",
)
CLOSED = _page(
    "IK705",
    "The door is closed at this hour",
    "Gym and pool have opening hours, in the hotel's local time.",
    "Come back when it is open: the gym from 6 to 22, the pool from 8 to 20.",
    "It is closed at this hour.",
)
STAY_OVER = _page(
    "IK706",
    "The stay is over, or has not begun",
    "The token is still good, but the guest has checked out. Policy is asked at the door, each time.",
    "Extend the stay; a new token alone will not help.",
    "Your stay is over or has not begun.",
)
OTHER_DETAILS = _page(
    "IK707",
    "The keycard names other rooms",
    "The token's authorization details say which rooms it opens, for what and until when; this room, entering it or this "
    "moment is not among them.",
    "Ask for a token with a detail of type room for this room, with the action enter.",
    "Your keycard does not open this room.",
)
NOT_STAFF = _page(
    "IK708",
    "The door is for the staff",
    "A scope says what an app may do for somebody; whether that somebody works here is a role, and the token names none. An "
    "agent that acts for a guest is a guest here, too.",
    "Come as an employee, or as a machine of the house in its own name.",
    "This door is for the staff.",
)
