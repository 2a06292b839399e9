"""The guest book: the visits now known, their recorded exchanges, and whoever waits for news of one."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator

from innkeeper.tour.hands import NOW, Hands
from innkeeper.tour.record import Hop
from innkeeper.tour.visit import Visit

VISITS = 64
HOPS = 96


class Book:
    """In memory and bounded: the oldest visit leaves when another comes, and a visit keeps its first ``HOPS`` hops."""

    def __init__(self) -> None:
        self._pages: OrderedDict[str, _Leaf] = OrderedDict()

    def add(self, visit: Visit) -> None:
        """Open a page for a new visit."""
        self._pages[visit.id] = _Leaf(visit)
        while len(self._pages) > VISITS:
            self._pages.popitem(last=False)[1].changed()

    def __contains__(self, visit_id: object) -> bool:
        return visit_id in self._pages

    def visit(self, visit_id: str) -> Visit | None:
        page = self._pages.get(visit_id)
        return page.visit if page else None

    def hands(self, visit_id: str) -> Hands:
        """How the clock is moved for a visit."""
        page = self._pages.get(visit_id)
        return page.visit.hands if page else NOW

    def write(self, visit: Visit) -> None:
        """Note how a visit stands now. One that the book has let go of is let go."""
        if page := self._pages.get(visit.id):
            page.visit = visit
            page.changed()

    def number(self, visit_id: str) -> int | None:
        """The next hop's number, taken as its request begins; None where no more are kept."""
        page = self._pages.get(visit_id)
        if page is None or page.begun >= HOPS:
            return None
        page.begun += 1
        return page.begun

    def record(self, visit_id: str, hop: Hop) -> None:
        """Keep a finished exchange."""
        if page := self._pages.get(visit_id):
            page.hops[hop.n] = hop
            page.changed()

    def hops(self, visit_id: str) -> tuple[Hop, ...]:
        """The finished exchanges, in the order their requests began."""
        page = self._pages.get(visit_id)
        return tuple(page.hops[n] for n in sorted(page.hops)) if page else ()

    def labelled(self, visit_id: str, label: str) -> Hop | None:
        """The exchange that its caller marked with ``label``."""
        return next((hop for hop in self.hops(visit_id) if hop.label == label), None)

    def version(self, visit_id: str) -> int:
        """How often the visit's page has changed."""
        page = self._pages.get(visit_id)
        return page.version if page else 0

    async def news(self, visit_id: str, patience: float) -> AsyncIterator[int]:
        """The version now and after every change; ends after ``patience`` seconds without one, or with the visit."""
        while page := self._pages.get(visit_id):
            turned = page.turned
            yield page.version
            try:
                await asyncio.wait_for(turned.wait(), patience)
            except TimeoutError:
                return


class _Leaf:
    """One visit's page in the book."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.hops: dict[int, Hop] = {}
        self.begun = 0
        self.version = 0
        self.turned = asyncio.Event()

    def changed(self) -> None:
        self.version += 1
        self.turned.set()
        self.turned = asyncio.Event()
