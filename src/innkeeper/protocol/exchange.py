"""One HTTP exchange as plain values, so that everything inside is free of any server's types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from innkeeper.protocol.values import Value


class Request(Value, frozen=True, gc=False):
    """A request as it arrived: ``headers`` with lower-case names (repeated ones joined by ", "), ``body`` whole.

    ``remote`` is the caller's address; ``certificate`` their TLS certificate as a proxy that is believed spells it.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""
    remote: str = ""
    certificate: str = ""

    def cookie(self, name: str) -> str | None:
        """The value of a cookie, or None. RFC 6265 §4.2.1; the first of several wins."""
        for part in self.headers.get("cookie", "").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
        return None


class Reply(Value, frozen=True, gc=False):
    """An answer: status, headers in order (names lower-case), body."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


NO_STORE = (("cache-control", "no-store"), ("pragma", "no-cache"))


JSON = ("content-type", "application/json")


def json_reply(document: object, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> Reply:
    """``document`` as JSON, with its content type."""
    return Reply(status, (JSON, *headers), msgspec.json.encode(document))


def redirect(location: str, status: int = 303, headers: Sequence[tuple[str, str]] = ()) -> Reply:
    """Send a browser elsewhere; 303 so that a POST is never repeated at the target (RFC 9700 §4.12)."""
    return Reply(status, (("location", location), ("cache-control", "no-store"), *headers))
