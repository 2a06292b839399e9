"""Whose exchange it is: the realm that answers and the client that asks, as far as the request says. Pure."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from innkeeper.keys.jws import NotAToken
from innkeeper.tour.cards import claims_of
from innkeeper.tour.record import Pairs, Place
from innkeeper.tour.watch.keeping import Content, Realm

_HOSTS: tuple[tuple[Realm, re.Pattern[str]], ...] = (
    ("cognito", re.compile(r"(.*\.)?(amazonaws|amazoncognito)\.com(:\d+)?")),
    ("entra", re.compile(r"(.*\.)?(microsoftonline|microsoft|windows)\.(com|net)(:\d+)?")),
)
_REALMS: Mapping[Place, Realm] = {"desk": "native", "doors": "hotel", "cognito": "cognito", "entra": "entra"}


def realm_of(host: str, path: str, headers: Mapping[str, str], place: Callable[[str], Place | None]) -> Realm | None:
    """Who answers; None for the tour itself, for files and probes, which are nobody's traffic."""
    for realm, hosts in _HOSTS:
        if hosts.fullmatch(host):
            return realm
    if "x-amz-target" in headers or path in _GRAPH or path.startswith(_GRAPH):
        return "cognito" if "x-amz-target" in headers else "entra"
    if path in _PROBES:
        return None
    at = place(path)
    return _REALMS.get(at) if at else None


_GRAPH = ("/v1.0", "/oidc/userinfo", "/common/", "/organizations/", "/consumers/")
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


def client_of(query: Pairs, headers: Mapping[str, str], content: Content) -> str:
    """The client that a request names, or that its token was cut for; "" where it says neither."""
    said = {**dict(query), **dict(content.pairs)}
    if isinstance(content.document, dict):
        said |= {name: value for name, value in content.document.items() if isinstance(value, str)}
    named = said.get("client_id") or said.get("ClientId") or _by_secret(headers.get("authorization", ""))
    if named:
        return named
    for name in ("client_assertion", "AccessToken", "access_token", "token", "id_token_hint"):
        if found := _told_by(said.get(name, "")):
            return found
    return _told_by(headers.get("authorization", "").rpartition(" ")[2])


def _by_secret(authorization: str) -> str:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return unquote_plus(b64decode(value, validate=True).decode("utf-8").partition(":")[0])
    except (Error, ValueError):
        return ""


def _told_by(token: str) -> str:
    """The client that a token was cut for, or that signed an assertion; nothing here depends on it being true."""
    claims = told_in(token)
    names = ("client_id", "azp", "appid", *(("sub",) if claims.get("iss") == claims.get("sub") else ()), "aud")
    return next((value for name in names if isinstance(value := claims.get(name), str) and value), "")


def told_in(token: str) -> Mapping[str, Any]:
    """The claims of a token, unverified; none where it is no token."""
    try:
        claims: object = claims_of(token) if token.count(".") == 2 else {}
    except (NotAToken, msgspec.DecodeError):
        return {}
    return claims if isinstance(claims, dict) else {}
