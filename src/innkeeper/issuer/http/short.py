"""A request on the short way, from the parser's bytes to the bytes of its answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from innkeeper.issuer.dialects.layout import Endpoint
from innkeeper.issuer.http.site import BODY_LIMIT, CLOSE, Site, too_large
from innkeeper.protocol.exchange import Reply, Request


class Short:
    """A request on the short way. To uvicorn, which asks for these names, it is what its own are."""

    def __init__(
        self,
        site: Site,
        endpoint: Endpoint,
        head: tuple[str, str, str, list[tuple[bytes, bytes]], str, str],
        keep_alive: bool,
    ) -> None:
        self._site = site
        self._endpoint = endpoint
        self._head = head
        self._body = b""
        self.at_once = endpoint.at_once
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False
        self.message_event = _NOBODY_WAITS

    def take(self, body: bytes) -> bool:
        """Take a piece of the body; False where it is longer than is read."""
        self._body += body
        return len(self._body) <= BODY_LIMIT

    def too_large(self) -> Reply:
        return too_large(self._endpoint)

    async def reply(self) -> Reply:
        method, path, query, headers, peer, own = self._head
        request: Request = self._site.request(method, path, query, headers, self._body, peer, own)
        return await self._site.answer(self._endpoint, request)


class _Nobody:
    def set(self) -> None:
        return


_NOBODY_WAITS = _Nobody()


def written(reply: Reply, usual: Sequence[tuple[bytes, bytes]], *, keep_alive: bool) -> bytes:
    """A reply as it goes over the wire. ``usual`` are headers that all have, as the date."""
    pieces = [STATUS_LINE[reply.status]]
    for name, value in usual:
        pieces += (name, b": ", value, b"\r\n")
    pieces += [_line(one) for one in reply.headers]
    if reply.status not in _BODILESS:
        pieces.append(b"content-length: %d\r\n" % len(reply.body))
    pieces.append(b"\r\n" if keep_alive or CLOSE in reply.headers else b"connection: close\r\n\r\n")
    if reply.status not in _BODILESS:
        pieces.append(reply.body)
    return b"".join(pieces)


class Copies:
    """An answer that many get, as it was written the last time: for as long as it is the very same, and the date with it."""

    def __init__(self) -> None:
        self._last: tuple[Reply | None, Sequence[tuple[bytes, bytes]], bool, bytes] = (None, (), False, b"")

    def written(self, reply: Reply, usual: Sequence[tuple[bytes, bytes]], *, keep_alive: bool) -> bytes:
        last, date, kept, copy = self._last
        if last is not reply or date is not usual or kept is not keep_alive:
            copy = written(reply, usual, keep_alive=keep_alive)
            self._last = reply, usual, keep_alive, copy  # at once: servers of several threads may share it
        return copy


COPIES = Copies()

_BODILESS = (204, 304)


@lru_cache(maxsize=256)
def _line(header: tuple[str, str]) -> bytes:
    """One header's line. Raises ``ValueError`` where it would be more than one (RFC 9112 §5)."""
    name, value = header
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise ValueError(f"no header line can be made of {name!r}")
    return f"{name}: {value}\r\n".encode("latin-1")


_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
