"""OData as Graph spells it: lists, filters, selections, errors."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from innkeeper.issuer.core.entra.documents import Document, bad
from innkeeper.issuer.core.entra.graph import NOT_FOUND, UNSUPPORTED_QUERY
from innkeeper.protocol import base64url
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.parameters import Malformed, parse_query
from innkeeper.protocol.refusals import Refusal

JSON = (
    "content-type",
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
)


class Refused(Exception):
    """A call that comes to nothing; carries the refusal to where it is spelt."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


class Call(msgspec.Struct, frozen=True):
    """A call of Graph whose token is good: ``segments`` of its path after the version, ``body``, ``caller`` the token's claims."""

    method: str
    base: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    body: Document
    caller: Mapping[str, Any]
    now: int

    @property
    def context(self) -> str:
        return f"{self.base}/$metadata#{self.segments[0]}"

    def text(self, name: str) -> str:
        """A property of the body that has to be a text. Raises ``Refused``."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise Refused(bad(f"Invalid value specified for property '{name}' of resource.", str(value)))
        return value


def body_of(request: Request) -> Document:
    """The JSON object in a body; empty where there is none. Raises ``Refused``."""
    if not request.body.strip():
        return {}
    try:
        found = msgspec.json.decode(request.body)
    except msgspec.DecodeError:
        raise Refused(bad("Unable to read JSON request payload.")) from None
    if not isinstance(found, dict):
        raise Refused(bad("Unable to read JSON request payload."))
    return found


def query_of(request: Request) -> Mapping[str, str]:
    try:
        return dict(parse_query(request.query).pairs())
    except Malformed as error:
        raise Refused(bad(str(error))) from None


def one(call: Call, document: Document, status: int = 200) -> Reply:
    """A single object, with the properties that were selected."""
    context = {"@odata.context": f"{call.context}/$entity"}
    return reply({**context, **_selected(call, document)}, status)


def many(call: Call, documents: Iterable[Document]) -> Reply:
    """A list, filtered and selected as asked."""
    keep = filter_of(call.query.get("$filter", ""))
    found = _ordered(call, [document for document in documents if keep(document)])
    start, size = _start(call, found), _size(call)
    shown, rest = found[start : start + size], found[start + size :]
    return reply(
        {
            "@odata.context": call.context,
            **({"@odata.count": len(found)} if call.query.get("$count") == "true" else {}),
            **({"@odata.nextLink": _next(call, shown[-1])} if rest else {}),
            "value": [_selected(call, one) for one in shown],
        }
    )


def _ordered(call: Call, found: list[Document]) -> list[Document]:
    """In the order that is asked for: by properties, the first one first, each up or down."""
    for part in reversed([one for one in call.query.get("$orderby", "").split(",") if one.strip()]):
        name, _, way = part.strip().partition(" ")
        found = sorted(found, key=lambda one: str(_at(one, name) or "").casefold(), reverse=way.strip() == "desc")
    return found


_PAGE, _LONGEST_PAGE = 100, 999


def _size(call: Call) -> int:
    top = call.query.get("$top", "")
    if not top:
        return _PAGE
    if not top.isdigit() or not 1 <= int(top) <= _LONGEST_PAGE:
        raise Refused(bad(f"Invalid page size specified: '{top}'. Must be between 1 and {_LONGEST_PAGE} inclusive."))
    return int(top)


def _start(call: Call, found: list[Document]) -> int:
    """Where the page begins: behind the object that the token of the last one names."""
    token = call.query.get("$skiptoken", "")
    place = next((place for place, one in enumerate(found, 1) if token and _token(one) == token), 0)
    if token and not place:
        raise Refused(bad("The specified page token value has expired and can no longer be included in your request."))
    return place


def _next(call: Call, last: Document) -> str:
    query = {**call.query, "$skiptoken": _token(last)}
    return f"{call.base}/{'/'.join(call.segments).replace('/(', '(')}?{urlencode(query)}"


def _token(last: Document) -> str:
    return base64url.encode_text(str(last["id"]).encode())


def nothing() -> Reply:
    """Done, with nothing to say."""
    return Reply(204, (("cache-control", "no-cache"),))


def reply(document: object, status: int = 200) -> Reply:
    return Reply(status, (JSON, ("cache-control", "no-cache")), msgspec.json.encode(document))


def not_found(what: str) -> Refused:
    said = f"Resource '{what}' does not exist or one of its queried reference-property objects are not present."
    return Refused(Refusal(NOT_FOUND, f"nothing is called {what}", found=what, said=said))


def refused(refusal: Refusal, request: Request, now: int) -> Reply:
    """An error as Graph spells it."""
    page, own = refusal.page, str(uuid.uuid4())
    theirs = request.headers.get("client-request-id", own)
    inner = {
        "date": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": own,
        "client-request-id": theirs,
    }
    body = {"error": {"code": refusal.error, "message": refusal.wire, "innerError": inner}}
    challenge = (("www-authenticate", "Bearer"),) if page.status == 401 else ()
    headers = (JSON, ("request-id", own), ("client-request-id", theirs), *challenge)
    return Reply(page.status, headers, msgspec.json.encode(body))


def _selected(call: Call, document: Document) -> Document:
    names = [name.strip() for name in call.query.get("$select", "").split(",") if name.strip()]
    return {name: document.get(name) for name in names} if names else document


class Expansion(msgspec.Struct, frozen=True):
    """A relation whose objects stand in the answer, and what is asked of them."""

    name: str
    query: Mapping[str, str]


def expansions(call: Call) -> list[Expansion]:
    """What ``$expand`` asks for: names, each with its own query in parentheses."""
    return [
        Expansion(one["name"], dict(part.partition("=")[::2] for part in (one["query"] or "").split(";") if part))
        for one in _EXPANSION.finditer(call.query.get("$expand", ""))
    ]


_EXPANSION = re.compile(r"(?P<name>\w+)(?:\((?P<query>[^()]*)\))?")


def expanded(call: Call, document: Document, found: Mapping[str, Document]) -> Document:
    """An object with its relations in it, and of itself what was selected."""
    return {**_selected(call, document), **{name: told["value"] for name, told in found.items()}}


Keep = Callable[[Document], bool]


def filter_of(text: str) -> Keep:
    """The filter as a question about a document: eq, ne and startswith, joined by and. Raises ``Refused``."""
    if not text.strip():
        return lambda _: True
    clauses = [_clause(part.strip()) for part in _AND.split(text.strip())]
    return lambda document: all(clause(document) for clause in clauses)


_AND = re.compile(r"\s+and\s+(?=(?:[^']*'[^']*')*[^']*$)", re.IGNORECASE)
_COMPARE = re.compile(
    r"\(?(?P<name>[\w/]+)\s+(?P<how>eq|ne)\s+(?P<value>'(?:[^']|'')*'|true|false|null|[\w-]+)\)?", re.IGNORECASE
)
_STARTS = re.compile(r"startswith\((?P<name>[\w/]+),\s*'(?P<value>(?:[^']|'')*)'\)", re.IGNORECASE)
_ANY = re.compile(r"(?P<name>[\w/]+)/any\((?P<each>\w+):\s*(?P=each)\s+eq\s+'(?P<value>(?:[^']|'')*)'\)", re.IGNORECASE)


def _clause(text: str) -> Keep:
    if found := _STARTS.fullmatch(text):
        name, start = found["name"], _unquoted(found["value"])
        return lambda document: str(_at(document, name) or "").lower().startswith(start.lower())
    if found := _ANY.fullmatch(text):
        name, value = found["name"], _unquoted(found["value"])
        return lambda document: value in (_at(document, name) or [])
    if found := _COMPARE.fullmatch(text):
        name, wanted = found["name"], _value(found["value"])
        equal = found["how"].lower() == "eq"
        return lambda document: _same(_at(document, name), wanted) == equal
    raise Refused(Refusal(UNSUPPORTED_QUERY, "the filter is not understood", "eq, startswith, and", text))


def _value(text: str) -> object:
    if text.startswith("'"):
        return _unquoted(text[1:-1])
    return {"true": True, "false": False, "null": None}.get(text.lower(), text)


def _unquoted(text: str) -> str:
    return text.replace("''", "'")


def _same(found: object, wanted: object) -> bool:
    if isinstance(found, str) and isinstance(wanted, str):
        return found.lower() == wanted.lower()
    return found == wanted


def _at(document: Mapping[str, Any], path: str) -> Any:
    found: Any = document
    for name in path.split("/"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def reference(call: Call) -> str:
    """The object id at the end of an ``@odata.id``. Raises ``Refused``."""
    return call.text("@odata.id").rstrip("/").rpartition("/")[2]


def bound(body: Document, name: str) -> Sequence[str]:
    """The object ids of a ``name@odata.bind`` list."""
    found = body.get(f"{name}@odata.bind", [])
    return [str(one).rstrip("/").rpartition("/")[2] for one in found] if isinstance(found, list) else []
