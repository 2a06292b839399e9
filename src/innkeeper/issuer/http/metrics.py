"""What Prometheus reads, on a listener of its own: the same port as the issuer would show strangers how busy it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from innkeeper.issuer.witness.metrics import Metrics

PATH = "/metrics"


class MetricsPage:
    """An ASGI application with one page."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def __call__(self, scope: Any, _: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        known = scope["path"] == PATH and scope["method"] == "GET"
        body, kind = (
            self._metrics.text() if known else (b"There is nothing but /metrics at this address.\n", "text/plain")
        )
        headers = [(b"content-type", kind.encode("ascii")), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200 if known else 404, "headers": headers})
        await send({"type": "http.response.body", "body": body})
