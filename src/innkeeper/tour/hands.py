"""The hands of the clock in a visit: the hotel's hour, and the doors' sense of time, moved for that visit alone.

Nothing else in the house is moved, and nobody else's requests: the tap sets the hands for an exchange of the visit.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from datetime import datetime, timedelta

import msgspec


class Hands(msgspec.Struct, frozen=True):
    """Seconds by which this visit's clock is ahead: ``hotel`` of the hour at the doors, ``locks`` of what expires."""

    hotel: int = 0
    locks: int = 0


NOW = Hands()

moved: ContextVar[Hands] = ContextVar("innkeeper_tour_hands", default=NOW)
"""The hands for the exchange under way. Set by the tap."""

CARD_LIFE = 660
DAY = 86_400
_HOURS = {"dawn": 5, "noon": 12, "night": 23}
MOMENTS = ("now", *_HOURS, "later", "checkout")
"""What the clock can be moved to, by name."""


def hotel_time() -> float:
    """Seconds since 1970 as the hotel's doors see them."""
    return time.time() + moved.get().hotel


def locks_time() -> float:
    """Seconds since 1970 as the guard sees them."""
    return time.time() + moved.get().locks


def hands_at(moment: str, now: int) -> Hands:
    """The hands for a named moment; ``now`` in seconds.

    An hour moves the doors' hours only, so that a card in hand stays good. ``later`` is after the card's end.
    ``checkout`` is at noon when the stay is over: the guest's app has had new cards all along.
    """
    if moment in _HOURS:
        return Hands(hotel=_until(_HOURS[moment], now))
    if moment == "checkout":
        return Hands(hotel=4 * DAY + _until(_HOURS["noon"], now))
    return Hands(CARD_LIFE, CARD_LIFE) if moment == "later" else NOW


def clock_document(hands: Hands, now: int) -> dict[str, object]:
    """The clock in the gable: its hour and minute at the hotel, whether somebody moved it, and whether that is night."""
    there = datetime.fromtimestamp(now + hands.hotel).astimezone()
    was_moved = hands != NOW
    sky = "" if not was_moved else "day" if _MORNING <= there.hour < _EVENING else "night"
    return {"hour": there.hour, "minute": there.minute, "text": f"{there:%a %H:%M}", "moved": was_moved, "sky": sky}


_MORNING, _EVENING = 6, 20


def at_noon(now: int) -> Hands:
    """Noon of this day, so that gym and pool are open in a chapter at whatever hour it is read."""
    return hands_at("noon", now)


def _until(hour: int, now: int) -> int:
    here = datetime.fromtimestamp(now).astimezone()
    return int((here.replace(hour=hour, minute=0, second=0) - here) / timedelta(seconds=1))
