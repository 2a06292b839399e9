"""The pages of your own traffic: the list, one message opened, news of more, and what can be done with a message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, get_args

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from innkeeper.protocol.parameters import Parameters, parse_form
from innkeeper.protocol.refusals import Refusal
from innkeeper.tour.export import har
from innkeeper.tour.house import House
from innkeeper.tour.requests import elsewhere, html, wants_json
from innkeeper.tour.watch.again import Again
from innkeeper.tour.watch.choosing import Choice
from innkeeper.tour.watch.guarding import MESSAGE_GONE, NOT_AGAIN, PINS_TAKEN, admit, denied
from innkeeper.tour.watch.keeping import Message, Outcome, Realm
from innkeeper.tour.watch.ring import KEPT, Ring
from innkeeper.tour.watch.shown import document, row

HERE = "/tour/watch"
FORM_LIMIT = 65_536
"""Bytes of the longest form: a message that is sent again may bear long tokens."""


class Watching:
    """Serves them. ``clock`` gives whole seconds since the epoch, ``patience`` is how long a stream of news stays open in
    silence."""

    def __init__(self, house: House, ring: Ring, again: Again, clock: Callable[[], int], patience: float) -> None:
        self._house = house
        self._ring = ring
        self._again = again
        self._clock = clock
        self._patience = patience

    def routes(self) -> list[Route]:
        one = f"{HERE}/messages/{{n:int}}"
        return [
            Route(HERE, self.list, methods=["GET"]),
            Route(f"{HERE}/events", self.events, methods=["GET"]),
            Route(f"{HERE}/traffic.har", self.har, methods=["GET", "POST"]),
            Route(f"{HERE}/start", self.turn, methods=["POST"]),
            Route(f"{HERE}/stop", self.turn, methods=["POST"]),
            Route(f"{HERE}/clear", self.clear, methods=["POST"]),
            Route(one, self.one, methods=["GET"]),
            Route(f"{one}/revealed", self.revealed, methods=["POST"]),
            Route(f"{one}/pin", self.pin, methods=["POST"]),
            Route(f"{one}/again", self.send, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        if back := elsewhere(request, self._house.base_url):
            return back
        admit(request, self._house.base_url, link=True)
        return self._page(request, None)

    async def one(self, request: Request) -> Response:
        """A message opened, its secrets masked."""
        if back := elsewhere(request, self._house.base_url):
            return back
        admit(request, self._house.base_url, link=True)
        message = self._message(request)
        if wants_json(request):
            return JSONResponse(self._document(message, revealed=False), headers=_NO_STORE)
        return self._page(request, message)

    async def revealed(self, request: Request) -> Response:
        """The same with everything that was kept: somebody asked for it by a button of this page."""
        await self._form(request)
        return self._page(request, self._message(request), revealed=True)

    async def pin(self, request: Request) -> Response:
        """Keep a message beyond its time, or let it go."""
        await self._form(request)
        message = self._message(request)
        pinned = self._ring.pin(message.n)
        if pinned is None:
            raise denied(Refusal(PINS_TAKEN, f"{len(self._ring.pinned)} are pinned"))
        return self._back(request, message.n, {"n": message.n, "pinned": pinned})

    async def send(self, request: Request) -> Response:
        """Send a message again; go to the new one."""
        form = await self._form(request)
        message = self._message(request)
        n = await self._again.send(message, form, self._clock())
        if not n:
            raise denied(Refusal(NOT_AGAIN, "it was answered by nobody whose traffic is watched"))
        return self._back(request, n, {"n": n})

    async def turn(self, request: Request) -> Response:
        """Begin to watch, or stop."""
        await self._form(request)
        self._ring.turn(on=request.url.path.endswith("/start"))
        return self._back(request, 0, {"on": self._ring.on, "page": f"{self._house.base_url}{HERE}"})

    async def clear(self, request: Request) -> Response:
        await self._form(request)
        self._ring.clear()
        return self._back(request, 0, {"left": len(self._ring.pinned)})

    async def har(self, request: Request) -> Response:
        """What is looked at, as an HTTP archive; by a button with its tokens and secrets, by a link without."""
        revealed = request.method == "POST"
        if revealed:
            await self._form(request)
        else:
            admit(request, self._house.base_url)
        choice = Choice.of(request.query_params)
        chosen = [one for one in self._ring.messages() if choice.takes(self._row(one))]
        hops = [self._document(one, revealed=revealed) for one in chosen]
        headers = {**_NO_STORE, "content-disposition": 'attachment; filename="traffic.har"'}
        return Response(har({"started_at": self._clock(), "hops": hops}), 200, headers, "application/json")

    async def events(self, request: Request) -> Response:
        """Rows as they come (server-sent events). Whoever comes back says by Last-Event-ID what it has."""
        admit(request, self._house.base_url)
        asked = request.headers.get("last-event-id") or request.query_params.get("after", "")
        name, _, number = asked.rpartition(".")
        known = name == self._ring.name and number.isdecimal()
        news = self._news(int(number) if known else 0, anew=bool(asked) and not known)
        return StreamingResponse(news, media_type="text/event-stream", headers=_NO_STORE)

    async def _news(self, after: int, *, anew: bool) -> AsyncIterator[bytes]:
        yield b"retry: 1000\n\n"
        if anew:
            yield b"event: anew\ndata: {}\n\n"
        async for fresh in self._ring.news(after, self._patience):
            said = msgspec.json.encode({"on": self._ring.on, "rows": [self._row(one) for one in fresh]})
            yield f"id: {self._ring.name}.{self._ring.last}\ndata: ".encode() + said + b"\n\n"

    def _page(self, request: Request, message: Message | None, *, revealed: bool = False) -> Response:
        choice = Choice.of(request.query_params)
        template = "watch/part.html" if request.query_params.get("part") == "message" else "watch/page.html"
        rows = [] if template == "watch/part.html" else [self._row(one) for one in self._ring.messages()]
        return html(
            template,
            rows=[one | {"hidden": not choice.takes(one)} for one in reversed(rows)],
            choice=choice,
            realms=get_args(Realm),
            outcomes=get_args(Outcome),
            clients=sorted({one["client"] for one in rows if one["client"]}),
            message=self._document(message, revealed=revealed) if message else None,
            fields=self._again.fields(message) if message else [],
            warnings=self._again.warnings(message) if message else [],
            on=self._ring.on,
            at=f"{self._ring.name}.{self._ring.last}",
            kept=KEPT,
            base_url=self._house.base_url,
        )

    def _row(self, message: Message) -> dict[str, Any]:
        return row(message, pinned=message.n in self._ring.pinned)

    def _document(self, message: Message, *, revealed: bool) -> dict[str, Any]:
        return document(message, self._clock(), revealed=revealed, pinned=message.n in self._ring.pinned)

    def _message(self, request: Request) -> Message:
        message = self._ring.message(request.path_params["n"])
        if message is None:
            raise denied(Refusal(MESSAGE_GONE, f"message {request.path_params['n']} is not here"))
        return message

    async def _form(self, request: Request) -> Parameters:
        """The form of a button of ours, or of a program at this computer."""
        admit(request, self._house.base_url)
        body = await request.body() if int(request.headers.get("content-length") or 0) <= FORM_LIMIT else b""
        return parse_form(body, request.headers.get("content-type", "")) if body else Parameters([])

    def _back(self, request: Request, n: int, told: Mapping[str, Any]) -> Response:
        """To the list or to a message, with the choice that the person had made."""
        if wants_json(request):
            return JSONResponse(dict(told))
        query = Choice.of(request.query_params).query
        return RedirectResponse(f"{HERE}{f'/messages/{n}' if n else ''}{f'?{query}' if query else ''}", 303)


_NO_STORE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
