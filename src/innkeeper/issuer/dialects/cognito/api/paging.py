"""Lists, a page at a time: the token of the next page is the key after which it begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from innkeeper.issuer.core.cognito.administration import PARAMETER_BAD
from innkeeper.issuer.desk.cognito.declined import Declined
from innkeeper.protocol import base64url
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import at_the_door

Item = TypeVar("Item")


def page(
    items: Sequence[Item], key: Callable[[Item], str], limit: int, most: int, token: str | None
) -> tuple[list[Item], str | None]:
    """At most ``limit`` items after the token's, and the next token. Raises ``Declined`` for a bad limit or token."""
    if not 0 <= limit <= most:
        raise _declined(
            "the limit is out of bounds", f"1 to {most}", str(limit), "Value at 'limit' failed to satisfy constraint"
        )
    size = limit or most
    ordered = sorted(items, key=key)
    if token:
        after = _read(token)
        ordered = [one for one in ordered if key(one) > after]
    shown = ordered[:size]
    more = len(ordered) > size
    return shown, base64url.encode_text(b"next:" + key(shown[-1]).encode()) if more else None


def _read(token: str) -> str:
    try:
        text = base64url.decode(token)
    except base64url.NotBase64Url:
        text = b""
    if not text.startswith(b"next:"):
        raise _declined("the token is none of ours", "the last answer's", "another", "Invalid pagination token")
    return text[5:].decode("utf-8", "replace")


def _declined(reason: str, expected: str, found: str, said: str) -> Declined:
    refusal = Refusal(PARAMETER_BAD, reason, expected, found, said=said)
    return Declined(at_the_door("list", refusal, "Cognito API: pagination"), refusal)
