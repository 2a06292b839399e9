"""Are the token's scopes enough: what is needed, what is held, and what holding one scope implies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from innkeeper.protocol.errors import INSUFFICIENT_SCOPE
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.values import Value
from innkeeper.tokens.trail import Check, Seen, check

SCOPE_MISSING = Page(
    "IK523",
    INSUFFICIENT_SCOPE,
    "The token's scopes are not enough",
    "The token is good, but was not granted every scope that this request needs.",
    "Ask for a token with all the scopes in the challenge, beside those it has already.",
    "The request needs more scope than the access token has.",
    403,
)


class Reach(Value, frozen=True, gc=False):
    """How far a token reaches: the scopes it holds, with all they imply, and those a request needs."""

    held: frozenset[str]
    needed: frozenset[str]


@check("RFC 6750 §3.1")
def scopes_are_enough(case: Reach) -> Seen | Refusal:
    """Every scope the request needs must be held, by name or because a held one implies it."""
    missing = case.needed - case.held
    if missing:
        return Refusal(SCOPE_MISSING, f"{_words(missing)} is missing", _words(case.needed), _words(case.held))
    return Seen(_words(case.held), _words(case.needed))


SCOPE_CHECKS: tuple[Check[Reach], ...] = (scopes_are_enough,)


class Implications:
    """What each scope implies, implied ones' implications included."""

    def __init__(self, implies: Mapping[str, Iterable[str]]) -> None:
        self._direct = {scope: frozenset(implied) for scope, implied in implies.items()}
        self._closed = {scope: self._reachable(scope) for scope in self._direct}

    def of(self, scopes: frozenset[str]) -> frozenset[str]:
        """``scopes`` and all they imply."""
        if not self._closed or self._closed.keys().isdisjoint(scopes):
            return scopes
        return scopes.union(*(self._closed[scope] for scope in scopes if scope in self._closed))

    def _reachable(self, scope: str) -> frozenset[str]:
        seen: set[str] = set()
        ahead = [scope]
        while ahead:
            new = self._direct.get(ahead.pop(), frozenset()) - seen
            seen |= new
            ahead += new
        return frozenset(seen)


def _words(scopes: Iterable[str]) -> str:
    return " ".join(sorted(scopes)) or "none"
