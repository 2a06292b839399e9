"""Trouble at the issuer, on demand: slow, failing or silent answers, for every path or some."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Fault(msgspec.Struct, frozen=True):
    """What happens to requests whose path ends in ``path`` ("" is every path). ``status`` 0 hangs up without an answer;
    None lets the request through after ``delay`` seconds."""

    path: str = ""
    delay: float = 0
    status: int | None = None

    def hits(self, path: str) -> bool:
        return path.endswith(self.path)


class Faults:
    """The desk where trouble is ordered. The newest order that fits a request counts; ``clear`` takes all back.

    ``seen`` are the paths asked for since the last ``clear``, for tests that count fetches.
    """

    def __init__(self) -> None:
        self._orders: list[Fault] = []
        self.seen: list[str] = []

    def slow(self, seconds: float, path: str = "") -> None:
        """Answer late."""
        self._orders.append(Fault(path, delay=seconds))

    def fail(self, status: int = 503, path: str = "") -> None:
        """Answer with an error status and nothing else."""
        self._orders.append(Fault(path, status=status))

    def unreachable(self, path: str = "") -> None:
        """Hang up without an answer, as a server that went away."""
        self._orders.append(Fault(path, status=0))

    def unreachable_keys(self) -> None:
        """Hang up on whoever fetches the keys."""
        for path in ("/jwks", "/jwks.json", "/keys"):
            self.unreachable(path)

    def clear(self) -> None:
        """All is well again."""
        self._orders.clear()
        self.seen.clear()

    def before(self, app: App) -> App:
        """``app`` with this desk in front of it."""

        async def troubled(scope: Scope, receive: Receive, send: Send) -> None:
            fault = self._ordered(scope)
            if fault is None:
                await app(scope, receive, send)
                return
            if fault.delay:
                await asyncio.sleep(fault.delay)
            if fault.status is None:
                await app(scope, receive, send)
            elif fault.status:
                await _answer(fault.status, send)
            else:
                _hang_up(send)

        return troubled

    def _ordered(self, scope: Scope) -> Fault | None:
        if scope["type"] != "http":
            return None
        self.seen.append(scope["path"])
        return next((one for one in reversed(self._orders) if one.hits(scope["path"])), None)


async def _answer(status: int, send: Send) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def _hang_up(send: Send) -> None:
    """Close the connection under the request: the server's own object behind ``send`` holds its transport."""
    request = getattr(send, "__self__", None)
    transport = getattr(request, "transport", None)
    if transport is None:
        raise RuntimeError("this server does not show its connection; run the issuer with innkeeper.testing.serving")
    transport.abort()
    request.disconnected = True  # type: ignore[union-attr]
    request.response_complete = True  # type: ignore[union-attr]
