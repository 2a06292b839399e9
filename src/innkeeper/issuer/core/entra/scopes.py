"""What a scope parameter asks for: OpenID words, and one or several resources with scopes or .default."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.entra.names import GRAPH_URL

OPENID, PROFILE, EMAIL, OFFLINE = "openid", "profile", "email", "offline_access"
OPENID_WORDS = frozenset({OPENID, PROFILE, EMAIL, OFFLINE})
DEFAULT = ".default"


class Wish(msgspec.Struct, frozen=True):
    """What is asked of one resource, by the name that the request gave it. ``values`` may hold ``.default``."""

    resource: str
    values: tuple[str, ...]
    bare: bool = False
    """Whether the request named no resource, and so meant Microsoft Graph."""

    @property
    def default(self) -> bool:
        return DEFAULT in self.values

    def spelt(self) -> tuple[str, ...]:
        """The scopes as answers spell them: with the resource before them."""
        return tuple(spelt(self.resource, one) for one in self.values)


class Wishes(msgspec.Struct, frozen=True):
    """A whole scope parameter."""

    openid: frozenset[str] = frozenset()
    resources: tuple[Wish, ...] = ()


def spelt(resource: str, value: str) -> str:
    return f"{resource}/{value}"


def wishes(text: str | None, resource: str = "") -> Wishes:
    """A scope parameter taken apart. ``resource`` is the version 1 endpoints' own parameter.

    ``https://api.example//.default`` is .default of ``https://api.example/``: the last slash is the one between.
    """
    words = (text or "").split()
    if resource:
        return Wishes(frozenset(words) & OPENID_WORDS, (Wish(resource, (DEFAULT,)),))
    found: dict[str, dict[str, None]] = {}
    bare = set()
    for word in words:
        if word in OPENID_WORDS:
            continue
        name, slash, value = word.rpartition("/")
        if not slash:
            name, value = GRAPH_URL, word
            bare.add(name)
        found.setdefault(name, {})[value] = None
    return Wishes(
        frozenset(words) & OPENID_WORDS,
        tuple(Wish(name, tuple(values), name in bare) for name, values in found.items()),
    )
