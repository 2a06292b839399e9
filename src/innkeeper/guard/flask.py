"""The guard in Flask: a decorator for views, and the API's public face."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from innkeeper.guard.asgi import KEY
from innkeeper.guard.decision import Refused, Verified
from innkeeper.guard.guard import Guard
from innkeeper.guard.needs import Needs, together
from innkeeper.guard.wsgi import PublicFace, arrived
from innkeeper.guard.wsgi import verified as found_in
from innkeeper.tokens.access import AccessToken

View = TypeVar("View", bound=Callable[..., Any])


class Guarded:
    """``guarded = Guarded(app, guard)``, then ``@guarded("orders:read")`` under a view's route; ``guarded()`` needs a good
    token and no scope, ``guarded(need("vip", acr=["mfa"]))`` more than scopes.

    It also publishes the API's metadata, answers preflights before any token is asked for, and lets browsers read
    challenges. Views without the decorator are open. Inside, ``token()`` is the caller's.
    """

    def __init__(self, app: Any, guard: Guard) -> None:
        self._guard = guard
        app.wsgi_app = PublicFace(app.wsgi_app, guard)

    def __call__(self, *needed: str | Needs) -> Callable[[View], View]:
        """The decorator. Raises ``UsageError`` for what cannot be needed."""
        needs = together(needed)

        def deco(view: View) -> View:
            @wraps(view)
            def judged(*arguments: Any, **named: Any) -> Any:
                answer = self._judge(needs)
                return view(*arguments, **named) if answer is None else answer

            return judged  # type: ignore[return-value]

        return deco

    def _judge(self, needs: Needs) -> Any:
        from flask import Response, request

        outcome = self._guard.admit_blocking(arrived(request.environ, self._guard), needs)
        if isinstance(outcome, Refused):
            answer = self._guard.challenge(outcome)
            return Response(answer.body, answer.status, list(answer.headers))
        request.environ[KEY] = outcome
        return None


def verified() -> Verified:
    """What the guard found for this request. Raises ``LookupError`` in a view that is open."""
    from flask import request

    return found_in(request.environ)


def token() -> AccessToken:
    """The verified token of this request. Raises ``LookupError`` as ``verified`` does."""
    return verified().token
