"""What is kept of one exchange of somebody's own application. Passwords and cookies are gone before anything is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from innkeeper.protocol.parameters import FORM, Malformed, parse_form
from innkeeper.tokens.trail import Trail
from innkeeper.tour.record import MASK, Pairs

Realm = Literal["native", "cognito", "entra", "hotel"]
Outcome = Literal["ok", "refused", "failed"]


class Content(msgspec.Struct, frozen=True):
    """A body: its ``kind`` and ``size``, the ``pairs`` of a form or the ``document`` of JSON. ``lacks`` says that something
    in it was not kept."""

    kind: Literal["none", "form", "json", "page", "other"] = "none"
    size: int = 0
    pairs: Pairs = ()
    document: Any = None
    lacks: tuple[str, ...] = ()


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange. ``n`` counts from 1 in the order they ended; ``at`` is when it began, in seconds since the epoch.

    ``origin`` is where it was sent, which with ``innkeeper twin run`` is a cloud's own address; ``took`` is in seconds;
    ``status`` 0 means that no answer came; ``again`` is the message that this one was sent again from, 0 where it was not.
    """

    n: int
    at: float
    origin: str
    realm: Realm
    client: str
    method: str
    path: str
    query: Pairs = ()
    headers: Pairs = ()
    content: Content = Content()
    status: int = 0
    reply_headers: Pairs = ()
    reply: Content = Content()
    trails: tuple[Trail, ...] = ()
    took: float = 0.0
    again: int = 0

    @property
    def outcome(self) -> Outcome:
        """What came of it: an error in a redirect is a refusal, too."""
        if not self.status or self.status >= 500:
            return "failed"
        location = next((value for name, value in self.reply_headers if name == "location"), "")
        told = "?error=" in location or "&error=" in location or "#error=" in location
        return "refused" if self.status >= 400 or told else "ok"


def kept_headers(headers: Iterable[tuple[bytes, bytes]]) -> Pairs:
    """Headers as text; of cookies only the names are kept."""
    decoded = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
    return tuple((name, _crumbs(name, value)) for name, value in decoded)


def _crumbs(name: str, value: str) -> str:
    if name == "cookie":
        return "; ".join(f"{part.strip().partition('=')[0]}={MASK}" for part in value.split(";"))
    if name == "set-cookie":
        crumb, semicolon, attributes = value.partition(";")
        return f"{crumb.partition('=')[0]}={MASK}{semicolon}{attributes}"
    return value


def kept_content(content_type: str, data: bytes, size: int) -> Content:
    """A body as values. What is longer than ``data``, or neither form nor JSON, is known by its size alone."""
    kind = content_type.partition(";")[0].strip().lower()
    if not size:
        return Content()
    if kind == "text/html":
        return Content("page", size)
    if len(data) < size:
        return Content("other", size)
    if kind == FORM:
        return _form(data, size)
    return _json(data, size) if "json" in kind else Content("other", size)


def _form(data: bytes, size: int) -> Content:
    try:
        pairs = parse_form(data, FORM).pairs()
    except Malformed:
        return Content("other", size)
    kept = tuple((name, MASK if never_kept(name) and value else value) for name, value in pairs)
    return Content("form", size, kept, lacks=tuple(name for name, value in kept if value == MASK))


def _json(data: bytes, size: int) -> Content:
    try:
        document = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return Content("other", size)
    lacks: list[str] = []
    return Content("json", size, document=_without_passwords(document, lacks), lacks=tuple(lacks))


def _without_passwords(value: Any, lacks: list[str]) -> Any:
    if isinstance(value, list):
        return [_without_passwords(one, lacks) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, one in value.items():
        hidden = never_kept(name) and isinstance(one, str) and bool(one)
        lacks += [name] if hidden else []
        kept[name] = MASK if hidden else _without_passwords(one, lacks)
    return kept


def never_kept(name: str) -> bool:
    """Whether a value of that name is a person's, and no application's: it can be revealed to nobody."""
    plain = name.lower().replace("_", "").replace("-", "")
    return any(word in plain for word in _A_PERSONS) and not plain.endswith(_ABOUT_THEM)


_A_PERSONS = ("password", "passwd", "csrf", "srpverifier")
_ABOUT_THEM = ("policy", "policies", "length", "supported", "claimsignature", "endpoint", "url", "uri")
