"""Getting an issuer's public documents: bounded in size and time, redirects not followed, nothing sent along."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.refusals import Unreachable

if TYPE_CHECKING:
    import ssl

    import httpx2

Fetch: TypeAlias = Callable[[str], Awaitable[Reply]]
"""GET an address for coroutines. Raises ``Unreachable`` where no answer comes."""

FetchBlocking: TypeAlias = Callable[[str], Reply]
"""The same for threads."""


class Outgoing(msgspec.Struct, frozen=True):
    """A request of the guard's own, to an issuer."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


Send: TypeAlias = Callable[[Outgoing], Awaitable[Reply]]
"""Send a request for coroutines. Raises ``Unreachable`` where no answer comes."""

SendBlocking: TypeAlias = Callable[[Outgoing], Reply]
"""The same for threads."""

MOST_BYTES = 512 * 1024
"""The largest honest key set, with certificates, is a tenth of this."""

MOST_SECONDS = 5.0
"""For one document: a request waits for it, and cached keys are better than a late answer."""

_LOOPBACK = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
"""A proxy named in the environment never sees what is meant for this very computer."""

_HEADERS = {"accept": "application/json", "accept-encoding": "identity"}


async def fetch(url: str) -> Reply:
    """GET ``url``."""
    return await send(Outgoing("GET", url))


def fetch_blocking(url: str) -> Reply:
    """``fetch`` for threads."""
    return send_blocking(Outgoing("GET", url))


async def send(what: Outgoing) -> Reply:
    """Send ``what`` with httpx2, which is loaded when it is first needed."""
    import httpx2

    url, headers = what.url, {**_HEADERS, **dict(what.headers)}
    intake = _Intake(url)
    try:
        async with (
            httpx2.AsyncClient(timeout=MOST_SECONDS, mounts=_LOOPBACK, verify=_trust()) as client,
            client.stream(what.method, url, headers=headers, content=what.body) as response,
        ):
            async for chunk in response.aiter_raw():
                intake.add(chunk)
            return intake.reply(response)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise _unreachable(url, error) from None


def send_blocking(what: Outgoing) -> Reply:
    """``send`` for threads."""
    import httpx2

    url, headers = what.url, {**_HEADERS, **dict(what.headers)}
    intake = _Intake(url)
    try:
        with (
            httpx2.Client(timeout=MOST_SECONDS, mounts=_LOOPBACK, verify=_trust()) as client,
            client.stream(what.method, url, headers=headers, content=what.body) as response,
        ):
            for chunk in response.iter_raw():
                intake.add(chunk)
            return intake.reply(response)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise _unreachable(url, error) from None


def _trust() -> ssl.SSLContext:
    """Whom TLS believes, as httpx2 has it by default."""
    return _trusting(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _trusting(*_: str | None) -> ssl.SSLContext:
    """Made once for what the environment names: reading all authorities takes longer than many a request."""
    import httpx2

    return httpx2.create_ssl_context()


class _Intake:
    """A body as it arrives, given up on when it grows too large or drips too long."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._deadline = time.monotonic() + MOST_SECONDS
        self._body = bytearray()

    def add(self, chunk: bytes) -> None:
        self._body += chunk
        if len(self._body) > MOST_BYTES:
            raise Unreachable(f"{self._url} sent more than {MOST_BYTES // 1024} KiB")
        if time.monotonic() > self._deadline:
            raise Unreachable(f"{self._url} took more than {MOST_SECONDS:.0f} s")

    def reply(self, response: httpx2.Response) -> Reply:
        return Reply(response.status_code, body=bytes(self._body))


def _unreachable(url: str, error: Exception) -> Unreachable:
    return Unreachable(f"{url} cannot be reached: {str(error) or type(error).__name__}")
