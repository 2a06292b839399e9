"""The guard in Starlette: a decorator for endpoints. For a table of paths there is ``guard.asgi.GuardMiddleware``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from innkeeper.guard.asgi import KEY, PublicFace, arrived
from innkeeper.guard.decision import Refused
from innkeeper.guard.guard import Guard
from innkeeper.guard.needs import Needs, together

Endpoint = Callable[[Any], Awaitable[Any]]


class Guarded:
    """``guarded = Guarded(app, guard)``, then ``@guarded("orders:read")`` on an endpoint, which is a coroutine.

    It also publishes the API's metadata, answers preflights, and lets browsers read challenges. Endpoints without the
    decorator are open. Inside, ``innkeeper.guard.asgi.token(request.scope)`` is the caller's.
    """

    def __init__(self, app: Any, guard: Guard) -> None:
        self._guard = guard
        app.add_middleware(PublicFace, guard=guard)

    def __call__(self, *needed: str | Needs) -> Callable[[Endpoint], Endpoint]:
        """The decorator. Raises ``UsageError`` for what cannot be needed."""
        needs = together(needed)

        def deco(endpoint: Endpoint) -> Endpoint:
            @wraps(endpoint)
            async def judged(request: Any) -> Any:
                outcome = await self._guard.admit(arrived(request.scope, self._guard), needs)
                if isinstance(outcome, Refused):
                    return self._answer(outcome)
                request.scope[KEY] = outcome
                return await endpoint(request)

            return judged

        return deco

    def _answer(self, refused: Refused) -> Any:
        from starlette.responses import Response

        answer = self._guard.challenge(refused)
        return Response(answer.body, answer.status, dict(answer.headers))
