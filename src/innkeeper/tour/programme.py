"""The chapters' pages: the table of contents, each chapter, and its acts as they are played one by one."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from innkeeper.protocol.refusals import UsageError
from innkeeper.tour.book import Book
from innkeeper.tour.house import House
from innkeeper.tour.plays import Chapter, chapter
from innkeeper.tour.replay import replay
from innkeeper.tour.requests import elsewhere, html, own_form, wants_json
from innkeeper.tour.stage import Stage
from innkeeper.tour.told import chapter_document, contents, hotel_doors
from innkeeper.tour.visit import Visit

HERE = "/tour/chapters"


class Programme:
    """Serves the chapters. ``clock`` gives whole seconds since the epoch."""

    def __init__(self, house: House, book: Book, stage: Stage, clock: Callable[[], int]) -> None:
        self._house = house
        self._book = book
        self._stage = stage
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route(HERE, self.index),
            Route(f"{HERE}/{{chapter}}", self.page, methods=["GET"]),
            Route(f"{HERE}/{{chapter}}", self.begin, methods=["POST"]),
            Route("/tour/visits/{visit_id}/acts", self.act, methods=["POST"]),
        ]

    async def index(self, request: Request) -> Response:
        return elsewhere(request, self._house.base_url) or html("chapters.html", chapters=contents(self._house))

    async def page(self, request: Request) -> Response:
        """A chapter before anyone has begun it."""
        if back := elsewhere(request, self._house.base_url):
            return back
        return self.shown(self._chapter(request), None)

    async def begin(self, request: Request) -> Response:
        """Begin a chapter: its first act, or with ``play`` all, every act."""
        form = await own_form(request, self._house.base_url)
        told = self._chapter(request)
        if told.needs and told.needs not in self._house.features:
            raise UsageError(f"this house has no {told.needs} to show the chapter with")
        visit = Visit(id=secrets.token_urlsafe(12), flow="chapter", started_at=self._clock(), chapter=told.key)
        return await self._go_on(request, await self._stage.set(visit), everything=form.get("play") == "all")

    async def act(self, request: Request) -> Response:
        """Play the next act of a chapter's visit, or all that are left."""
        form = await own_form(request, self._house.base_url)
        visit = self._book.visit(request.path_params["visit_id"])
        if visit is None or not visit.chapter:
            raise HTTPException(404, "The guest book holds the last visits only, and none since the house opened.")
        return await self._go_on(request, visit, everything=form.get("play") == "all")

    async def _go_on(self, request: Request, visit: Visit, *, everything: bool) -> Response:
        after = await (self._stage.play_out(visit) if everything else self._stage.play(visit))
        here = f"/tour/visits/{after.id}"
        if wants_json(request):
            page = {"id": after.id, "page": self._house.base_url + here}
            return JSONResponse(page | {"chapter": self._document(after)}, 201)
        return RedirectResponse(f"{here}#act-{len(after.acts)}", 303)

    def shown(self, told: Chapter, visit: Visit | None) -> Response:
        """The page of a chapter; with a visit, as far as it has been played."""
        hops = self._book.hops(visit.id) if visit else ()
        return html(
            "chapter.html",
            chapter=chapter_document(told, visit, hops, self._house),
            hotel=hotel_doors(told, visit),
            visit=replay(visit, hops, self._house, self._clock()) if visit else None,
            version=self._book.version(visit.id) if visit else 0,
        )

    def _document(self, visit: Visit) -> dict[str, Any]:
        told = chapter(visit.chapter)
        if told is None:
            raise UsageError(f"there is no chapter {visit.chapter!r}")
        return chapter_document(told, visit, self._book.hops(visit.id), self._house)

    def _chapter(self, request: Request) -> Chapter:
        told = chapter(request.path_params["chapter"])
        if told is None:
            raise HTTPException(404, "The tour has no such chapter.")
        return told
