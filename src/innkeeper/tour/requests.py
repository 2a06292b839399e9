"""What the tour's pages have in common: forms that are surely our own, HTML answers, and trouble as a page."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from innkeeper.protocol.parameters import Parameters, parse_form
from innkeeper.protocol.refusals import UsageError
from innkeeper.tour.origin import why_foreign
from innkeeper.tour.pages import HEADERS, page

NOTHING_HERE = "No room, desk or page of this house has this address."

FORM_LIMIT = 4096
"""Bytes of the longest form read here. Ours have two short fields."""


def html(template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A page of the tour."""
    return HTMLResponse(page(template, **context), status, HEADERS)


def wants_json(request: Request) -> bool:
    """Whether a program asks, which wants data and no page."""
    return request.headers.get("accept") == "application/json"


def elsewhere(request: Request, base_url: str) -> Response | None:
    """A redirect to the house's own address, for whoever came by another name: cookies would not follow."""
    host = base_url.partition("://")[2]
    if request.headers.get("host") == host:
        return None
    return RedirectResponse(base_url + request.url.path, 307)


async def own_form(request: Request, base_url: str) -> Parameters:
    """The parameters of a form, once it is certain that our own page sent it."""
    if why := why_foreign(request.headers, base_url):
        raise HTTPException(403, why)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_LIMIT:
            raise HTTPException(413, "No form here is that long.")
    return parse_form(bytes(body), request.headers.get("content-type", ""))


async def trouble(request: Request, happened: Exception) -> Response:
    """A page for a request that cannot be answered."""
    status = happened.status_code if isinstance(happened, HTTPException) else 400
    said = happened.detail if isinstance(happened, HTTPException) else str(happened)
    return _answer(request, status, NOTHING_HERE if said == HTTPStatus.NOT_FOUND.phrase else said)


async def misuse(request: Request, happened: Exception) -> Response:
    """A page for what cannot be done now, or because the house does not answer itself."""
    return _answer(request, 409 if isinstance(happened, UsageError) else 503, str(happened))


def _answer(request: Request, status: int, said: str) -> Response:
    if request.url.path.endswith(".json") or wants_json(request):
        return JSONResponse({"error": said}, status)
    return html("trouble.html", status, number=status, said=said)
