"""Where a realm's endpoints are: paths below the issuer's origin, each with a leading slash."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.refusals import Refusal

Handler = Callable[[Request], Awaitable[Reply]]


class Endpoint(msgspec.Struct, frozen=True):
    """What answers at a path: the methods it takes, and whether pages of other origins may read its answers. ``at_once``:
    its handler has the answer in memory, and waits for nothing."""

    handler: Handler
    methods: frozenset[str]
    cors: bool = False
    at_once: bool = False


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """The paths of a realm. ``issuer`` is its identifier; ``base`` what its own paths begin with ("" at the root);
    ``mtls`` the origin at which callers are asked for a TLS certificate, "" where that is the issuer's own."""

    issuer: str
    base: str
    mtls: str = ""
    authorize: str
    token: str
    introspect: str
    push: str
    device_authorization: str
    device: str
    backchannel: str
    approvals: str
    register: str
    revoke: str
    userinfo: str
    jwks: str
    logout: str
    sign_in: str
    sign_in_code: str
    sign_up: str = ""
    consent: str
    account: str
    static: str

    @property
    def origin(self) -> str:
        """Scheme and host of the issuer, as a browser sends it in ``Origin``."""
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"

    def url(self, path: str) -> str:
        """The absolute URL of one of this layout's paths."""
        return self.origin + path


class AuthorizationWording(Protocol):
    """What a dialect sends to the redirect URI: a code or a refusal. ``more`` is where its reason can be read."""

    def __call__(
        self,
        issuer: str,
        state: str | None,
        *,
        code: str = "",
        refusal: Refusal | None = None,
        more: str | None = None,
    ) -> list[tuple[str, str]]: ...


Endpoints = Mapping[str, Endpoint]
"""Paths to what answers there. A path that ends in ``/*`` stands for every one that is a segment longer."""

Finder = Callable[[Mapping[str, Any]], Endpoint | None]
"""What answers a request, given its ASGI scope (method, path, headers), where its path alone does not tell."""


class Cloud(msgspec.Struct, frozen=True):
    """A cloud's host that is stood in for: the origin of the site that answers for it, and what its paths are below there.

    ``https://ID.auth.REGION.amazoncognito.com/oauth2/token`` is answered at ``/POOL/oauth2/token`` of the origin
    ``https://cognito-idp.REGION.amazonaws.com``: ``prefix`` is ``/POOL``, "" where nothing is put before.
    """

    origin: str
    prefix: str = ""
