"""What leaves the house of a visit: the same document with every token and code replaced by a numbered name. Pure."""

from __future__ import annotations

import re
from typing import Any

_TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]*\.[\w-]*")
_ONCE = frozenset(
    {
        "code",
        "state",
        "nonce",
        "code_verifier",
        "device_code",
        "user_code",
        "auth_req_id",
        "jti",
        "sid",
        "gid",
        "ticket",
        "dpop",
    }
)
"""Parameters and claims that are no token and still nobody's business."""


def redacted(document: dict[str, Any]) -> dict[str, Any]:
    """The document without tokens, codes and random values. The same value has the same name wherever it stands, so
    that a reader can still follow it from message to message."""
    names = _Names()
    names.learn(document)
    return {key: names.cleaned(value) for key, value in document.items() if key != "cards"} | {"cards": []}


class _Names:
    """The names given so far, by value."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def learn(self, value: Any) -> None:
        """Give a name to each value of a parameter or claim that is to be hidden."""
        if isinstance(value, list | tuple):
            for one in value:
                self.learn(one)
        elif isinstance(value, dict):
            name, said = value.get("name"), value.get("value")
            if name in _ONCE and isinstance(said, str) and len(said) > _SHORT:
                self._known.setdefault(said, f"‹{name} {len(self._known) + 1}›")
            for one in value.values():
                self.learn(one)

    def cleaned(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list | tuple):
            return [self.cleaned(one) for one in value]
        if isinstance(value, dict):
            return {name: self.cleaned(one) for name, one in value.items()}
        return value

    def _text(self, text: str) -> str:
        text = _TOKEN.sub(lambda found: self._token(found[0]), text)
        for known, name in self._known.items():
            text = text.replace(known, name)
        return text

    def _token(self, token: str) -> str:
        return self._known.setdefault(token, f"‹token {len(self._known) + 1}›")


_SHORT = 5
