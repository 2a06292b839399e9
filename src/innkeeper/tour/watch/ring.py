"""What was seen last: a ring of messages, those that were pinned, and whoever waits for news."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence

from msgspec.structs import replace

from innkeeper.tour.watch.keeping import Message

KEPT = 500
PINNED = 50


class Ring:
    """In memory and bounded: the oldest message leaves when another comes, unless it is pinned. ``name`` tells this ring
    from one of an earlier start, so that whoever comes back knows whether the numbers still mean the same."""

    def __init__(self, kept: int = KEPT, pinned: int = PINNED) -> None:
        self.name = secrets.token_urlsafe(6)
        self.on = False
        self._most_kept = kept
        self._most_pinned = pinned
        self._messages: OrderedDict[int, Message] = OrderedDict()
        self._pins: OrderedDict[int, Message] = OrderedDict()
        self._taken = 0
        self._turned = asyncio.Event()

    def add(self, message: Message) -> Message:
        """Keep a message, as the next one."""
        self._taken += 1
        self._messages[self._taken] = numbered = replace(message, n=self._taken)
        if len(self._messages) > self._most_kept:
            self._messages.popitem(last=False)
        self._tell()
        return numbered

    def turn(self, *, on: bool) -> None:
        """Begin to watch, or stop."""
        self.on = on
        self._tell()

    def clear(self) -> None:
        """Forget everything that is not pinned."""
        self._messages.clear()
        self._tell()

    def pin(self, n: int) -> bool | None:
        """Pin a message, or let it go again; None where it is not here, or where no more can be pinned."""
        if self._pins.pop(n, None):
            return False
        message = self._messages.get(n)
        if message is None or len(self._pins) >= self._most_pinned:
            return None
        self._pins[n] = message
        return True

    def message(self, n: int) -> Message | None:
        return self._messages.get(n) or self._pins.get(n)

    def messages(self, after: int = 0) -> Sequence[Message]:
        """What is here, oldest first."""
        both = {**self._pins, **self._messages}
        return [both[n] for n in sorted(both) if n > after]

    @property
    def pinned(self) -> frozenset[int]:
        return frozenset(self._pins)

    @property
    def last(self) -> int:
        """The number of the newest message."""
        return self._taken

    async def news(self, after: int, patience: float) -> AsyncIterator[Sequence[Message]]:
        """Messages that came after a number, now and whenever there are more; ends after ``patience`` seconds without."""
        while True:
            turned = self._turned
            fresh = self.messages(after)
            after = max(after, self._taken)
            yield fresh
            try:
                await asyncio.wait_for(turned.wait(), patience)
            except TimeoutError:
                return

    def _tell(self) -> None:
        self._turned.set()
        self._turned = asyncio.Event()
