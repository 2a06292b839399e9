"""A request on the short way, from the parser's bytes to the bytes of its answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from innkeeper.issuer.dialects.layout import Endpoint
from innkeeper.issuer.http.site import BODY_LIMIT, CLOSE, Site, booked, busy, too_large
from innkeeper.issuer.witness.audit import Batch
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
        self._batch: Batch | None = None
        self._usual: Sequence[tuple[bytes, bytes]] = ()
        self._written = b""

    def take(self, body: bytes) -> bool:
        """Take a piece of the body; False where it is longer than is read."""
        self._body += body
        return len(self._body) <= BODY_LIMIT

    def too_large(self) -> Reply:
        return too_large(self._endpoint)

    async def reply(self) -> Reply:
        """Its answer, of which nothing may be sent before its line is in the audit log: ``leaves`` sees to that."""
        method, path, query, headers, peer, own = self._head
        request: Request = self._site.request(method, path, query, headers, self._body, peer, own)
        reply, self._batch = await self._site.answered(self._endpoint, request)
        return reply

    def answer(self, reply: Reply, usual: Sequence[tuple[bytes, bytes]]) -> None:
        """Make of its answer what will be sent. ``usual`` are headers that all have, as the date."""
        as_bytes = COPIES.written if self.at_once else written
        self._usual, self._written = usual, as_bytes(reply, usual, keep_alive=self.keep_alive)
        self.response_complete = True

    def booked(self) -> bool:
        """See that its line is in the audit log; False where that takes no more."""
        return booked(self._batch)

    def leaves(self) -> bytes:
        """What is sent: its answer, now that it is booked, or else that it could not be."""
        if self.booked():
            return self._written
        return written(busy(self._endpoint), self._usual, keep_alive=self.keep_alive)


class _Nobody:
    def set(self) -> None:
        return


_NOBODY_WAITS = _Nobody()


def written(reply: Reply, usual: Sequence[tuple[bytes, bytes]], *, keep_alive: bool) -> bytes:
    """A reply as it goes over the wire. ``usual`` are headers that all have, as the date."""
    pieces = [STATUS_LINE[reply.status], *(b"%b: %b\r\n" % one for one in usual), _lines(tuple(reply.headers))]
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
def _lines(headers: tuple[tuple[str, str], ...]) -> bytes:
    """Headers as most answers of an endpoint have them, all the same."""
    return b"".join(map(_line, headers))


@lru_cache(maxsize=256)
def _line(header: tuple[str, str]) -> bytes:
    """One header's line. Raises ``ValueError`` where it would be more than one (RFC 9112 §5)."""
    name, value = header
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise ValueError(f"no header line can be made of {name!r}")
    return f"{name}: {value}\r\n".encode("latin-1")


_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
