"""Takes replays out of the house: as files in several forms, and kept on a shelf under an address that lasts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from innkeeper.tour.book import Book
from innkeeper.tour.export import har, markdown, moving, svg
from innkeeper.tour.house import House
from innkeeper.tour.pages import HEADERS
from innkeeper.tour.redact import redacted
from innkeeper.tour.replay import replay
from innkeeper.tour.requests import html, own_form
from innkeeper.tour.shelf import Shelf
from innkeeper.tour.visit import Visit

_GONE = "The guest book holds the last visits only, and none since the house opened."


class Archive:
    """Serves what is taken out. ``clock`` gives whole seconds since the epoch."""

    def __init__(self, house: House, book: Book, shelf: Shelf, clock: Callable[[], int]) -> None:
        self._house = house
        self._book = book
        self._shelf = shelf
        self._clock = clock

    def routes(self) -> list[Route]:
        here, there = "/tour/visits/{visit_id}", "/tour/replays/{visit_id}"
        return [
            Route(f"{here}/keep", self.keep, methods=["POST"]),
            Route(there, self.kept),
            *(Route(f"{here}/replay.{form}", self.taken, name=form) for form in FORMS),
            *(Route(f"{there}/replay.{form}", self.taken_again, name=form) for form in FORMS),
        ]

    async def keep(self, request: Request) -> Response:
        """Put a visit's replay on the shelf, without its tokens, and go to its lasting address."""
        await own_form(request, self._house.base_url)
        visit = self._visit(request)
        self._shelf.keep(redacted(self._document(visit)))
        return RedirectResponse(f"/tour/replays/{visit.id}", 303)

    async def kept(self, request: Request) -> Response:
        return html("kept.html", visit=self._from_shelf(request))

    async def taken(self, request: Request) -> Response:
        """A visit in one of the forms; with ``tokens=shown`` as it was, otherwise without tokens and codes."""
        document = self._document(self._visit(request))
        shown = request.query_params.get("tokens") == "shown"
        return _file(request, document if shown else redacted(document))

    async def taken_again(self, request: Request) -> Response:
        return _file(request, self._from_shelf(request))

    def _document(self, visit: Visit) -> dict[str, Any]:
        return replay(visit, self._book.hops(visit.id), self._house, self._clock())

    def _visit(self, request: Request) -> Visit:
        visit = self._book.visit(request.path_params["visit_id"])
        if visit is None:
            raise HTTPException(404, _GONE)
        return visit

    def _from_shelf(self, request: Request) -> dict[str, Any]:
        document = self._shelf.get(request.path_params["visit_id"])
        if document is None:
            raise HTTPException(404, "No such replay is kept in this house.")
        return document


FORMS = {
    "har": ("application/json", har),
    "md": ("text/markdown; charset=utf-8", markdown),
    "svg": ("image/svg+xml", svg),
    "moving.svg": ("image/svg+xml", moving),
}
"""The forms a replay can be taken in: by the ending of its name, its content type and what writes it."""


def _file(request: Request, document: dict[str, Any]) -> Response:
    form = request.url.path.partition("/replay.")[2]
    content_type, write = FORMS[form]
    name = {"content-disposition": f'inline; filename="replay-{document["id"]}.{form}"'}
    headers = {**HEADERS, "content-security-policy": _STILL_POLICY, **name}
    return Response(write(document), headers=headers, media_type=content_type)


_STILL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""A file opened by itself loads nothing and runs nothing; the style within a moving picture may move it."""
