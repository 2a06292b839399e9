"""What the hotel does for guests besides opening doors: the spa, and what the kitchen brings to the room. Its rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec

from innkeeper.hotel.book import Booking
from innkeeper.hotel.rules import STAY_OVER, STRANGER
from innkeeper.protocol.errors import ACCESS_DENIED
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, Trail, check, follow

ABOUT = "service"
SPA_HOURS = (9, 21)
"""The spa takes its guests for an hour each, from and until these full hours."""

MENU: Mapping[str, int] = MappingProxyType(
    {"club sandwich": 18, "soup of the day": 12, "ice cream": 9, "champagne": 95}
)
"""What the kitchen brings, in euros."""

ORDER = "room_order"
"""The type of authorization detail by which a guest allows one order."""


class Wish(msgspec.Struct, frozen=True):
    """Somebody with a good token wants something done. ``booking`` is of the guest whom the token speaks of; ``taken``
    are the hours at which others are in the spa."""

    guest: str
    booking: Booking | None
    local_time: datetime
    hour: int = 0
    dish: str = ""
    taken: frozenset[int] = frozenset()


def book_spa(wish: Wish) -> Trail:
    """May the spa be booked for this hour?"""
    return follow(ABOUT, SPA_CHECKS, wish)


def order(wish: Wish) -> Trail:
    """May this be ordered, as far as the hotel is concerned? The guest is asked besides."""
    return follow(ABOUT, ORDER_CHECKS, wish)


def bill(wish: Wish) -> Trail:
    """May the bill be shown and settled?"""
    return follow(ABOUT, BILL_CHECKS, wish)


def detail(room: int, dish: str) -> dict[str, Any]:
    """What a guest is asked to allow: this dish, to this room, for no more than it costs."""
    return {"type": ORDER, "room": room, "dish": dish, "euros": MENU[dish]}


@check("House rules §7")
def wish_is_a_guests(case: Wish) -> Seen | Refusal:
    """Services are for guests in the book, not for machines of the house."""
    if case.booking is None:
        return Refusal(STRANGER, f"the book has no guest {case.guest!r}", "a guest in the book", case.guest)
    return Seen(case.booking.name)


@check("House rules §6")
def guest_is_still_here(case: Wish) -> Seen | Refusal:
    """Nothing is brought, or booked, after the guest has left."""
    booking = case.booking
    if booking is None or not booking.check_in <= case.local_time < booking.check_out:
        return Refusal(
            STAY_OVER, "the guest is not in the hotel now", "a guest who stays", f"{case.local_time:%F %H:%M}"
        )
    return Seen(f"until {booking.check_out:%F %H:%M}")


@check("House rules §8")
def spa_is_open_then(case: Wish) -> Seen | Refusal:
    """The spa has hours, and an hour that has passed today is none."""
    opens, closes = SPA_HOURS
    first = max(opens, case.local_time.hour + 1)
    if not first <= case.hour < closes:
        expected = f"from {first}:00 to {closes - 1}:00 today" if first < closes else "tomorrow"
        return Refusal(SPA_CLOSED, f"the spa takes nobody at {case.hour}:00 any more", expected, f"{case.hour}:00")
    return Seen(f"{case.hour}:00", f"{opens}:00 to {closes}:00")


@check("House rules §9")
def hour_is_free(case: Wish) -> Seen | Refusal:
    """One guest an hour."""
    if case.hour in case.taken:
        return Refusal(SPA_TAKEN, f"somebody is in the spa at {case.hour}:00", "a free hour", f"{case.hour}:00")
    return Seen(f"{case.hour}:00")


@check("House rules §10")
def dish_is_on_the_menu(case: Wish) -> Seen | Refusal:
    """The kitchen brings what is on the menu."""
    if case.dish not in MENU:
        return Refusal(NOT_ON_MENU, "the menu has no such dish", ", ".join(MENU), case.dish[:60])
    return Seen(f"{case.dish}, {MENU[case.dish]} euros")


SPA_CHECKS = (wish_is_a_guests, guest_is_still_here, spa_is_open_then, hour_is_free)
ORDER_CHECKS = (wish_is_a_guests, guest_is_still_here, dish_is_on_the_menu)
BILL_CHECKS = (wish_is_a_guests,)


def _page(number: str, title: str, cause: str, remedy: str, wire: str, status: int = 403) -> Page:
    return Page(number, ACCESS_DENIED, title, cause, remedy, wire, status)


SPA_CLOSED = _page(
    "IK714",
    "The spa takes nobody at this hour",
    "The spa opens at 9 and takes its last guest at 20, in the hotel's local time; hours that have passed are gone.",
    "Choose a full hour that is still to come today.",
    "The spa takes nobody at that hour.",
)
SPA_TAKEN = _page(
    "IK715",
    "The spa is taken at this hour",
    "One guest an hour, and somebody was faster.",
    "Choose another hour.",
    "The spa is taken at that hour.",
)
NOT_ON_MENU = _page(
    "IK716",
    "The menu has no such dish",
    "The kitchen brings what is on the menu, spelt as it is there.",
    "Order one of the dishes that the tool's description lists.",
    "The menu has no such dish.",
    404,
)
NO_SUCH_ORDER = _page(
    "IK717",
    "There is no such order",
    "No order has this number, or another guest or another program made it.",
    "Ask with the number that order_to_room answered.",
    "There is no such order.",
    404,
)
NOT_ALLOWED = _page(
    "IK718",
    "The guest did not allow the order",
    "The guest was asked on their own device and said no, or did not answer in time.",
    "Ask the guest before ordering again.",
    "The guest did not allow the order.",
)
NOBODY_TO_ASK = _page(
    "IK719",
    "The guest cannot be asked",
    "The book does not say how the guest signs in, the settings have no client room-service with the CIBA grant, or the "
    "issuer refused to ask.",
    "Add the client room-service to the settings, as the ones that come with innkeeper have it.",
    "The guest cannot be asked now, and nothing is brought without being asked.",
)
OTHER_ORDER = _page(
    "IK720",
    "What the guest allowed is not this order",
    "The token that came of asking the guest is not good here, or its authorization details are not of this order.",
    "Order again; if it stays, look at the resource's details in the settings.",
    "The guest did not allow this order.",
)
