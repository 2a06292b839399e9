"""Access tokens as signed JWTs: what they say, how they are built and read (RFC 9068).

Whether one may be believed is asked in ``tokens.verification``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import msgspec

from innkeeper.protocol.refusals import UsageError

TYPE = "at+jwt"
REQUIRED = ("iss", "exp", "aud", "sub", "client_id", "iat", "jti")
"""The claims every access token has (§2.2), in the order they are written."""


class AccessToken(msgspec.Struct, frozen=True, gc=False):
    """What a checked access token says. Times are whole seconds since 1970, 0 where a claim is absent.

    ``claims`` holds every claim as it was sent, the ones above and the ones nobody here knows; ``words`` the same in the
    words of RFC 9068, where the issuer has others. ``is_machine``: the client acts for itself, no person behind it (§5).
    """

    iss: str
    sub: str
    aud: tuple[str, ...]
    client_id: str
    exp: int
    iat: int
    nbf: int
    jti: str
    scope: frozenset[str]
    auth_time: int
    acr: str
    amr: tuple[str, ...]
    cnf: Mapping[str, Any] | None
    act: Mapping[str, Any] | None
    claims: Mapping[str, Any]
    words: Mapping[str, Any]
    is_machine: bool

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
def _scopes(text: str) -> frozenset[str]:
    """The names in ``scope``; an issuer's tokens share few lists of them."""
    return frozenset(filter(None, text.split(" ")))


class NotWhole(ValueError):
    """A claim is missing or of the wrong kind; the message names it."""


class _Claims(msgspec.Struct, frozen=True, gc=False):
    iss: str
    exp: int
    sub: str = ""
    aud: str | tuple[str, ...] = ()
    client_id: str = ""
    iat: int = 0
    nbf: int = 0
    jti: str = ""
    scope: str = ""
    auth_time: int = 0
    acr: str = ""
    amr: tuple[str, ...] = ()
    cnf: dict[str, Any] | None = None
    act: dict[str, Any] | None = None


_TIMES = ("exp", "iat", "nbf", "auth_time")


def _whole_seconds(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    """The claims without the fractions of seconds that times may have (RFC 7519 §2). Hardly any token has them."""
    return {**claims, **{name: int(claims[name]) for name in _TIMES if type(claims.get(name)) is float}}


def _converted(claims: Mapping[str, Any]) -> _Claims:
    try:
        return msgspec.convert(claims, _Claims)
    except msgspec.ValidationError:
        return msgspec.convert(_whole_seconds(claims), _Claims)


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
    if not all(map(claims.get, required)):
        name = next(one for one in required if not claims.get(one))
        raise NotWhole(f"claim {name!r} is {'empty' if name in claims else 'missing'}")
    try:
        said = _converted(claims)
        aud = said.aud
        words = MappingProxyType(claims)
        return AccessToken(
            said.iss,
            said.sub,
            (aud,) if type(aud) is str else aud,  # type: ignore[arg-type]
            said.client_id,
            said.exp,
            said.iat,
            said.nbf,
            said.jti,
            _scopes(said.scope),
            said.auth_time,
            said.acr,
            said.amr,
            said.cnf,
            said.act,
            words if sent is None else MappingProxyType(sent),
            words,
            said.sub == said.client_id if is_machine is None else is_machine,
        )
    except (msgspec.ValidationError, OverflowError, ValueError) as error:
        raise NotWhole(str(error)) from None
