"""The pages on which one flow is played at several desks and laid side by side."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from innkeeper.tour.book import Book
from innkeeper.tour.comparing import comparison_document, desks_of
from innkeeper.tour.house import House
from innkeeper.tour.plays import Comparison, comparison
from innkeeper.tour.replay import replay
from innkeeper.tour.requests import elsewhere, html, own_form
from innkeeper.tour.stage import Stage
from innkeeper.tour.visit import Visit

HERE = "/tour/compare/{key}"


class Beside:
    """Serves the comparisons. ``clock`` gives whole seconds since the epoch."""

    def __init__(self, house: House, book: Book, stage: Stage, clock: Callable[[], int]) -> None:
        self._house = house
        self._book = book
        self._stage = stage
        self._clock = clock

    def routes(self) -> list[Route]:
        return [Route(HERE, self.page, methods=["GET"]), Route(HERE, self.play, methods=["POST"])]

    async def play(self, request: Request) -> Response:
        """Play the flow at each desk of this house, each in a visit of its own, and go to where they stand together."""
        await own_form(request, self._house.base_url)
        told = _told(request)
        visits = {desk: (await self._played(told, desk)).id for desk in desks_of(told, self._house)}
        return RedirectResponse(f"/tour/compare/{told.key}?{urlencode(visits)}#hops", 303)

    async def _played(self, told: Comparison, desk: str) -> Visit:
        visit = Visit(id=secrets.token_urlsafe(12), flow="chapter", started_at=self._clock(), chapter=told.at(desk).key)
        return await self._stage.play_out(await self._stage.set(visit))

    async def page(self, request: Request) -> Response:
        """A comparison; with the visits in its address, what came of each."""
        if back := elsewhere(request, self._house.base_url):
            return back
        told = _told(request)
        named = {desk: self._book.visit(request.query_params.get(desk, "")) for desk in told.desks}
        played = {
            desk: replay(visit, self._book.hops(visit.id), self._house, self._clock())
            for desk, visit in named.items()
            if visit and visit.chapter == told.at(desk).key
        }
        return html("compare.html", told=comparison_document(told, played, self._house))


def _told(request: Request) -> Comparison:
    told = comparison(request.path_params["key"])
    if told is None:
        raise HTTPException(404, "The tour compares no such flow.")
    return told
