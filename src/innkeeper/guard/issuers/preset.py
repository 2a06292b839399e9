"""The shape of a preset: all that differs between one provider's access tokens and another's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from innkeeper.protocol.refusals import UsageError
from innkeeper.protocol.well_known import why_not_an_issuer, why_not_private
from innkeeper.tokens.trail import Check
from innkeeper.tokens.verification import Expected, Presented

Claims = Mapping[str, Any]


def as_sent(claims: Claims) -> Claims:
    """The claims are in the words of RFC 9068 already."""
    return claims


class Preset(msgspec.Struct, frozen=True):
    """One issuer as the guard reads it.

    ``expected`` is what its tokens are held to; ``spell`` puts its claims into the words of RFC 9068; ``checks``
    are made beside the guard's own once the signature is valid, never in place of any. ``jwks_uri`` is where the
    keys are, for an issuer that publishes no metadata; else it is discovered.
    """

    name: str
    expected: Expected
    spell: Callable[[Claims], Claims] = as_sent
    checks: tuple[Check[Presented], ...] = ()
    jwks_uri: str | None = None

    def __post_init__(self) -> None:
        """Raises ``UsageError`` for an issuer, or a place of keys, that cannot be trusted by anyone."""
        issuer = self.expected.issuer
        if why := why_not_an_issuer(issuer):
            raise UsageError(f"issuer {issuer!r}: {why}; give it as its tokens write it in 'iss'")
        if self.jwks_uri is not None and (why := why_not_private(self.jwks_uri)):
            raise UsageError(f"jwks_uri {self.jwks_uri!r}: {why}")

    @property
    def issuer(self) -> str:
        return self.expected.issuer
