"""The tour as an ASGI application: its pages at ``/`` and ``/tour``, the guest app's ``/callback``, and the tap."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from innkeeper.protocol.parameters import Malformed
from innkeeper.protocol.refusals import Unreachable, UsageError
from innkeeper.tour import course, course_pages, tap
from innkeeper.tour.annexe import Annexe
from innkeeper.tour.archive import Archive
from innkeeper.tour.beside import Beside
from innkeeper.tour.book import Book
from innkeeper.tour.cards import CARDS, CardName
from innkeeper.tour.errands import Errands
from innkeeper.tour.forge import Forge
from innkeeper.tour.house import ANNEXE, CALLBACK, DOORS, CutExpired, House, Twin
from innkeeper.tour.line import Line
from innkeeper.tour.marks import COOKIE
from innkeeper.tour.overhearing import observe
from innkeeper.tour.pages import STATIC
from innkeeper.tour.plays import chapter
from innkeeper.tour.programme import Programme
from innkeeper.tour.replay import entrance, replay
from innkeeper.tour.requests import elsewhere, html, misuse, own_form, trouble, wants_json
from innkeeper.tour.shelf import Shelf
from innkeeper.tour.stage import Stage
from innkeeper.tour.told import contents
from innkeeper.tour.visit import TURNS, Flow, Turn, Visit
from innkeeper.tour.watch.again import Again
from innkeeper.tour.watch.pages import Watching
from innkeeper.tour.watch.ring import Ring
from innkeeper.tour.watch.tap import Watch
from innkeeper.tour.whatif import RotateKeys, WhatIf

PATIENCE = 20.0
"""Seconds that an event stream stays open in silence. Browsers come back by themselves; a server can stop sooner."""

FLOWS: dict[str, Flow] = {flow: flow for flow in get_args(Flow)}
NAMED_TURNS: dict[str, Turn] = {turn: turn for turn in TURNS}
NAMED_CARDS: dict[str, CardName] = {name: name for name in CARDS}

_IDENTITY_SCOPES = frozenset({"openid", "profile", "email", "address", "phone", "offline_access"})


class TourApp:
    """The tour. ``app`` answers ``/``, ``/tour/…`` and ``/callback``; ``wrap`` puts the tap round the whole site."""

    def __init__(
        self,
        house: House,
        annexe: Annexe,
        cut_expired: CutExpired,
        rotate_keys: RotateKeys,
        replays: Path,
        clock: Callable[[], int],
        *,
        watch: bool | None,
    ) -> None:
        self._house = house
        self._ring = Ring() if watch is not None else None
        self._whole: ASGIApp | None = None
        if self._ring:
            self._ring.on = bool(watch)
        self._clock = clock
        self._book = Book()
        self._line = Line()
        forge = Forge(self._line, cut_expired)
        errands = Errands(house, self._book, self._line, forge, clock, observe)
        stage = Stage(house, self._book, self._line, forge, clock)
        programme = Programme(house, self._book, stage, clock)
        beside = Beside(house, self._book, stage, clock)
        archive = Archive(house, self._book, Shelf(replays), clock)
        what_if = WhatIf(house, self._book, self._line, rotate_keys, clock)
        self.app: ASGIApp = _Site(
            house, self._book, errands, what_if, programme, archive, beside, annexe, clock, self._watching()
        ).app()

    def wrap(self, site: ASGIApp) -> ASGIApp:
        """The site with the tap on it; put this outermost."""
        tapped = tap.Tap(site, self._book, self._house.place, time.perf_counter)
        if self._ring is None:
            return tapped
        self._whole = Watch(tapped, self._ring, self._house.place, time.time, time.perf_counter)
        return self._whole

    def _watching(self) -> list[Route]:
        """The pages of somebody's own traffic, where there may be any."""
        if self._ring is None:
            return []
        again = Again(self._through, self._ring)
        return Watching(self._house, self._ring, again, self._clock, PATIENCE).routes()

    async def _through(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The whole site, as a message that is sent again meets it."""
        if self._whole is not None:
            await self._whole(scope, receive, send)

    async def aclose(self) -> None:
        """Close the tour's connections; call it when the site shuts down."""
        await self._line.aclose()


def make_tour(
    *,
    base_url: str,
    client_id: str,
    agent: tuple[str, str],
    resource: str,
    scopes: Sequence[str],
    cut_expired: CutExpired,
    rotate_keys: RotateKeys,
    replays: Path,
    clock: Callable[[], int],
    other_resource: str | None = None,
    agent_scopes: Sequence[str] | None = None,
    guest: tuple[str, str] = ("", ""),
    agents: Mapping[str, str] = MappingProxyType({}),
    twins: Sequence[Twin] = (),
    watch: bool | None = None,
    lessons: Path | None = None,
) -> TourApp:
    """The tour of a house.

    ``base_url`` is the site's address and the issuer's string, without a slash at its end. ``client_id`` is a
    public client with ``/callback`` on loopback, ``agent`` the id and secret of one with client credentials.
    ``scopes`` is what the guest's app asks for (leave one door out, so that it can be seen to stay shut);
    ``agent_scopes`` are those without OpenID's unless given, ``other_resource`` is ``resource`` + "/mcp" unless
    given. ``guest`` is the name and password that the chapters sign in with; ``agents`` are the ids and secrets of those
    that act for guests, as ``House`` has them; ``twins`` are the
    clouds' desks in this house. ``watch`` says whether somebody watches their own traffic from the start; with None
    nobody ever can. ``lessons`` is the folder of the course's built pages, where there is one. ``cut_expired`` is given the claims of a real token and answers one
    whose time is over; ``rotate_keys`` makes the issuer sign with a new key; ``replays`` is the
    folder that kept replays are in; ``clock`` gives whole seconds since the
    epoch.
    """
    annexe = Annexe(observe)
    machine = tuple(scope for scope in scopes if scope not in _IDENTITY_SCOPES)
    house = House(
        base_url=base_url,
        client_id=client_id,
        agent=agent,
        resource=resource,
        other_resource=other_resource or f"{resource}/mcp",
        scopes=tuple(scopes),
        agent_scopes=machine if agent_scopes is None else tuple(agent_scopes),
        guest=guest,
        agents=agents,
        annexe=annexe.known,
        twins=tuple(twins),
        course=lessons,
    )
    return TourApp(house, annexe, cut_expired, rotate_keys, replays, clock, watch=watch)


class _Site:
    """The tour's pages."""

    def __init__(
        self,
        house: House,
        book: Book,
        errands: Errands,
        what_if: WhatIf,
        programme: Programme,
        archive: Archive,
        beside: Beside,
        annexe: Annexe,
        clock: Callable[[], int],
        watching: Sequence[Route],
    ) -> None:
        self._house = house
        self._watching = watching
        self._book = book
        self._errands = errands
        self._what_if = what_if
        self._programme = programme
        self._archive = archive
        self._beside = beside
        self._annexe = annexe
        self._clock = clock

    def app(self) -> ASGIApp:
        visit = "/tour/visits/{visit_id}"
        return Starlette(
            routes=[
                Route("/", self.home),
                Route("/tour", self.home),
                Route("/tour/visits", self.start, methods=["POST"]),
                Route(visit, self.show),
                Route(f"{visit}/leave", self.leave),
                Route(f"{visit}/doors", self.knock, methods=["POST"]),
                Route(f"{visit}/turns", self.turn, methods=["POST"]),
                Route(f"{visit}/replay.json", self.record),
                Route(f"{visit}/events", self.events),
                Route(CALLBACK, self.callback),
                Route(f"{ANNEXE}/{{door}}", self._annexe.door),
                *self._programme.routes(),
                *self._archive.routes(),
                *self._beside.routes(),
                *self._watching,
                *(course_pages.routes(self._house.course) if self._house.course else ()),
                Mount("/tour/static", _Files(directory=STATIC)),
            ],
            middleware=[Middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)],
            exception_handlers={
                HTTPException: trouble,
                Malformed: trouble,
                UsageError: misuse,
                Unreachable: misuse,
            },
        )

    async def home(self, request: Request) -> Response:
        if back := elsewhere(request, self._house.base_url):
            return back
        return html(
            "home.html",
            hotel=entrance(),
            chapters=contents(self._house),
            watchable=bool(self._watching),
            course=f"{course.AT}/tutorial/index.html" if self._house.course else "",
        )

    async def start(self, request: Request) -> Response:
        """Begin a visit (``flow`` guest, agent or walk), and go to its page."""
        flow = FLOWS.get((await own_form(request, self._house.base_url)).get("flow", ""))
        if flow is None:
            raise HTTPException(400, "A visit is a guest's or an agent's.")
        visit = await self._errands.open(flow)
        here = f"/tour/visits/{visit.id}"
        if wants_json(request):
            return JSONResponse({"id": visit.id, "page": self._house.base_url + here}, 201)
        return RedirectResponse(here, 303)

    async def show(self, request: Request) -> Response:
        if back := elsewhere(request, self._house.base_url):
            return back
        visit = self._visit(request)
        if told := chapter(visit.chapter):
            return self._programme.shown(told, visit)
        shown = html("visit.html", visit=self._document(visit), version=self._book.version(visit.id))
        if visit.flow == "guest" and visit.stage in {"ready", "away"}:
            shown.set_cookie(COOKIE, visit.id, max_age=3600, httponly=True, samesite="lax")
        return shown

    async def leave(self, request: Request) -> Response:
        return RedirectResponse(self._errands.leave(self._visit(request)), 303, {"cache-control": "no-store"})

    async def callback(self, request: Request) -> Response:
        """The guest app's redirect URI. The browser's cookie says which visit's app it is."""
        visit = self._book.visit(request.cookies.get(COOKIE, ""))
        if visit is None:
            raise HTTPException(400, "Nobody is awaited here. Start a visit, and come back in the same browser.")
        after = await self._errands.come_back(visit, request.url.query)
        back = RedirectResponse(f"/tour/visits/{after.id}", 303)
        back.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return back

    async def knock(self, request: Request) -> Response:
        """Hold a ``card`` to a ``door``."""
        form = await own_form(request, self._house.base_url)
        card, door = NAMED_CARDS.get(form.get("card", "real")), form.get("door", "")
        if card is None or door not in DOORS:
            raise HTTPException(400, "This house has no such card or door.")
        visit = await self._errands.try_door(self._visit(request), card, door)
        return RedirectResponse(f"/tour/visits/{visit.id}#answer", 303)

    async def turn(self, request: Request) -> Response:
        """Let something happen: a ``turn`` of the clock, the keys or the card."""
        turn = NAMED_TURNS.get((await own_form(request, self._house.base_url)).get("turn", ""))
        if turn is None:
            raise HTTPException(400, "Nothing of that name can happen here.")
        visit = await self._what_if.happen(self._visit(request), turn)
        return RedirectResponse(f"/tour/visits/{visit.id}#hotel", 303)

    async def record(self, request: Request) -> Response:
        return JSONResponse(self._document(self._visit(request)), headers={"cache-control": "no-store"})

    async def events(self, request: Request) -> Response:
        """The version of the visit's record, now and after every change (server-sent events)."""
        news = self._news(self._visit(request).id)
        return StreamingResponse(news, media_type="text/event-stream", headers={"cache-control": "no-store"})

    async def _news(self, visit_id: str) -> AsyncIterator[str]:
        yield "retry: 1000\n\n"
        async for version in self._book.news(visit_id, PATIENCE):
            yield f"data: {version}\n\n"

    def _document(self, visit: Visit) -> dict[str, Any]:
        return replay(visit, self._book.hops(visit.id), self._house, self._clock())

    def _visit(self, request: Request) -> Visit:
        visit = self._book.visit(request.path_params["visit_id"])
        if visit is None:
            raise HTTPException(404, "The guest book holds the last visits only, and none since the house opened.")
        return visit


class _Files(StaticFiles):
    """The tour's own files, asked for again each time: most times the answer is 304, and an upgrade shows at once."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "no-cache"
        response.headers["x-content-type-options"] = "nosniff"
        return response
