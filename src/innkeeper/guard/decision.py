"""The decision itself: a token, what is needed and the time go in; Verified or Refused come out.

Pure but for one thing it may need midway: an issuer's keys. For those it yields a ``Question`` and is sent the time
it is by then, so that one text serves threads and coroutines alike (``Guard`` drives it).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import Any, TypeAlias

import msgspec

from innkeeper.guard.keys import Keys, KeyShelf
from innkeeper.guard.scopes import SCOPE_CHECKS, Implications, Reach
from innkeeper.keys import jws
from innkeeper.protocol.refusals import Refusal
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.tokens.access import AccessToken, NotWhole, read
from innkeeper.tokens.trail import Trail, follow
from innkeeper.tokens.verification import (
    NOBODY,
    PRESENTED_CHECKS,
    SIGNED_CHECKS,
    USE_CHECKS,
    Presented,
    Signature,
    Use,
    window,
)

ABOUT = "guard"


class Rules(msgspec.Struct, frozen=True):
    """What a guard was built with: its issuers' key shelves by issuer, and what every token is held to."""

    shelves: Mapping[str, KeyShelf]
    audiences: frozenset[str]
    implications: Implications
    leeway: float


class Verified:
    """A token that passed every check, and the trail of them (drawn when it is asked for)."""

    __slots__ = ("_trail", "token")

    def __init__(self, token: AccessToken, trail: Trail | Callable[[], Trail]) -> None:
        self.token = token
        self._trail = trail

    @property
    def trail(self) -> Trail:
        if not isinstance(self._trail, Trail):
            self._trail = self._trail()
        return self._trail

    def __repr__(self) -> str:
        return f"<Verified {self.token.sub!r} by {self.token.client_id!r} from {self.token.iss}>"


class Refused(msgspec.Struct, frozen=True):
    """No: why, after which checks, and the scopes the request would have needed."""

    refusal: Refusal
    trail: Trail
    needed: frozenset[str] = frozenset()

    @property
    def status(self) -> int:
        return self.refusal.page.status


class Question(msgspec.Struct, frozen=True):
    """Read this shelf's keys (again), unless someone did since ``tried_at``; then send the time."""

    shelf: KeyShelf
    tried_at: float


class Believed(msgspec.Struct, frozen=True, eq=False):
    """A token whose signature is valid, as it may be remembered: with the keys that vouch for it."""

    presented: Presented
    token: AccessToken
    shelf: KeyShelf
    keys: Keys


Decision: TypeAlias = Generator[Question, float, "tuple[Verified, Believed] | Refused"]


def deciding(token: str | bytes, needed: frozenset[str], rules: Rules, now: float) -> Decision:
    """Decide about one token. With a yes comes what may be remembered of it.

    A yes is told by a few comparisons (``passes``), a no by making the checks one by one until one refuses. The
    checks are the law: the comparisons say yes exactly where every check passes, which a test proves.
    """
    presented, parsed = _taken_apart(token, rules)
    shelf = rules.shelves.get(presented.expected.issuer)
    if parsed is None or shelf is None:
        return refused(drawn(presented, None, needed, rules, now), needed)
    fitting = shelf.fitting(parsed.header_b64, now)
    if fitting is None:
        opening = follow(ABOUT, PRESENTED_CHECKS, presented)
        if opening.refusal:
            return refused(opening, needed)
        kid, alg = parsed.header.get("kid"), parsed.header["alg"]
        if shelf.should_fetch(kid, alg, now):
            now = yield Question(shelf, shelf.tried_at)
        usable = shelf.usable(now)
        fitting = usable.fitting(kid, alg) if usable else None
    presented = _judged(presented, parsed, shelf, fitting)
    said, keys = presented.token, shelf.keys
    if keys is None or not isinstance(said, AccessToken) or not passes(presented, said, shelf, needed, rules, now):
        return refused(drawn(presented, shelf, needed, rules, now), needed)
    if parsed.header_b64 not in shelf.opened:
        shelf.remember(parsed.header_b64, fitting or [])
    known = Believed(presented, said, shelf, keys)
    return Verified(said, partial(recalled, known, needed, rules, now)), known


def passes(
    presented: Presented,
    token: AccessToken,
    shelf: KeyShelf,
    needed: frozenset[str],
    rules: Rules,
    now: float,
) -> bool:
    """Whether a token with a valid signature and an accepted header passes all the other checks, too."""
    since, until = window(token, rules.leeway)
    return (
        since <= now < until
        and not rules.audiences.isdisjoint(token.aud)
        and needed <= rules.implications.of(token.scope)
        and not any(type(one.judge(presented)) is Refusal for one in shelf.preset.checks)
    )


def drawn(presented: Presented, shelf: KeyShelf | None, needed: frozenset[str], rules: Rules, now: float) -> Trail:
    """Every check in order until one refuses: the trail of a decision. The same values give the same trail."""
    trail = follow(ABOUT, PRESENTED_CHECKS, presented)
    if not trail.refusal and shelf:
        trail = trail.then(follow(ABOUT, (*SIGNED_CHECKS, *shelf.preset.checks), presented))
    token = presented.token
    if trail.refusal or not isinstance(token, AccessToken):
        return trail
    trail = trail.then(follow(ABOUT, USE_CHECKS, Use(token, rules.audiences, now, rules.leeway)))
    if trail.refusal:
        return trail
    return trail.then(follow(ABOUT, SCOPE_CHECKS, Reach(rules.implications.of(token.scope), needed)))


def recalled(known: Believed, needed: frozenset[str], rules: Rules, now: float) -> Trail:
    """The trail of a token that is remembered."""
    return drawn(known.presented, known.shelf, needed, rules, now)


def refused(trail: Trail, needed: frozenset[str]) -> Refused:
    """The no that a trail ended in."""
    refusal = trail.refusal
    if refusal is None:
        raise AssertionError("a trail in which all checks passed refuses nobody")
    return Refused(refusal, trail, needed)


def _taken_apart(token: str | bytes, rules: Rules) -> tuple[Presented, jws.Parsed | None]:
    trusted = tuple(rules.shelves)
    try:
        parsed = jws.parse(token)
        claims = read_object(parsed.claims)
    except jws.NotAToken as error:
        return Presented(_EMPTY, _EMPTY, trusted, unreadable=str(error)), None
    except NotStrict as error:
        return Presented(_EMPTY, _EMPTY, trusted, unreadable=f"claims: {error}"), None
    issuer = claims.get("iss")
    shelf = rules.shelves.get(issuer) if isinstance(issuer, str) else None
    return Presented(parsed.header, claims, trusted, shelf.preset.expected if shelf else NOBODY), parsed


def _judged(
    presented: Presented, parsed: jws.Parsed, shelf: KeyShelf, fitting: list[jws.PublicKey] | None
) -> Presented:
    """The token again, with what its signature turned out to be and, where that is valid, what it says."""
    signature = _signature(parsed, fitting)
    said: AccessToken | str = ""
    if signature == "valid":
        try:
            said = read(shelf.preset.spell(presented.claims), presented.expected.required)
        except NotWhole as error:
            said = str(error)
    return Presented(
        presented.header,
        presented.claims,
        presented.trusted,
        presented.expected,
        "",
        signature,
        "" if fitting else shelf.failure,
        said,
    )


def _signature(parsed: jws.Parsed, fitting: list[jws.PublicKey] | None) -> Signature:
    if not fitting:
        return "keys out of reach" if fitting is None else "no key"
    for key in fitting:
        if jws.verify(parsed, key, parsed.header["alg"]):
            return "valid"
    return "invalid"


_EMPTY: Mapping[str, Any] = {}
