"""A token taken apart for printing. Nothing here is verified, and no door takes it for a token that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from innkeeper.keys import jws
from innkeeper.protocol.strict_json import NotStrict, read_object


class UnverifiedToken(msgspec.Struct, frozen=True):
    """What a token claims about itself; anyone may have written it."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def read_unverified(token: str | bytes) -> UnverifiedToken:
    """Take a signed JWT apart without believing it. Raises ``jws.NotAToken`` where it cannot be read."""
    parsed = jws.parse(token)
    try:
        return UnverifiedToken(parsed.header, read_object(parsed.claims))
    except NotStrict as error:
        raise jws.NotAToken(f"claims: {error}") from None
