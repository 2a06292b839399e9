"""The token on every request of ``requests``."""

from __future__ import annotations

from typing import Any

import httpx2
import requests
from requests.auth import AuthBase

from innkeeper.client.attaching import Attaching, Heard, Home, Outgoing, Send, Source, attaching
from innkeeper.client.wire import Answering, advance


class Auth(AuthBase):
    """``requests.get(url, auth=Auth(source))``, or on a session: as ``innkeeper.client.Auth``, for requests."""

    def __init__(self, source: Source, *, at: str = "", http: httpx2.Client | None = None) -> None:
        self._source, self._http = source, http
        self._home = Home(at or source.place())

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        url = request.url or ""
        self._home.check(url)
        whole = request.body is None or isinstance(request.body, (str, bytes))
        steps = attaching(self._source, Outgoing(request.method or "GET", url, whole))
        first = _until_send(steps, next(steps), self._http)
        if first is not None:
            request.headers.update(dict(first.headers))
            request.hooks["response"].append(_Answered(steps, self._http))
        return request


class _Answered:
    """What follows an answer: perhaps the same request once more, over the same connection."""

    def __init__(self, steps: Attaching, http: httpx2.Client | None) -> None:
        self._steps, self._http = steps, http

    def __call__(self, response: requests.Response, **options: Any) -> requests.Response:
        if response.is_redirect:
            return response
        again = self._told(response)
        while again is not None:
            _ = response.content  # read to the end, so that the connection is free
            response.close()
            request = response.request.copy()
            request.hooks = {"response": []}
            request.headers.update(dict(again.headers))
            sent = response.connection.send(request, **options)
            sent.history.append(response)
            sent.request = request
            response = sent
            again = self._told(response)
        return response

    def _told(self, response: requests.Response) -> Send | None:
        try:
            step = self._steps.send(Heard(response.status_code, response.headers.get))
        except StopIteration:
            return None
        return _until_send(self._steps, step, self._http)


def _until_send(steps: Attaching, step: Any, http: httpx2.Client | None) -> Send | None:
    """Answer the flow's questions until it wants to send, or has enough."""
    with Answering(http) as world:
        try:
            while not isinstance(step, Send):
                step = advance(steps, world.answer(step))
        except StopIteration:
            return None
    return step
