"""Driving ``attaching`` where the HTTP library calls back: once for threads, once for coroutines, for httpx and httpx2."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import closing
from typing import Any

import httpx2

from innkeeper.client.attaching import Attaching, Heard, Home, Outgoing, Send, Source, attaching
from innkeeper.client.wire import Answering, AsyncAnswering, advance


class AuthFlows:
    """The two flows of an ``Auth`` class of httpx and httpx2, which are alike to the letter and strangers by type.

    ``_whole`` is the library's class of a request body that is whole in memory.
    """

    _whole: type[Any]
    _source: Source
    _home: Home
    _http: httpx2.Client | None
    _async_http: httpx2.AsyncClient | None

    def _open(self, source: Source, at: str, http: httpx2.Client | None, async_http: httpx2.AsyncClient | None) -> None:
        self._source, self._http, self._async_http = source, http, async_http
        self._home = Home(at or source.place())

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        with closing(self._steps(request)) as steps, Answering(self._http) as world:
            step = next(steps)
            try:
                while True:
                    if isinstance(step, Send):
                        step = steps.send(_heard((yield _bearing(request, step))))
                    else:
                        step = advance(steps, world.answer(step))
            except StopIteration:
                return

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        with closing(self._steps(request)) as steps:
            async with AsyncAnswering(self._async_http) as world:
                step = next(steps)
                try:
                    while True:
                        if isinstance(step, Send):
                            step = steps.send(_heard((yield _bearing(request, step))))
                        else:
                            step = advance(steps, await world.answer(step))
                except StopIteration:
                    return

    def _steps(self, request: Any) -> Attaching:
        url = str(request.url)
        self._home.check(url)
        return attaching(self._source, Outgoing(request.method, url, isinstance(request.stream, self._whole)))


def _bearing(request: Any, step: Send) -> Any:
    for name, value in step.headers:
        request.headers[name] = value
    return request


def _heard(response: Any) -> Heard:
    return Heard(response.status_code, response.headers.get)
