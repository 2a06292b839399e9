"""The hotel's book: who stays in which room, until when. All that is known of a guest by the subject of a token."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo

import msgspec


class Booking(msgspec.Struct, frozen=True):
    """One stay. ``guest`` is the ``sub`` that the issuer writes for this person (or machine); times in local time.

    ``account`` is the name by which the guest signs in, so that they can be asked; "" where the hotel does not know it.
    """

    guest: str
    name: str
    room: int
    check_in: datetime
    check_out: datetime
    vip: bool = False
    account: str = ""


class Book:
    """The bookings, one a guest."""

    def __init__(self, bookings: Iterable[Booking]) -> None:
        self._by_guest = {one.guest: one for one in bookings}

    def of(self, guest: str) -> Booking | None:
        """The booking of a subject, or None."""
        return self._by_guest.get(guest)


def seeded(now: float, zone: tzinfo | None = None) -> Book:
    """The book on the day the hotel opens, ``now`` in seconds since 1970: two guests who came today.

    Ada in 204 stays three days. Grace in 305 stays five, and booked the VIP lounge.
    """
    today = local(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)

    def until(days: int) -> datetime:
        return (today + timedelta(days=days)).replace(hour=11)

    return Book(
        (
            Booking("guest-204", "Ada Guest", 204, today, until(3), account="guest@hotel.example"),
            Booking("guest-305", "Grace Visitor", 305, today, until(5), vip=True, account="vip@hotel.example"),
        )
    )


def local(now: float, zone: tzinfo | None) -> datetime:
    """A moment as the hotel's clock shows it; without a ``zone``, in the one this computer is set to."""
    return datetime.fromtimestamp(now).astimezone() if zone is None else datetime.fromtimestamp(now, zone)
