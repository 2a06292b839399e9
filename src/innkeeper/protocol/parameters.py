"""Request parameters, parsed once at the door (RFC 6749 Appendix B)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar, overload
from urllib.parse import unquote_to_bytes

FORM = "application/x-www-form-urlencoded"
MOST = 200
"""Parameters read of one request."""

Default = TypeVar("Default")


class Malformed(Exception):
    """The parameters cannot be read; the message says which rule they break and where."""


class Parameters(Mapping[str, str]):
    """Parameters by name. An empty value counts as absent (RFC 6749 §3.1).

    A name sent twice, empty or not, is kept aside in ``repeated``: asking for such a name raises ``Malformed``, so
    that no reader can take the first of two by accident. ``many`` reads the few parameters that may repeat.
    """

    __slots__ = ("_all", "_one", "repeated")

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._all = pairs
        one = dict(pairs)
        if len(one) == len(pairs):
            self.repeated = _NONE
            self._one = {name: value for name, value in one.items() if value} if "" in one.values() else one
        else:
            self.repeated, self._one = _taken_apart(pairs)

    def __getitem__(self, name: str) -> str:
        if name in self.repeated:
            raise Malformed(f"parameter {name!r} was sent more than once; send it once")
        return self._one[name]

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: str) -> str: ...
    @overload
    def get(self, name: str, /, default: Default) -> str | Default: ...
    def get(self, name: str, /, default: str | Default | None = None) -> str | Default | None:
        """The value, or ``default`` where none was sent. Raises ``Malformed`` for a name sent twice."""
        return self[name] if self.repeated and name in self.repeated else self._one.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._one

    def __iter__(self) -> Iterator[str]:
        return iter(self._one)

    def __len__(self) -> int:
        return len(self._one)

    def many(self, name: str) -> tuple[str, ...]:
        """Every non-empty value of a parameter that may be sent several times (RFC 8707 §2 ``resource``)."""
        if not self.repeated:
            return (self._one[name],) if name in self._one else ()
        return tuple(value for key, value in self._all if key == name and value)

    def pairs(self) -> list[tuple[str, str]]:
        """All pairs in the order sent, empty ones included."""
        return list(self._all)


_NONE: frozenset[str] = frozenset()


def _taken_apart(pairs: list[tuple[str, str]]) -> tuple[frozenset[str], dict[str, str]]:
    """The names that came more than once, and for every name the first value that is not empty."""
    one: dict[str, str] = {}
    seen: set[str] = set()
    repeated: set[str] = set()
    for name, value in pairs:
        (repeated if name in seen else seen).add(name)
        if value:
            one.setdefault(name, value)
    return frozenset(repeated), one


def parse_query(query: str) -> Parameters:
    """Parameters of a query string. Raises ``Malformed`` for bytes that are not UTF-8 or a NUL."""
    return Parameters(_pairs(query))


def parse_form(body: bytes, content_type: str) -> Parameters:
    """Parameters of a form body. Raises ``Malformed`` for another content type or bytes that are not UTF-8."""
    kind = content_type if content_type == FORM else content_type.partition(";")[0].strip().lower()
    if kind != FORM:
        raise Malformed(f"content type {kind or 'missing'!r}: this endpoint reads {FORM} only")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"byte {error.start} of the body is not UTF-8") from None
    return Parameters(_pairs(text))


def _pairs(text: str) -> list[tuple[str, str]]:
    if not text:
        return []
    if text.count("&") >= MOST:
        raise Malformed(f"more than {MOST} parameters")
    if "%00" in text or "\0" in text:
        raise Malformed("a parameter holds a NUL character")
    return [_pair(field) for field in text.split("&") if field]


def _pair(field: str) -> tuple[str, str]:
    name, _, value = field.partition("=")
    return (form_decode(name), form_decode(value)) if "%" in field or "+" in field else (name, value)


def form_decode(text: str) -> str:
    """Undo application/x-www-form-urlencoded for one value. Raises ``Malformed`` where it is not UTF-8."""
    if "%" not in text and "+" not in text:
        return text
    text = text.replace("+", " ")
    pieces = text.split("%")
    decoded = [pieces[0]]
    for piece in pieces[1:]:
        character = _ASCII.get(piece[:2])
        if character is None:
            return _unquoted(text)
        decoded += (character, piece[2:])
    return "".join(decoded)


_ASCII = {code: chr(n) for n in range(128) for code in (f"{n:02x}", f"{n:02X}")}
"""What most percent-encodings stand for: the URL of a resource, the colon of a scope."""


def _unquoted(text: str) -> str:
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("a value's percent-encoding is not UTF-8") from None


def scopes(text: str | None) -> frozenset[str]:
    """The scope names in a space-separated value (RFC 6749 §3.3); none for None."""
    return frozenset(text.split()) if text else frozenset()


def is_scope(name: str) -> bool:
    """Whether this can be one scope's name: printable ASCII without space, quote and backslash (RFC 6749 §3.3)."""
    return bool(name) and all("!" <= one <= "~" and one not in '"\\' for one in name)
