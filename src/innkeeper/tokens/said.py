"""The claims to which specifications give a kind, as an access token says them."""

from __future__ import annotations

from typing import Any

import msgspec


class Said(msgspec.Struct, frozen=True, gc=False):
    """The claims that specifications give a kind. Times are whole seconds since 1970, 0 where a claim is absent."""

    iss: str
    exp: int
    sub: str = ""
    aud: str | tuple[str, ...] = ()
    client_id: str = ""
    iat: int = 0
    nbf: int = 0
    jti: str = ""
    scope: str = ""
    auth_time: int = 0
    acr: str = ""
    amr: tuple[str, ...] = ()
    cnf: dict[str, Any] | None = None
    act: dict[str, Any] | None = None
