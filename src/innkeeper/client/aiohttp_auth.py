"""The token on every request of an ``aiohttp`` session, as a client middleware."""

from __future__ import annotations

from contextlib import closing

import httpx2
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse
from aiohttp.payload import BytesPayload

from innkeeper.client.attaching import Attaching, Heard, Home, Outgoing, Send, Source, attaching
from innkeeper.client.wire import AsyncAnswering, advance


class Auth:
    """``aiohttp.ClientSession(middlewares=[Auth(source)])``: as ``innkeeper.client.Auth``, for aiohttp."""

    def __init__(self, source: Source, *, at: str = "", http: httpx2.AsyncClient | None = None) -> None:
        self._source, self._http = source, http
        self._home = Home(at or source.place())

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        url = str(request.url)
        self._home.check(url)
        whole = isinstance(request.body, (bytes, BytesPayload))
        with closing(attaching(self._source, Outgoing(request.method, url, whole))) as steps:
            return await self._sent(steps, request, handler)

    async def _sent(self, steps: Attaching, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        response: ClientResponse | None = None
        async with AsyncAnswering(self._http) as world:
            try:
                step = next(steps)
                while True:
                    if isinstance(step, Send):
                        if response is not None:
                            response.release()
                        request.headers.update(dict(step.headers))
                        response = await handler(request)
                        step = steps.send(Heard(response.status, response.headers.get))
                    else:
                        step = advance(steps, await world.answer(step))
            except StopIteration:
                if response is None:
                    raise AssertionError("a request was never sent") from None
                return response
