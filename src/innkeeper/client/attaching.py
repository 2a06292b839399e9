"""The token on a request, whatever sends it: which headers to set, and when to send once more. One text for all adapters.

A generator that yields ``Send`` (send the request with these headers) or a question of the token's own flow, and is sent
what was heard, or the answer. ``adapters`` for each HTTP library drive it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast
from urllib.parse import urlsplit

import msgspec

from innkeeper.client.asking import Answer, Flow, Question, chance, now
from innkeeper.client.dpop import origin, wants_nonce
from innkeeper.protocol.challenges import Challenge, parse
from innkeeper.protocol.errors import INSUFFICIENT_SCOPE, INVALID_TOKEN
from innkeeper.protocol.parameters import Malformed
from innkeeper.protocol.redirects import is_loopback
from innkeeper.protocol.refusals import UsageError

if TYPE_CHECKING:
    from innkeeper.client.dpop import Proving
    from innkeeper.client.token import Token


class Outgoing(msgspec.Struct, frozen=True):
    """A request about to be sent. ``repeatable``: its body is whole in memory; one that streams is gone once sent."""

    method: str
    url: str
    repeatable: bool = True


class Send(msgspec.Struct, frozen=True):
    """Send the request now, with these headers."""

    headers: tuple[tuple[str, str], ...]


class Heard(msgspec.Struct, frozen=True):
    """What was answered: the status, and a header by its lower-case name."""

    status: int
    header: Callable[[str], str | None]

    @property
    def challenges(self) -> tuple[Challenge, ...]:
        """The challenges in the answer; none where they cannot be read."""
        try:
            return parse(self.header("www-authenticate") or "")
        except Malformed:
            return ()

    def says(self, error: str) -> bool:
        """Whether the door gives this error."""
        return any(one.get("error") == error for one in self.challenges)


class Source(Protocol):
    """Where tokens come from. ``answered`` may change its mind about the token after an answer and say to try again."""

    @property
    def proving(self) -> Proving | None:
        """The key that tokens are bound to."""

    def place(self) -> str:
        """The address of the API that its tokens are for; "" where it is not known."""

    def fetch(self, url: str, /) -> Flow[Token | None]:
        """A token good for a request to this address; None to send it without one."""

    def answered(self, url: str, token: Token | None, heard: Heard, again: int, /) -> Flow[bool]:
        """Whether another token may help after this answer. True: fetch again and send once more. ``again`` counts how
        often this was said for this request already."""


Attaching: TypeAlias = Generator["Send | Question", "Heard | Answer", None]

_MOST_TRIES = 4
"""Sendings of one request: a nonce, a sign-in, a step-up may each cost one; more is a loop."""


def attaching(source: Source, request: Outgoing) -> Attaching:
    """Send ``request`` with a token, again where a nonce was demanded or the source has a better token now."""
    nonce_given, again = False, 0
    for tries in range(_MOST_TRIES):
        token = yield from source.fetch(request.url)
        heard = cast(Heard, (yield Send((yield from _headers(source, request, token)))))
        proving = source.proving
        if proving:
            proving.heard(request.url, heard.header)
        if not request.repeatable or tries + 1 == _MOST_TRIES:
            return
        if proving and not nonce_given and wants_nonce(heard.status, heard.header):
            nonce_given = True
            continue
        if not (yield from source.answered(request.url, token, heard, again)):
            return
        again += 1


def turned_away(heard: Heard) -> bool:
    """Whether the door says that the token itself is bad (RFC 6750 §3.1), not that it opens too little."""
    return heard.status == 401 and heard.says(INVALID_TOKEN)


def too_little(heard: Heard) -> bool:
    """Whether the door says that the token is good and opens too little."""
    return heard.status == 403 and heard.says(INSUFFICIENT_SCOPE)


class Home:
    """The one origin that a token may go to. Raises ``UsageError`` for an address that is none, or not private."""

    def __init__(self, address: str) -> None:
        if not urlsplit(address).netloc:
            raise UsageError("Auth: say which API the token is for, as in at='https://api.example'")
        if urlsplit(address).scheme != "https" and not is_loopback(address):
            raise UsageError(f"Auth: {address} must be https; a token on http can be read on its way")
        self._origin = origin(address)

    def check(self, url: str) -> None:
        """Raises ``UsageError`` for a request to another origin."""
        if origin(url) != self._origin:
            raise UsageError(f"Auth: the token is not for {urlsplit(url).hostname}; use another client, or another at=")


def _headers(source: Source, request: Outgoing, token: Token | None) -> Flow[tuple[tuple[str, str], ...]]:
    """The header form of RFC 6750 §2.1, the only one used: addresses and bodies end up in logs."""
    if token is None:
        return ()
    if token.kind != "DPoP" or source.proving is None:
        return (("authorization", f"Bearer {token.access_token}"),)
    made = source.proving.proof(
        request.method, request.url, (yield from now()), (yield from chance(16)), token.access_token
    )
    return ("authorization", f"DPoP {token.access_token}"), ("dpop", made)
