"""What the tour remembers of one HTTP exchange, with every secret masked before it is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from innkeeper.protocol.parameters import FORM, Malformed, parse_form

MASK = "••••••••"
"""Stands wherever something was that nobody should read from a screen."""

BODY_LIMIT = 16_384
"""Bytes of a body that are kept. Token answers and discovery documents are far smaller."""

Pairs = tuple[tuple[str, str], ...]
Place = Literal["browser", "app", "desk", "doors", "annexe", "cognito", "entra"]

_SHOWN = frozenset({"bearer", "dpop", "oauth"})
"""Schemes whose credentials a visit is about: its own tokens, and signatures that are good once."""

_SECRET_HEADERS = frozenset({"x-api-key"})

_SECRET_FIELDS = frozenset({"password", "client_secret", "client_assertion", "refresh_token", "csrf"})


class Body(msgspec.Struct, frozen=True):
    """A body for reading: its ``kind``, its ``size`` in bytes, its top-level ``fields``, and its ``text``."""

    kind: Literal["none", "form", "json", "page", "other"] = "none"
    size: int = 0
    fields: Pairs = ()
    text: str = ""


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange: who carried it where, what was asked, what was answered, which decisions were made.

    ``n`` counts from 1 in the order the requests began. ``status`` 0 means that no answer came. ``trails`` are
    documents as ``Trail.as_document`` gives them. ``took`` is in seconds. ``label`` is the caller's own mark.
    """

    n: int
    carrier: Literal["browser", "app"]
    to: Place
    method: str
    path: str
    query: Pairs = ()
    headers: Pairs = ()
    body: Body = Body()
    status: int = 0
    reply_headers: Pairs = ()
    reply_body: Body = Body()
    trails: tuple[dict[str, Any], ...] = ()
    took: float = 0.0
    label: str = ""


def readable_headers(headers: Iterable[tuple[bytes, bytes]]) -> Pairs:
    """Headers as text: cookies, and credentials other than the bearer token this visit is about, are masked."""
    decoded = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
    return tuple((name, _masked_header(name, value)) for name, value in decoded)


def readable_body(content_type: str, data: bytes, size: int) -> Body:
    """A body as fields and text. ``data`` may be cut at ``BODY_LIMIT``; what is cut or cannot be read is not shown."""
    if not size:
        return Body()
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "text/html":
        return Body("page", size)
    if len(data) < size:
        return Body("other", size)
    if kind == FORM:
        return _form(data, size)
    return _json(data, size) if kind == "application/json" or kind.endswith("+json") else Body("other", size)


def masked(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """The pairs with secret values replaced."""
    return tuple((name, MASK if name in _SECRET_FIELDS else value) for name, value in pairs)


def _masked_header(name: str, value: str) -> str:
    if name == "cookie":
        return "; ".join(f"{part.strip().partition('=')[0]}={MASK}" for part in value.split(";"))
    if name == "set-cookie":
        crumb, semicolon, attributes = value.partition(";")
        return f"{crumb.partition('=')[0]}={MASK}{semicolon}{attributes}"
    if name in _SECRET_HEADERS:
        return MASK
    if name in {"authorization", "proxy-authorization"}:
        scheme, _, _ = value.partition(" ")
        return value if scheme.lower() in _SHOWN else f"{scheme} {MASK}"
    return value


def _form(data: bytes, size: int) -> Body:
    try:
        pairs = masked(parse_form(data, FORM).pairs())
    except Malformed:
        return Body("other", size)
    return Body("form", size, pairs)


def _json(data: bytes, size: int) -> Body:
    try:
        document = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return Body("other", size)
    if not isinstance(document, dict):
        return Body("json", size, text=_pretty(document))
    shown = {name: MASK if name in _SECRET_FIELDS else value for name, value in document.items()}
    return Body("json", size, tuple((name, _value(value)) for name, value in shown.items()), _pretty(shown))


def _value(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _pretty(document: object) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
