"""The token on every request of an ``httpx2`` client, sync or async, and only on requests to its own door."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from urllib.parse import urlsplit

import httpx2

from innkeeper.client.source import TokenSource
from innkeeper.client.token import Token
from innkeeper.protocol.errors import INVALID_TOKEN
from innkeeper.protocol.redirects import is_loopback
from innkeeper.protocol.refusals import UsageError


class Auth(httpx2.Auth):
    """``httpx2.Client(auth=Auth(source))``. A 401 with ``invalid_token`` makes it ask for another token, once.

    ``at`` is the address of the API the token is for; only requests to that origin get it, and to go elsewhere
    with this client raises ``UsageError``. Default: the source's resource, where that is a URL (RFC 8707 §2).
    """

    def __init__(self, source: TokenSource, *, at: str = "") -> None:
        address = at or source.access.resource or ""
        self._origin = _origin(httpx2.URL(address)) if urlsplit(address).netloc else None
        if self._origin is None:
            raise UsageError("Auth: say which API the token is for, as in at='https://api.example'")
        if self._origin[0] != "https" and not is_loopback(address):
            raise UsageError(f"Auth: {address} must be https; a token on http can be read on its way")
        self._source = source

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        self._check(request)
        token = self._source.token()
        response = yield _bearing(request, token)
        if _turned_away(response) and _repeatable(request):
            self._source.turn_away(token)
            yield _bearing(request, self._source.token())

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        self._check(request)
        token = await self._source.atoken()
        response = yield _bearing(request, token)
        if _turned_away(response) and _repeatable(request):
            self._source.turn_away(token)
            yield _bearing(request, await self._source.atoken())

    def _check(self, request: httpx2.Request) -> None:
        if _origin(request.url) != self._origin:
            raise UsageError(f"Auth: the token is not for {request.url.host}; use another client, or another at=")


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _bearing(request: httpx2.Request, token: Token) -> httpx2.Request:
    """The header form of RFC 6750 §2.1, the only one used: addresses and bodies end up in logs."""
    request.headers["authorization"] = f"Bearer {token.access_token}"
    return request


def _turned_away(response: httpx2.Response) -> bool:
    """Whether the door says that the token itself is bad (RFC 6750 §3.1), not that it opens too little."""
    return response.status_code == 401 and INVALID_TOKEN in response.headers.get("www-authenticate", "")


def _repeatable(request: httpx2.Request) -> bool:
    """Whether the body is whole in memory; one that streams is gone once sent."""
    return isinstance(request.stream, httpx2.ByteStream)
