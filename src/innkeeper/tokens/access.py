"""Access tokens as signed JWTs: what they say, how they are built and read (RFC 9068).

Whether one may be believed is asked in ``tokens.verification``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any, cast

import msgspec

from innkeeper.protocol.refusals import UsageError
from innkeeper.protocol.values import Value
from innkeeper.tokens.said import Said

TYPE = "at+jwt"
REQUIRED = ("iss", "exp", "aud", "sub", "client_id", "iat", "jti")
"""The claims every access token has (§2.2), in the order they are written."""


class AccessToken(Value, frozen=True, gc=False):
    """What a checked access token says.

    ``said`` are the claims of a known kind, each under its own name here, too; ``claims`` holds every claim as it was sent,
    those and the ones nobody here knows; ``words`` the same in the words of RFC 9068, where the issuer has others.
    ``is_machine``: the client acts for itself, no person behind it (§5).
    """

    said: Said
    claims: Mapping[str, Any]
    words: Mapping[str, Any]
    is_machine: bool

    @property
    def iss(self) -> str:
        return self.said.iss

    @property
    def sub(self) -> str:
        return self.said.sub

    @property
    def aud(self) -> tuple[str, ...]:
        """The names of the APIs that it is for, one or several."""
        aud = self.said.aud
        return (aud,) if isinstance(aud, str) else aud

    @property
    def client_id(self) -> str:
        return self.said.client_id

    @property
    def exp(self) -> int:
        return self.said.exp

    @property
    def iat(self) -> int:
        return self.said.iat

    @property
    def nbf(self) -> int:
        return self.said.nbf

    @property
    def jti(self) -> str:
        return self.said.jti

    @property
    def scope(self) -> frozenset[str]:
        """The names in the claim ``scope``."""
        return scopes(self.said.scope)

    @property
    def auth_time(self) -> int:
        return self.said.auth_time

    @property
    def acr(self) -> str:
        return self.said.acr

    @property
    def amr(self) -> tuple[str, ...]:
        return self.said.amr

    @property
    def cnf(self) -> Mapping[str, Any] | None:
        """What it is bound to (RFC 7800), if it is."""
        return self.said.cnf

    @property
    def act(self) -> Mapping[str, Any] | None:
        """Who acts for whom it is about (RFC 8693 §4.1), if somebody does."""
        return self.said.act

    @property
    def roles(self) -> frozenset[str]:
        """The roles of whom the token is about (§2.2.3.1)."""
        return _names(self.words.get("roles"))

    @property
    def groups(self) -> frozenset[str]:
        """The groups that the person belongs to (§2.2.3.1)."""
        return _names(self.words.get("groups"))

    @property
    def details(self) -> tuple[Mapping[str, Any], ...]:
        """Rights finer than scopes: ``authorization_details``, as far as they are objects (RFC 9396 §9.1)."""
        found = self.words.get("authorization_details")
        return tuple(one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()


def _names(found: object) -> frozenset[str]:
    """The texts in a list, those in its objects' ``value`` included (RFC 7643 §2.4); nothing else is a name."""
    if not isinstance(found, list):
        return frozenset()
    values = (one.get("value") if isinstance(one, dict) else one for one in found)
    return frozenset(one for one in values if isinstance(one, str))


