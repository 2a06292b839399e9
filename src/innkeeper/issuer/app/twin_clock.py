"""The twins' clock: the system's, moved by ``innkeeper twin clock``, for the twins alone and on every node of a house."""

from __future__ import annotations

from innkeeper.issuer.desk.realm import Clock
from innkeeper.issuer.store.port import Store

_REALM, _NOTE = "twins", "clock"


class TwinClock:
    """Call it for the time. It stands as far ahead as the store says that it was moved; ``reload`` takes that up."""

    def __init__(self, base: Clock, store: Store) -> None:
        self._base = base
        self._memory = store.realm(_REALM)
        self.ahead = 0

    def __call__(self) -> int:
        return self._base() + self.ahead

    async def reload(self) -> None:
        self.ahead = int(await self._memory.note(_NOTE) or 0)

    async def move(self, ahead: int) -> None:
        """Stand ``ahead`` seconds before the system's clock from now on, or behind it where negative."""
        await self._memory.put_note(_NOTE, str(ahead))
        await self._memory.put_keys(())  # counts as a change, which a house that runs takes up
        self.ahead = ahead
