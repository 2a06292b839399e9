"""What is going on: the request that is being answered, as those see it who count, log and keep the books.

Whoever answers a request opens a matter; what is decided and changed on the way is noted in it, and so is whom it concerns.
A matter travels with its task and is nobody else's. Nothing secret is ever noted: ids, names of scopes, numbers, trails.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar

from innkeeper.issuer.core.admin.plan import Difference
from innkeeper.issuer.core.effects import Effect
from innkeeper.tokens.trail import Trail


class Matter:
    """One request, or one command. ``what`` is its endpoint, ``network`` the address that it came from."""

    __slots__ = (
        *("actor", "by", "changes", "client", "edits", "grant", "network", "over", "parent", "realm", "subject"),
        *("token", "trails", "what"),
    )

    def __init__(self, what: str, network: str = "") -> None:
        self.what = what
        self.network = network
        self.realm = ""
        self.client = ""
        self.subject = ""
        self.grant = ""
        self.actor = ""
        self.parent = ""
        self.token = ""
        self.trails: list[Trail] = []
        self.changes: list[Effect | str] = []
        self.edits: list[Difference] = []
        self.by = ""
        self.over = False


current: ContextVar[Matter | None] = ContextVar("innkeeper_matter", default=None)


def concerns(
    realm: str,
    *,
    client: str | None = "",
    subject: str | None = "",
    grant: str = "",
    actor: str = "",
    parent: str = "",
    token: str = "",
) -> None:
    """Note whom the matter at hand concerns, as far as that is known by now. ``actor`` are those who come to act, ``parent``
    the jti of the token that they show for it, ``token`` that of the new one."""
    matter = current.get()
    if matter is None:
        return
    matter.realm = realm
    if client:
        matter.client = client
    if subject:
        matter.subject = subject
    if grant:
        matter.grant = grant
    if actor:
        matter.actor, matter.parent = actor, parent
    if token:
        matter.token = token


def administered(by: str = "", what: str = "") -> None:
    """Note who administers, and what they ask for."""
    matter = current.get()
    if matter is not None:
        matter.by, matter.what = by or matter.by, what or matter.what


def edited(what: str, differences: Iterable[Difference]) -> None:
    """Note what an administrator changed, value by value. No secret is in a difference."""
    matter = current.get()
    if matter is not None:
        matter.changes.append(what)
        matter.edits.extend(differences)
