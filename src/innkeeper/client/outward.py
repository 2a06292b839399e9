"""HTTP that goes out and never in: for a program on a server, which follows addresses that strangers gave it.

A server of tools names its issuer, and the issuer its endpoints; either may name a machine behind the firewall. Each name is
resolved once, every address that it has is judged, and the one that was judged is the one connected to, so that a name that
is bound anew meanwhile leads nowhere else. The certificate is verified for the name. Each hop of a redirect is judged anew.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence

import httpx2

from innkeeper.client.refused import Refused, refuse
from innkeeper.protocol.addresses import why_not_public
from innkeeper.protocol.errors import INVALID_REQUEST
from innkeeper.protocol.refusals import Page

LEADS_INSIDE = Page(
    "IK1513",
    error=INVALID_REQUEST,
    title="The address leads inside",
    cause="An address that a server or its issuer named is not https, or its host has an address that is not public: this "
    "computer, a private network, the place where clouds keep their metadata. A stranger who names such an address looks "
    "through this program's eyes.",
    remedy="Believe such a server only where you run it yourself, and then reach it by a client without this transport.",
    wire="The address is not public.",
)

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host."""


def resolved(host: str, port: int) -> list[str]:
    """What the system's resolver says; [] where it says nothing."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Outward(httpx2.BaseTransport):
    """``httpx2.Client(transport=Outward())``. Requests to anything but public https addresses raise ``Refused``."""

    def __init__(self, inner: httpx2.BaseTransport | None = None, resolve: Resolve = resolved) -> None:
        self._inner = inner or httpx2.HTTPTransport(trust_env=False)
        self._resolve = resolve

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        host, port = _outside(request.url)
        return self._inner.handle_request(_pinned(request, _judged(host, self._resolve(host, port))))

    def close(self) -> None:
        self._inner.close()


class AsyncOutward(httpx2.AsyncBaseTransport):
    """``Outward`` for ``httpx2.AsyncClient``."""

    def __init__(self, inner: httpx2.AsyncBaseTransport | None = None, resolve: Resolve = resolved) -> None:
        self._inner = inner or httpx2.AsyncHTTPTransport(trust_env=False)
        self._resolve = resolve

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host, port = _outside(request.url)
        found = await asyncio.to_thread(self._resolve, host, port)
        return await self._inner.handle_async_request(_pinned(request, _judged(host, found)))

    async def aclose(self) -> None:
        await self._inner.aclose()


def _outside(url: httpx2.URL) -> tuple[str, int]:
    if url.scheme != "https":
        raise _inside(f"{url.scheme}://{url.host} can be read on its way", "https", url.scheme)
    return url.host, url.port or 443


def _judged(host: str, found: Sequence[str]) -> str:
    """The address to connect to. One that is not public spoils the name."""
    if not found:
        raise _inside(f"{host} has no address", "a public address", "none")
    for one in found:
        if why := why_not_public(one):
            raise _inside(f"{host} is at {one}, which is {why}", "public addresses alone", one)
    return found[0]


def _pinned(request: httpx2.Request, address: str) -> httpx2.Request:
    """The same request, to that address, with its host's name for the server and for the certificate."""
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )


def _inside(reason: str, expected: str, found: str) -> Refused:
    return refuse(LEADS_INSIDE, reason, expected=expected, found=found)
