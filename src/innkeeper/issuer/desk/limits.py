"""How often somebody may do something that costs us or others work: so many times at once, and then at a steady pace."""

from __future__ import annotations

from collections import OrderedDict


class Bucket:
    """A leaking bucket for each name. ``burst`` is how many times at once, ``every`` the seconds for one more after.

    Kept in this process, for the names seen last: a limit on our own work. What strangers do is counted by all nodes
    together, in ``throttle``.
    """

    def __init__(self, burst: int, every: int, names_kept: int = 10_000) -> None:
        self._room = burst * every
        self._every = every
        self._names_kept = names_kept
        self._full_until: OrderedDict[str, int] = OrderedDict()

    def take(self, name: str, now: int) -> int:
        """0 where ``name`` may go on, and then it is counted; else the seconds that it has to wait."""
        full_until = max(self._full_until.get(name, 0), now) + self._every
        wait = full_until - now - self._room
        if wait > 0:
            return wait
        self._full_until[name] = full_until
        self._full_until.move_to_end(name)
        if len(self._full_until) > self._names_kept:
            self._full_until.popitem(last=False)
        return 0