def build(
    *,
    issuer: str,
    subject: str,
    audience: Sequence[str],
    client_id: str,
    now: int,
    lifetime: int,
    jti: str,
    scope: Iterable[str] = (),
    extra: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """The claims of a new access token in the order of §2.2; ``now`` and ``lifetime`` in seconds.

    ``aud`` is a string for one audience and a list for several; ``scope`` is sorted and left out when empty.
    Raises ``UsageError`` for no audience, or where ``extra`` would replace one of these claims.
    """
    if not audience:
        raise UsageError("an access token needs an audience: the resource it is for, such as 'https://api.example'")
    claims: dict[str, Any] = {
        "iss": issuer,
        "exp": now + lifetime,
        "aud": audience[0] if len(audience) == 1 else list(audience),
        "sub": subject,
        "client_id": client_id,
        "iat": now,
        "jti": jti,
    }
    if granted := " ".join(sorted(scope)):
        claims["scope"] = granted
    if not claims.keys().isdisjoint(extra):
        raise UsageError(f"extra claims may not replace {', '.join(sorted(claims.keys() & extra.keys()))}")
    claims.update(extra)
    return claims


@lru_cache(maxsize=256)
def scopes(text: str) -> frozenset[str]:
    """The names in ``scope``; an issuer's tokens share few lists of them."""
    return frozenset(filter(None, text.split(" ")))


class NotWhole(ValueError):
    """A claim is missing or of the wrong kind; the message names it."""


def read(
    claims: Mapping[str, Any],
    required: Iterable[str] = REQUIRED,
    *,
    sent: Mapping[str, Any] | None = None,
    is_machine: bool | None = None,
) -> AccessToken:
    """The claims as typed values; ``sent`` as they came, where ``claims`` are in other words already. Raises ``NotWhole``:
    one that is required is missing or empty, or of another kind than its specification says (RFC 7519 §4.1, RFC 9068
    §2.2)."""
    return whole(claims, shape(tuple(required)), sent, is_machine)


class Shape(Value, frozen=True, gc=False):
    """The claims that have to be there: their names, and a kind of ``Said`` that has none without them.

    ``others`` are among them that no specification gives a kind.
    """

    required: tuple[str, ...]
    kind: type[Said]
    others: tuple[str, ...]


@lru_cache(maxsize=64)
def shape(required: tuple[str, ...]) -> Shape:
    """What has to be there, prepared once: reading is then one step, and no look at each name."""
    known = {one.name: _PRESENT[one.type] for one in msgspec.structs.fields(Said) if one.type in _PRESENT}
    strict = [(name, known[name]) for name in required if name in known]
    kind = msgspec.defstruct("Whole", strict, bases=(Said,), frozen=True, gc=False, kw_only=True)
    return Shape(required, cast("type[Said]", kind), tuple(name for name in required if name not in known))


def whole(
    claims: Mapping[str, Any], shape: Shape, sent: Mapping[str, Any] | None = None, is_machine: bool | None = None
) -> AccessToken:
    """``read`` for whoever reads many tokens of one shape."""
    try:
        said = msgspec.convert(claims, shape.kind)
    except (msgspec.ValidationError, OverflowError):
        said = _said(claims, shape.required)
    if shape.others:
        _refuse_empty(claims, shape.others)
    words = MappingProxyType(claims)
    machine = said.sub == said.client_id if is_machine is None else is_machine
    return AccessToken(said, words if sent is None else MappingProxyType(sent), words, machine)


def _said(claims: Mapping[str, Any], required: Iterable[str]) -> Said:
    """The same step by step: what is missing is named, fractions of seconds are dropped (RFC 7519 §2). Raises ``NotWhole``."""
    _refuse_empty(claims, required)
    try:
        whole_seconds = {name: int(claims[name]) for name in _TIMES if type(claims.get(name)) is float}
        return msgspec.convert({**claims, **whole_seconds}, Said)
    except (msgspec.ValidationError, OverflowError, ValueError) as error:
        raise NotWhole(str(error)) from None


def _refuse_empty(claims: Mapping[str, Any], required: Iterable[str]) -> None:
    for name in required:
        if not claims.get(name):
            raise NotWhole(f"claim {name!r} is {'empty' if name in claims else 'missing'}")


_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Texts = Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
_PRESENT: Mapping[Any, Any] = {
    str: _Text,
    int: Annotated[int, msgspec.Meta(gt=0)],
    str | tuple[str, ...]: _Text | _Texts,
}
"""Kinds of claims, and the same that are not empty. What is only unusual, such as a time before 1970, is read by ``_said``."""
_TIMES = ("exp", "iat", "nbf", "auth_time")
