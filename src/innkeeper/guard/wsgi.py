"""The guard before any WSGI application: nothing gets past it without a token that is good for that path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import quote

from innkeeper.guard.arrival import arrival, is_preflight
from innkeeper.guard.asgi import EXPOSED, KEY, PREFLIGHT
from innkeeper.guard.credentials import Credentials
from innkeeper.guard.decision import Refused, Verified
from innkeeper.guard.guard import Guard
from innkeeper.guard.routes import Needed, Routes
from innkeeper.protocol.exchange import Reply

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Any]
App: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]


def verified(environ: Mapping[str, Any]) -> Verified:
    """What the guard found for this request. Raises ``LookupError`` where no guard stands before the application."""
    if KEY not in environ:
        raise LookupError("no guard stands before this path, or the path is open to anyone")
    found: Verified = environ[KEY]
    return found


class PublicFace:
    """Answers for the guard what needs no token, and lets browsers read the challenge in every answer: see
    ``guard.asgi.PublicFace``."""

    def __init__(self, app: App, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        answer = public(self._guard, environ)
        if answer is not None:
            return respond(answer, environ, start_response)
        return self._app(environ, _exposing(start_response, self._guard.nonce()))


class GuardWSGI:
    """Judges every request before ``app`` sees it; ``app`` finds what came of it by ``verified(environ)``.

    ``routes`` says which path needs what (``guard.routes``); paths count from where ``app`` is mounted.
    """

    def __init__(self, app: App, guard: Guard, routes: Mapping[str, Needed] | None = None) -> None:
        self._app = app
        self._guard = guard
        self._routes = Routes(routes or {})
        self._face = PublicFace(self._judge, guard)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return self._face(environ, start_response)

    def _judge(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        needed = self._routes.needed(environ["REQUEST_METHOD"], text(environ.get("PATH_INFO", "")) or "/")
        if needed is not None:
            outcome = self._guard.admit_blocking(arrived(environ, self._guard), needed)
            if isinstance(outcome, Refused):
                return respond(self._guard.challenge(outcome), environ, start_response)
            environ[KEY] = outcome
        return self._app(environ, start_response)


def public(guard: Guard, environ: Mapping[str, Any]) -> Reply | None:
    """The answer that needs no token: the API's metadata, a browser's preflight; None for any other request."""
    method = environ["REQUEST_METHOD"]
    if is_preflight(method, (name for name, _ in _headers(environ))):
        return PREFLIGHT
    path = text(f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}")
    if path in guard.door.metadata_paths and method in {"GET", "HEAD"}:
        found = guard.metadata()
        return Reply(found.status, (*found.headers, *exposed(guard.nonce())), found.body)
    return None


def exposed(nonce: str = "") -> tuple[tuple[str, str], ...]:
    """The headers that let a browser's code read the answer, and the nonce for the next proof."""
    more = (("dpop-nonce", nonce),) if nonce else ()
    return (*((name.decode(), value.decode()) for name, value in EXPOSED), *more)


def arrived(environ: Mapping[str, Any], guard: Guard) -> Credentials:
    """What a request carries."""
    scheme, host = environ.get("wsgi.url_scheme", "http"), environ.get("HTTP_HOST", "")
    path = text(f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}")
    return arrival(
        guard,
        _headers(environ),
        method=environ["REQUEST_METHOD"],
        path=quote(path, safe="/~!$&'()*+,;=:@"),
        query=environ.get("QUERY_STRING", ""),
        origin=f"{scheme}://{host}",
        peer=environ.get("REMOTE_ADDR", ""),
    )


def respond(answer: Reply, environ: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Send a whole reply; no body for HEAD."""
    headers = list(answer.headers)
    if answer.status != HTTPStatus.NO_CONTENT:
        headers.append(("content-length", str(len(answer.body))))
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]


def text(path: str) -> str:
    """A path as WSGI hands it over, read as UTF-8 (PEP 3333)."""
    return path.encode("latin-1").decode("utf-8", "replace")


def _headers(environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The headers. A server joins repeated ones with commas before WSGI is asked."""
    return [
        (name[5:].replace("_", "-").lower(), value)
        for name, value in environ.items()
        if name.startswith("HTTP_") and isinstance(value, str)
    ]


def _exposing(start_response: StartResponse, nonce: str) -> StartResponse:
    """Adds ``exposed`` where the application has set none itself."""

    def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        names = {name.lower() for name, _ in headers}
        return start_response(status, headers + [pair for pair in exposed(nonce) if pair[0] not in names], *more)

    return started
