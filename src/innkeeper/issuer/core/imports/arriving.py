"""People and clients on their way here, and what they leave behind. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from innkeeper.protocol.redirects import why_not_registrable

Document = Mapping[str, Any]


class Newcomer(msgspec.Struct, frozen=True, kw_only=True):
    """A person. ``password`` is a stored hash of a kind that can be verified here, "" where none came along."""

    sub: str
    username: str
    password: str = ""
    claims: dict[str, Any] = {}
    created_at: int = 0
    disabled: bool = False


class Joining(msgspec.Struct, frozen=True, kw_only=True):
    """A client. ``secret`` is its secret in the clear, "" where none came along."""

    id: str
    name: str
    public: bool = False
    secret: str = ""
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()


class Left(msgspec.Struct, frozen=True):
    """Something that stays behind, and why."""

    what: str
    why: str


class Arrivals(msgspec.Struct, frozen=True):
    """Everything that an export holds."""

    people: tuple[Newcomer, ...] = ()
    clients: tuple[Joining, ...] = ()
    left: tuple[Left, ...] = ()


def sorted_out(found: Iterable[Newcomer | Joining | Left]) -> Arrivals:
    """What was found, by kind."""
    everything = tuple(found)
    return Arrivals(
        tuple(one for one in everything if isinstance(one, Newcomer)),
        tuple(one for one in everything if isinstance(one, Joining)),
        tuple(one for one in everything if isinstance(one, Left)),
    )


def texts(value: object) -> tuple[str, ...]:
    """The texts in a list; nothing where it is none."""
    return tuple(one for one in value if isinstance(one, str) and one) if isinstance(value, list) else ()


def text(value: object) -> str:
    """The text; "" where it is none."""
    return value if isinstance(value, str) else ""


def registrable(owner: str, uris: Iterable[str]) -> Iterator[str | Left]:
    """Each redirect URI that may be registered here, and a sentence for each that may not."""
    for uri in uris:
        why = (
            "it has a wildcard; here addresses are compared letter by letter"
            if "*" in uri
            else why_not_registrable(uri)
        )
        yield Left(f"{owner}: redirect URI {uri!r}", why) if why else uri


def kept(found: Iterable[str | Left]) -> tuple[str, ...]:
    """The texts of such a list."""
    return tuple(one for one in found if isinstance(one, str))


def behind(found: Iterable[str | Left]) -> tuple[Left, ...]:
    """The sentences of such a list."""
    return tuple(one for one in found if isinstance(one, Left))
