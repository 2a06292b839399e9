"""What of a message is masked until somebody asks: secrets, codes, tokens. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from innkeeper.tour.record import MASK, Pairs

TOKEN = re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*){2,4}")
"""A signed or an encrypted token, wherever it stands."""


class Masks:
    """Hides what opens something; with ``open`` it hides nothing that was kept."""

    def __init__(self, *, revealed: bool = False) -> None:
        self._revealed = revealed

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> Pairs:
        """Parameters, each by its name."""
        return tuple((name, self.value(name, value)) for name, value in pairs)

    def headers(self, headers: Iterable[tuple[str, str]]) -> Pairs:
        return tuple((name, self._header(name, value)) for name, value in headers)

    def value(self, name: str, value: str) -> str:
        """One value that has a name."""
        if self._revealed or not value:
            return value
        return MASK if secret(name) else self.text(value)

    def document(self, value: Any) -> Any:
        """JSON, however deep."""
        if isinstance(value, list):
            return [self.document(one) for one in value]
        if isinstance(value, dict):
            return {name: self._member(name, one, value) for name, one in value.items()}
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        """Text in which tokens may stand."""
        return text if self._revealed else TOKEN.sub(MASK, text)

    def token(self, token: str) -> str:
        """A token without its signature: it still says what it says, and opens nothing."""
        return token if self._revealed else f"{token.rpartition('.')[0]}.{MASK}"

    def _member(self, name: str, value: Any, beside: Mapping[str, Any]) -> Any:
        if not isinstance(value, str):
            return self.document(value)
        tells = name == "code" and "message" in beside  # the code of an error opens nothing
        return self.text(value) if tells else self.value(name, value)

    def _header(self, name: str, value: str) -> str:
        if self._revealed:
            return value
        if name in _CREDENTIALS:
            scheme, space, _ = value.partition(" ")
            return f"{scheme}{space}{MASK}" if space else MASK
        return self._address(value) if name in _ADDRESSES else self.text(value)

    def _address(self, address: str) -> str:
        return _PARAMETER.sub(lambda one: f"{one[1]}{one[2]}={self._quoted(one[2], one[3])}", address)

    def _quoted(self, name: str, value: str) -> str:
        return quote(MASK) if secret(name) or TOKEN.search(value) else value


def secret(name: str) -> bool:
    """Whether a value of that name opens something."""
    plain = name.lower().replace("_", "").replace("-", "")
    return plain in _ONCE or plain.endswith(_OPENING)


_OPENING = ("token", "secret", "assertion", "verifier", "secrethash", "privatekey", "password", "mfacode")
_ONCE = frozenset(
    [
        "code",
        "devicecode",
        "usercode",
        "secretcode",
        "confirmationcode",
        "idtokenhint",
        "session",
        "dpop",
        "ticket",
        "authreqid",
        "csrf",
        "apikey",
    ]
)
_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "dpop", "x-api-key", "x-amz-security-token"})
_ADDRESSES = frozenset({"location", "referer", "content-location"})
_PARAMETER = re.compile(r"([?&#])([^=&#?]+)=([^&#]*)")
