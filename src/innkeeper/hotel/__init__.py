"""The demonstration: a hotel whose doors are an API behind the guard.

The guard decides whether a keycard is good here (``innkeeper.guard``); this folder decides, as any API must for
itself, what its holder may do: whose room it is, when the pool is open, until when someone stays. Hotel words live
here and in the tour, nowhere else.
"""

from innkeeper.hotel.app import make_hotel as make_hotel
from innkeeper.hotel.book import Book as Book
from innkeeper.hotel.book import Booking as Booking
