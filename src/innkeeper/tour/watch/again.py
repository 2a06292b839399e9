"""Sending a message again: to this house alone, with what can be had anew, and with what the developer changes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import httpx2
import msgspec
from starlette.types import ASGIApp

from innkeeper.protocol.refusals import Refusal, UsageError
from innkeeper.tour.record import MASK
from innkeeper.tour.watch.guarding import NOT_AGAIN, denied
from innkeeper.tour.watch.keeping import Content, Message
from innkeeper.tour.watch.masking import TOKEN, secret
from innkeeper.tour.watch.ring import Ring
from innkeeper.tour.watch.tap import again_of
from innkeeper.tour.watch.whose import told_in

_HOPS_OWN = frozenset({"cookie", "content-length", "transfer-encoding", "connection", "if-none-match", "te", "upgrade"})
_GOOD_ONCE = {
    "code": "A code is good once. Sent again it is refused, and what it gave is revoked: that is the rule at work.",
    "client_assertion": "An assertion names itself in `jti` and is good once; it cannot be signed anew here.",
    "device_code": "A device code brings one answer; after that it is spent.",
    "dpop": "A DPoP proof is good once; it cannot be signed anew here.",
}


class Field(msgspec.Struct, frozen=True):
    """A value that may be changed before sending. ``value`` is what stands in the form, "" for what is masked, which is
    then sent as it was; ``missing`` was not kept and has to be given; ``note`` says what was put there instead."""

    key: str
    name: str
    value: str
    hidden: bool = False
    missing: bool = False
    note: str = ""


class Again:
    """What is sent again goes through ``site``, in this process: it can reach nobody else. ``now`` in seconds."""

    def __init__(self, site: ASGIApp, ring: Ring) -> None:
        self._site = site
        self._ring = ring

    def fields(self, message: Message) -> list[Field]:
        """What may be changed, with fresh values where there are any."""
        return [self._field(message, key, name, value) for key, name, value in _values(message)]

    def warnings(self, message: Message) -> list[str]:
        """What is good once, and so will not do again."""
        names = {name for _, name, value in _values(message) if value} | {
            name for name, _ in message.headers if name == "dpop"
        }
        return [said for name, said in _GOOD_ONCE.items() if name in names]

    async def send(self, message: Message, given: Mapping[str, str], now: int) -> int:
        """Send it, and the number of the new message. Raises ``UsageError``, ``HTTPException``."""
        if not self._ring.on:
            raise UsageError("nobody is watching now: start watching, then send the message again")
        values = {key: self._value(message, key, name, value, given) for key, name, value in _values(message)}
        body = _body(message.content, values)
        query = [(name, values[f"query.{n}"]) for n, (name, _) in enumerate(message.query)]
        address = f"{message.origin}{message.path}" + (f"?{urlencode(query)}" if query else "")
        before, mark = self._ring.last, again_of.set(message.n)
        try:
            async with httpx2.AsyncClient(transport=self._inside()) as http:
                await http.request(message.method, address, headers=self._headers(message, now), content=body)
        finally:
            again_of.reset(mark)
        return next((one.n for one in self._ring.messages(before) if one.again == message.n), 0)

    def _inside(self) -> httpx2.ASGITransport:
        return httpx2.ASGITransport(app=self._site, raise_app_exceptions=False)

    def _value(self, message: Message, key: str, name: str, kept: str, given: Mapping[str, str]) -> str:
        said = given.get(key) or self._fresh(message, name)[0] or kept
        if said == MASK:
            raise denied(Refusal(NOT_AGAIN, f"{name} was not kept", hint=f"Give {name} anew."))
        return said

    def _field(self, message: Message, key: str, name: str, value: str) -> Field:
        if value == MASK:
            return Field(key, name, "", missing=True)
        fresh, note = self._fresh(message, name)
        hidden = secret(name) or TOKEN.search(value) is not None
        return Field(key, name, "" if hidden else fresh or value, hidden=hidden, note=note)

    def _fresh(self, message: Message, name: str) -> tuple[str, str]:
        """A value that takes an old one's place, and what it is; "" where the old one will do."""
        if name in {"state", "nonce"} and message.path.lower().endswith("/authorize"):
            return secrets.token_urlsafe(16), "made anew"
        if name.lower().replace("_", "") == "refreshtoken":
            for later in reversed(self._ring.messages(message.n)):
                if later.client == message.client and (token := _given(later.reply, "refreshtoken")):
                    return token, f"the newest one, from message {later.n}"
        return "", ""

    def _headers(self, message: Message, now: int) -> dict[str, str]:
        kept = {name: value for name, value in message.headers if name not in _HOPS_OWN}
        scheme, _, token = kept.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and (newer := self._newer(token, now)):
            kept["authorization"] = f"{scheme} {newer}"
        return kept

    def _newer(self, token: str, now: int) -> str:
        """The newest access token that was cut for the same client and audience, where this one is over."""
        held = told_in(token)
        if not held or held.get("exp", now + 1) > now:
            return ""
        for message in reversed(self._ring.messages()):
            found = _given(message.reply, "accesstoken")
            claims = told_in(found)
            alike = all(claims.get(name) == held.get(name) for name in ("iss", "aud", "client_id", "sub"))
            if claims and alike and claims.get("exp", 0) > now:
                return found
        return ""


def _values(message: Message) -> Iterator[tuple[str, str, str]]:
    """Every value of a request that is text: a key for it, its name, and what was sent."""
    for n, (name, value) in enumerate(message.query):
        yield f"query.{n}", name, value
    for n, (name, value) in enumerate(message.content.pairs):
        yield f"body.{n}", name, value
    yield from _leaves("json", message.content.document)


def _leaves(place: str, document: Any) -> Iterator[tuple[str, str, str]]:
    members = document.items() if isinstance(document, dict) else ()
    for name, value in members:
        if isinstance(value, str):
            yield f"{place}/{name}", name, value
        else:
            yield from _leaves(f"{place}/{name}", value)


def _body(content: Content, values: Mapping[str, str]) -> bytes:
    if content.kind == "form":
        pairs = [(name, values[f"body.{n}"]) for n, (name, _) in enumerate(content.pairs)]
        return urlencode(pairs).encode("ascii")
    if content.kind == "json":
        return msgspec.json.encode(_filled("json", content.document, values))
    if content.size:
        raise denied(Refusal(NOT_AGAIN, f"a body of {content.size} bytes was not kept"))
    return b""


def _filled(place: str, document: Any, values: Mapping[str, str]) -> Any:
    if isinstance(document, dict):
        return {name: _filled(f"{place}/{name}", value, values) for name, value in document.items()}
    return values.get(place, document) if isinstance(document, str) else document


def _given(reply: Content, plain: str) -> str:
    """A token in an answer, wherever it stands there."""
    found = (value for _, name, value in _leaves("", reply.document) if name.lower().replace("_", "") == plain)
    return next(found, "")
