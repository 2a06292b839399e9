"""Which tool, prompt or resource of an MCP server a request is for, and what that needs.

Newer clients say it in headers (``Mcp-Method``, ``Mcp-Name``), older ones in the body alone. The body is always read, too:
a server may act on it, so a header that says something else must not decide.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from innkeeper.guard.needs import NOTHING, Needs, as_needs
from innkeeper.protocol.errors import INVALID_REQUEST
from innkeeper.protocol.refusals import Page, Refusal, UsageError
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.tokens.trail import Check, Seen, check

LIMIT = 4 * 1024 * 1024
"""Longest body read, in bytes: the SDK's own limit."""

_DEPTH = 64
_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""By method, the parameter that says what is meant."""

MOST_CALLS = 100
"""Calls in one batch; each is looked up."""

Named = Mapping[str, Needs | Iterable[str]]
_NONE: Named = MappingProxyType({})


class Call(msgspec.Struct, frozen=True):
    """One JSON-RPC request: its method, and for those that have one the tool, prompt or resource."""

    method: str
    name: str = ""


class Calls:
    """What each call needs beside ``needed``, which everything needs. A resource ending in ``*`` stands for all that begin so."""

    def __init__(
        self,
        needed: Needs | Iterable[str] = (),
        *,
        tools: Named = _NONE,
        prompts: Named = _NONE,
        resources: Named = _NONE,
        methods: Named = _NONE,
    ) -> None:
        """Raises ``UsageError`` where scopes are given as one text."""
        self.base = _needs("needed", needed)
        self._methods = {name: _needs(name, one) for name, one in methods.items()}
        tables = {"tools/call": tools, "prompts/get": prompts, "resources/read": resources}
        self._named = {
            method: {name: _needs(name, one) for name, one in table.items()} for method, table in tables.items()
        }

    @property
    def tells_calls_apart(self) -> bool:
        """Whether it makes a difference what is called."""
        return bool(self._methods) or any(self._named.values())

    @property
    def scopes(self) -> frozenset[str]:
        """Every scope that stands in a table."""
        named = (one.scopes for table in self._named.values() for one in table.values())
        return self.base.scopes.union(*named, *(one.scopes for one in self._methods.values()))

    def needs(self, calls: Iterable[Call]) -> Needs:
        """What a request with these calls needs, all of it at once."""
        found = self.base
        for call in calls:
            found = found.and_also(self._methods.get(call.method, NOTHING)).and_also(self._of(call))
        return found

    def _of(self, call: Call) -> Needs:
        table = self._named.get(call.method)
        if not table:
            return NOTHING
        exact = table.get(call.name)
        if exact is not None or call.method != "resources/read":
            return exact or NOTHING
        fitting = [name for name in table if name.endswith("*") and call.name.startswith(name[:-1])]
        return table[max(fitting, key=len)] if fitting else NOTHING


def _needs(where: str, given: Needs | Iterable[str]) -> Needs:
    if isinstance(given, str):
        raise UsageError(f"{where}: give a list of scopes, such as [{given!r}]")
    return as_needs(given)


class Told(msgspec.Struct, frozen=True):
    """What a request says it calls: in its headers (None where it says nothing there), and in its body (a text where that
    cannot be read)."""

    by_headers: Call | None
    by_body: tuple[Call, ...] | str
    headers_are_doubled: bool = False


def in_headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[Call | None, bool]:
    """What the headers say is called, and whether one of them came twice."""
    found: dict[bytes, list[str]] = {b"mcp-method": [], b"mcp-name": []}
    for name, value in headers:
        if name in found:
            found[name].append(value.decode("latin-1").strip())
    methods, names = found.values()
    if not methods:
        return None, len(names) > 1
    return Call(methods[0], _plain(names[0]) if names else ""), len(methods) > 1 or len(names) > 1


def _plain(value: str) -> str:
    """A header's value; what no header can carry is in base64 between marks."""
    if not (value.startswith("=?base64?") and value.endswith("?=")):
        return value
    inner = value[9:-2]
    try:
        decoded = b64decode(inner, validate=True)
        return decoded.decode() if b64encode(decoded).decode() == inner else ""
    except ValueError:
        return ""


def in_body(body: bytes) -> tuple[Call, ...] | str:
    """What the body calls: one request, or a batch of older clients. Answers and notices call nothing. A text says why the
    body cannot be read: no JSON, or JSON that another reader might understand otherwise."""
    try:
        wrapped = read_object(b'{"batch":' + body + b"}", depth=_DEPTH)
    except NotStrict as error:
        return str(error)
    if len(wrapped) != 1:
        return "more than one JSON value"
    document = wrapped["batch"]
    messages = document if isinstance(document, list) else [document]
    if len(messages) > MOST_CALLS or not all(isinstance(one, dict) for one in messages):
        return f"no JSON-RPC message, and no batch of at most {MOST_CALLS}"
    return tuple(_call(one) for one in messages if isinstance(one.get("method"), str))


def _call(message: Mapping[str, Any]) -> Call:
    method, params = str(message["method"]), message.get("params")
    member = _NAMED.get(method)
    name = params.get(member) if member and isinstance(params, dict) else ""
    return Call(method, name if isinstance(name, str) else "")


@check("JSON-RPC 2.0 §4")
def call_can_be_read(case: Told) -> Seen | Refusal:
    """The body must be JSON that everyone reads alike."""
    if isinstance(case.by_body, str):
        return Refusal(CALL_UNREADABLE, case.by_body, "one JSON-RPC message", "something else")
    return Seen([f"{one.method} {one.name}".strip() for one in case.by_body] or "no call")


@check("MCP 2026-07-28 §Transports")
def headers_say_what_the_body_says(case: Told) -> Seen | Refusal:
    """Where headers name the call, it must be the one in the body."""
    if case.headers_are_doubled:
        return Refusal(CALL_DIFFERS, "Mcp-Method or Mcp-Name came twice", "one of each", "several")
    if case.by_headers is None:
        return Seen("no such headers")
    named = Call(case.by_headers.method, case.by_headers.name if case.by_headers.method in _NAMED else "")
    if case.by_body != (named,):
        return Refusal(CALL_DIFFERS, "the headers name another call than the body", "the same", "another")
    return Seen(f"{named.method} {named.name}".strip())


CALL_CHECKS: tuple[Check[Told], ...] = (call_can_be_read, headers_say_what_the_body_says)

CALL_DIFFERS = Page(
    "IK577",
    INVALID_REQUEST,
    "Headers and body of the MCP request name different calls",
    "Mcp-Method and Mcp-Name have to repeat what the body says; somebody who decides by the one and somebody who acts on the "
    "other would otherwise not speak of the same.",
    "Send the method and the name of the body in the headers, once each, or no such headers.",
    "The headers do not say what the body says.",
    400,
)
CALL_UNREADABLE = Page(
    "IK578",
    INVALID_REQUEST,
    "The MCP request's body cannot be read",
    "What is called decides what is needed, so the body is read before the server sees it: it must be one JSON-RPC message in "
    "UTF-8, or a batch, with no member twice.",
    "Send one JSON object, as MCP clients do.",
    "The body is no JSON-RPC message.",
    400,
)
CALL_TOO_LONG = Page(
    "IK579",
    INVALID_REQUEST,
    "The MCP request's body is too long",
    f"At most {LIMIT // 1024 // 1024} MiB are read.",
    "Send less at once, or pass limit= where the guard is put before the server.",
    "The body is too long.",
    413,
)
