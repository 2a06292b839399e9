"""The token on every request of an ``httpx2`` client, sync or async, and only on requests to its own door."""

from __future__ import annotations

import httpx2

from innkeeper.client.attaching import Source
from innkeeper.client.driving import AuthFlows


class Auth(AuthFlows, httpx2.Auth):
    """``httpx2.Client(auth=Auth(source))``. A 401 with ``invalid_token`` makes it ask for another token, once.

    ``at`` is the address of the API the token is for; only requests to that origin get it, and to go elsewhere
    with this client raises ``UsageError``. Default: the source's resource, where that is a URL (RFC 8707 §2). Where the
    source's client has a proof key, each request carries a proof, and is repeated once with the nonce a server demands.
    ``http`` and ``async_http`` are the clients by which the issuer is reached, where it needs one of its own.
    """

    _whole = httpx2.ByteStream

    def __init__(
        self,
        source: Source,
        *,
        at: str = "",
        http: httpx2.Client | None = None,
        async_http: httpx2.AsyncClient | None = None,
    ) -> None:
        self._open(source, at, http, async_http)
