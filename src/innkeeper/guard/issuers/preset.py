"""The shape of a preset: all that differs between one provider's access tokens and another's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
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

    ``expected`` is what its tokens are held to; ``spell`` puts its claims into the words of RFC 9068; ``is_machine`` tells
    whether a client acts for itself, by default where it is the subject. ``checks`` are made beside the guard's own once
    the signature is valid, never in place of any; ``early`` before that, to name a token that could only fail without a
    reason. Where the keys are is discovered, from ``documents`` where the provider keeps its metadata elsewhere than
    others, and read from ``jwks_uri`` for an issuer that publishes no metadata.

    ``family`` is for a provider with one set of keys for many issuers: the pattern of them all. ``companions`` are the
    same provider's tokens under another issuer. ``published`` is what callers are told to get tokens from, by default the
    issuer; ``forbidden`` are audiences that no API of its own can have.
    """

    name: str
    expected: Expected
    spell: Callable[[Claims], Claims] = as_sent
    checks: tuple[Check[Presented], ...] = ()
    jwks_uri: str | None = None
    early: tuple[Check[Presented], ...] = ()
    is_machine: Callable[[Claims], bool] | None = None
    documents: tuple[str, ...] = ()
    family: re.Pattern[str] | None = None
    companions: tuple[Preset, ...] = ()
    published: str = ""
    forbidden: frozenset[str] = frozenset()

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

    def everyone(self) -> Iterator[Preset]:
        """This preset and its companions: one for each issuer whose tokens it reads."""
        yield self
        yield from self.companions


def names(given: str | Iterable[str], what: str) -> frozenset[str]:
    """A list of names from a setting. Raises ``UsageError`` for a single text, whose letters nobody means."""
    if isinstance(given, str):
        raise UsageError(f"{what}: give a list, such as [{given!r}]")
    found = frozenset(given)
    if not all(map(str.strip, found)):
        raise UsageError(f"{what}: an empty name is nobody's")
    return found
