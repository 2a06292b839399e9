"""The token on every request of an ``httpx`` client, the predecessor of httpx2, which much code still uses."""

from __future__ import annotations

import httpx
import httpx2

from innkeeper.client.attaching import Source
from innkeeper.client.driving import AuthFlows


class Auth(AuthFlows, httpx.Auth):
    """``httpx.Client(auth=Auth(source))``: as ``innkeeper.client.Auth``, for httpx."""

    _whole = httpx.ByteStream

    def __init__(
        self,
        source: Source,
        *,
        at: str = "",
        http: httpx2.Client | None = None,
        async_http: httpx2.AsyncClient | None = None,
    ) -> None:
        self._open(source, at, http, async_http)
