"""One exchange with a stranger's server: the name is resolved once, judged, and the judged address connected to.

Nothing is reused between exchanges: a connection that was made and verified for one name never carries another.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from innkeeper.protocol.addresses import is_loopback_address, why_not_public

if TYPE_CHECKING:
    import httpx2

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, as text. Raises ``OSError``."""

CONNECT_SECONDS = 3.0
_ADDRESSES_TRIED = 3
_LONGEST_URL = 2048


class NotFetched(Exception):
    """No document was got; the message says why. Nothing is known about the document then."""


class NotReached(NotFetched):
    """Nobody answered, or nobody who could: what was known before may still hold."""


class Target(msgspec.Struct, frozen=True):
    """Where a URL leads, taken apart once. ``path`` has the query; ``host`` is lower-case, IPv6 without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as they stand in a URL, the port always named."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Answer(msgspec.Struct, frozen=True):
    """What a server answered: header names in lower case, the body whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Sent(msgspec.Struct, frozen=True):
    """What is sent: a GET that carries nothing, or a POST."""

    method: str = "GET"
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Through(msgspec.Struct, frozen=True):
    """A proxy, and the hosts that are reached through it."""

    proxy: str
    hosts: frozenset[str]

    def takes(self, host: str) -> bool:
        return host in self.hosts or any(one[:2] == "*." and host.endswith(one[1:]) for one in self.hosts)


class Outside:
    """The way to strangers' servers: https on public addresses, and what ``loopback_hosts`` names on this computer.

    ``loopback_hosts`` holds ``host:port`` pairs, for tests; for those plain http will do. ``trust`` verifies
    certificates, the system's and certifi's roots by default. Hosts that ``through`` names (``*.`` for those below one) are
    reached through its proxy alone, which resolves and judges their names: an operator knows these hosts, and strangers' are
    never among them.
    """

    def __init__(
        self,
        loopback_hosts: frozenset[str] = frozenset(),
        trust: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
        through: Through | None = None,
    ) -> None:
        self._through = through
        self._loopback_hosts = loopback_hosts
        self._trust = trust
        self._resolve = resolve or _system_resolve

    async def exchange(self, url: str, sent: Sent, most_bytes: int) -> Answer:
        """Send one request and read its answer. Redirects are answers like others. How long to wait is the caller's
        to say. Raises ``NotFetched`` for an address that is not allowed, an answer that is too large, a certificate
        that is not the host's."""
        target = self._target(url)
        if self._through is not None and self._through.takes(target.host) and target.scheme == "https":
            return await self._by_proxy(self._through, target, sent, most_bytes)
        return await self._connected(target, sent, most_bytes, await self._addresses(target))

    def _target(self, url: str) -> Target:
        target = take_apart(url)
        if target.scheme != "https" and target.authority not in self._loopback_hosts:
            raise NotFetched(f"only https is fetched, and this is {target.scheme}")
        return target

    async def _addresses(self, target: Target) -> Sequence[str]:
        """Addresses that may be connected to. One that may not spoils them all: honest names have none of those."""
        try:
            found = await self._resolve(target.host, target.port)
        except OSError as error:
            raise NotReached(f"the host {target.host!r} has no address: {error.strerror or error}") from None
        for address in found:
            listed = target.authority in self._loopback_hosts and is_loopback_address(address)
            why = None if listed else why_not_public(address)
            if why:
                raise NotFetched(f"{target.host!r} leads to {address}, which is {why}")
        if not found:
            raise NotReached(f"the host {target.host!r} has no address")
        return found[:_ADDRESSES_TRIED]

    async def _connected(self, target: Target, sent: Sent, most_bytes: int, addresses: Sequence[str]) -> Answer:
        import httpx2

        failure = ""
        transport = httpx2.AsyncHTTPTransport(verify=self._trusted(), trust_env=False)
        async with httpx2.AsyncClient(transport=transport, trust_env=False, timeout=_timeout()) as client:
            for address in addresses:
                try:
                    return await self._spoken(client, target, sent, most_bytes, address)
                except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                    failure = str(error) or type(error).__name__
                except httpx2.HTTPError as error:
                    raise NotReached(f"{target.authority} broke off: {error or type(error).__name__}") from None
        raise NotReached(f"{target.authority} cannot be reached: {failure}")

    async def _by_proxy(self, through: Through, target: Target, sent: Sent, most_bytes: int) -> Answer:
        import httpx2

        transport = httpx2.AsyncHTTPTransport(verify=self._trusted(), proxy=httpx2.Proxy(through.proxy))
        async with httpx2.AsyncClient(transport=transport, trust_env=False, timeout=_timeout()) as client:
            try:
                return await self._spoken(client, target, sent, most_bytes, target.host)
            except httpx2.HTTPError as error:
                raise NotReached(f"{target.authority} through the proxy: {error or type(error).__name__}") from None

    async def _spoken(
        self, client: httpx2.AsyncClient, target: Target, sent: Sent, most_bytes: int, address: str
    ) -> Answer:
        """The exchange with one address. The name stays in the Host header and is what the certificate must be for."""
        bracketed = f"[{address}]" if ":" in address else address
        headers = {"host": _host_header(target), "accept-encoding": "identity", **sent.headers}
        request = client.build_request(
            sent.method,
            f"{target.scheme}://{bracketed}:{target.port}{target.path}",
            headers=headers,
            content=sent.body or None,
            extensions={"sni_hostname": target.host},
        )
        response = await client.send(request, stream=True)
        try:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > most_bytes:
                    raise NotFetched(f"{target.authority} sent more than {most_bytes} bytes")
            return Answer(response.status_code, dict(response.headers.items()), bytes(body))
        finally:
            await response.aclose()

    def _trusted(self) -> ssl.SSLContext:
        if self._trust is None:
            import httpx2

            self._trust = httpx2.create_ssl_context()
        return self._trust


def take_apart(url: str) -> Target:
    """Read a URL strictly, so that no two readers of it can disagree. Raises ``NotFetched``."""
    if len(url) > _LONGEST_URL or not _PRINTABLE.fullmatch(url):
        raise NotFetched("the URL is too long or has characters that no URL has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotFetched("the URL cannot be read") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise NotFetched("the URL is no https URL with a host")
    if "@" in parts.netloc or "#" in url:
        raise NotFetched("the URL has a user part or a fragment")
    host = parts.hostname
    if not _HOST.fullmatch(host):
        raise NotFetched(f"{host!r} is no host name")
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    return Target(parts.scheme, host, port if port is not None else _PORTS[parts.scheme], path)


_PORTS = {"https": 443, "http": 80}
_PRINTABLE = re.compile(r"[!#-;=?-\[\]_a-z~]+")
"""ASCII without space, quote, ``<>``, backslash, ``^``, backtick, braces, pipe."""
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+")


async def _system_resolve(host: str, port: int) -> Sequence[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise OSError(f"{host!r} is no host name") from None
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def _timeout() -> httpx2.Timeout:
    import httpx2

    return httpx2.Timeout(None, connect=CONNECT_SECONDS)


def _host_header(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if _PORTS[target.scheme] == target.port else f"{host}:{target.port}"
