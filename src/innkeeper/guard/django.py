"""The guard in Django: a middleware over a table of paths, and a decorator for single views; both sync and async."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from innkeeper.guard.arrival import arrival
from innkeeper.guard.asgi import KEY
from innkeeper.guard.credentials import Credentials
from innkeeper.guard.decision import Refused, Verified
from innkeeper.guard.guard import Guard
from innkeeper.guard.needs import Needs, together
from innkeeper.guard.routes import Routes
from innkeeper.guard.wsgi import exposed, public
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.refusals import UsageError
from innkeeper.tokens.access import AccessToken

View = TypeVar("View", bound=Callable[..., Any])


class GuardMiddleware:
    """Put ``"innkeeper.guard.django.GuardMiddleware"`` first in ``MIDDLEWARE`` and name the guard in the settings:
    ``INNKEEPER_GUARD = Guard(...)``, ``INNKEEPER_ROUTES = {"/orders": ["orders:read"], "/": ANYONE}``.

    Paths that no route names need a good token. With ``INNKEEPER_ROUTES = None`` the middleware asks no one for a token, it
    only publishes the API's metadata and answers preflights, and views are guarded by ``guarded``.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        """Raises ``UsageError`` for settings without a guard."""
        from asgiref.sync import iscoroutinefunction, markcoroutinefunction
        from django.conf import settings

        self._next = get_response
        self._guard = guard_in_settings()
        table = getattr(settings, "INNKEEPER_ROUTES", {})
        self._routes = None if table is None else Routes(table)
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:
        return self._acall(request) if self._is_async else self._call(request)

    def _call(self, request: Any) -> Any:
        answer = public(self._guard, request.META)
        if answer is None and (needed := self._needed(request)) is not None:
            answer = _kept(request, self._guard, self._guard.admit_blocking(arrived(request, self._guard), needed))
        return self._shown(self._next(request) if answer is None else response(answer, request))

    async def _acall(self, request: Any) -> Any:
        answer = public(self._guard, request.META)
        if answer is None and (needed := self._needed(request)) is not None:
            answer = _kept(request, self._guard, await self._guard.admit(arrived(request, self._guard), needed))
        return self._shown(await self._next(request) if answer is None else response(answer, request))

    def _needed(self, request: Any) -> Needs | None:
        return None if self._routes is None else self._routes.needed(request.method, request.path_info)

    def _shown(self, answer: Any) -> Any:
        for name, value in exposed(self._guard.nonce()):
            if name not in answer:
                answer[name] = value
        return answer


def guarded(*needed: str | Needs) -> Callable[[View], View]:
    """A decorator for a view: ``@guarded("orders:read")``. Inside, ``token(request)`` is the caller's."""
    needs = together(needed)

    def deco(view: View) -> View:
        @wraps(view)
        def judged(request: Any, *arguments: Any, **named: Any) -> Any:
            guard = guard_in_settings()
            answer = _kept(request, guard, guard.admit_blocking(arrived(request, guard), needs))
            return view(request, *arguments, **named) if answer is None else response(answer, request)

        @wraps(view)
        async def ajudged(request: Any, *arguments: Any, **named: Any) -> Any:
            guard = guard_in_settings()
            answer = _kept(request, guard, await guard.admit(arrived(request, guard), needs))
            return await view(request, *arguments, **named) if answer is None else response(answer, request)

        return ajudged if iscoroutinefunction(view) else judged  # type: ignore[return-value]

    return deco


def guard_in_settings() -> Guard:
    """The guard that the settings name. Raises ``UsageError``."""
    from django.conf import settings

    found = getattr(settings, "INNKEEPER_GUARD", None)
    if not isinstance(found, Guard):
        raise UsageError("the settings name no guard: INNKEEPER_GUARD = Guard(issuer, audience)")
    return found


def arrived(request: Any, guard: Guard) -> Credentials:
    """What a request carries."""
    return arrival(
        guard,
        request.headers.items(),
        method=request.method,
        path=request.get_full_path_info().partition("?")[0],
        query=request.META.get("QUERY_STRING", ""),
        origin=f"{request.scheme}://{request.META.get('HTTP_HOST', '')}",
        peer=request.META.get("REMOTE_ADDR", ""),
    )


def verified(request: Any) -> Verified:
    """What the guard found for this request. Raises ``LookupError`` where no guard stands before the view."""
    if KEY not in request.META:
        raise LookupError("no guard stands before this view, or its path is open to anyone")
    found: Verified = request.META[KEY]
    return found


def token(request: Any) -> AccessToken:
    """The verified token of this request. Raises ``LookupError`` as ``verified`` does."""
    return verified(request).token


def response(answer: Reply, request: Any) -> Any:
    """A reply as Django's; no body for HEAD."""
    from django.http import HttpResponse

    body = b"" if request.method == "HEAD" else answer.body
    return HttpResponse(body, status=answer.status, headers=dict(answer.headers))


def _kept(request: Any, guard: Guard, outcome: Verified | Refused) -> Reply | None:
    """None for a caller who gets in, noted at the request; else the answer."""
    if isinstance(outcome, Refused):
        return guard.challenge(outcome)
    request.META[KEY] = outcome
    return None
