"""The decision itself: a token, what is needed and the time go in; Verified or Refused come out.

Pure but for one thing it may need midway: an issuer's keys. For those it yields a ``Question`` and is sent the time
it is by then, so that one text serves threads and coroutines alike (``Guard`` drives it).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from innkeeper.guard.issuers.preset import Preset, as_sent
from innkeeper.guard.keys import Keys, KeyShelf
from innkeeper.guard.scopes import SCOPE_CHECKS, Implications, Reach
from innkeeper.keys import jws
from innkeeper.keys.jwk import VerifyingKey
from innkeeper.protocol.refusals import Refusal
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.tokens.access import AccessToken, NotWhole, read
from innkeeper.tokens.trail import Check, Trail, follow
from innkeeper.tokens.verification import (
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
    """What a guard was built with: its issuers' key shelves by issuer, and what every token is held to.

    ``families`` are the shelves of providers with many issuers and one set of keys.
    """

    shelves: Mapping[str, KeyShelf]
    trusted: tuple[str, ...]
    audiences: frozenset[str]
    implications: Implications
    leeway: float
    families: tuple[KeyShelf, ...] = ()

    def shelf_of(self, issuer: object) -> KeyShelf | None:
        """The keys of whoever writes itself so in ``iss``; None for an issuer that is not trusted."""
        if type(issuer) is not str:
            return None
        found = self.shelves.get(issuer)
        if found is None and self.families:
            return next((one for one in self.families if one.reads(issuer)), None)
        return found


class Believed(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A token whose signature is valid, as it may be remembered: with the keys that vouch for it.

    ``held`` are its scopes with all they imply; from ``since`` until before ``until`` the time checks pass.
    """

    presented: Presented
    token: AccessToken
    shelf: KeyShelf
    keys: Keys
    held: frozenset[str]
    since: float
    until: float


class Verified:
    """A token that passed every check, and the trail of them (drawn when it is asked for)."""

    __slots__ = ("_known", "_needed", "_now", "_rules", "token")

    def __init__(self, known: Believed, needed: frozenset[str], rules: Rules, now: float) -> None:
        self.token = known.token
        self._known = known
        self._needed = needed
        self._rules = rules
        self._now = now

    @property
    def trail(self) -> Trail:
        """Every check that was made. The same values give the same trail, so it is not kept, but drawn anew."""
        return recalled(self._known, self._needed, self._rules, self._now)

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


Decision: TypeAlias = Generator[Question, float, "tuple[Verified, Believed] | Refused"]


def deciding(token: str | bytes, needed: frozenset[str], rules: Rules, now: float) -> Decision:
    """Decide about one token. With a yes comes what may be remembered of it.

    A yes is told by a few comparisons (``passes``), a no by making the checks one by one until one refuses. The
    checks are the law: the comparisons say yes exactly where every check passes, which a test proves.
    """
    try:
        parsed = jws.parse(token)
        claims = read_object(parsed.claims)
    except (jws.NotAToken, NotStrict) as error:
        return refused(drawn(_unreadable(error, rules), None, needed, rules, now), needed)
    shelf = rules.shelf_of(claims.get("iss"))
    if shelf is None:
        return refused(drawn(Presented(parsed.header, claims, rules.trusted), None, needed, rules, now), needed)
    fitting = shelf.fitting(parsed.header_b64, now)
    if fitting is None:
        opening = follow(ABOUT, _opening(shelf), _judged(parsed, claims, shelf, None, rules))
        if opening.refusal:
            return refused(opening, needed)
        kid, alg = parsed.header.get("kid"), parsed.header["alg"]
        if shelf.should_fetch(kid, alg, now):
            now = yield Question(shelf, shelf.tried_at)
        usable = shelf.usable(now)
        fitting = usable.fitting(kid, alg) if usable else None
    presented = _judged(parsed, claims, shelf, fitting, rules)
    said, keys = presented.token, shelf.keys
    if type(said) is not AccessToken or keys is None:
        return refused(drawn(presented, shelf, needed, rules, now), needed)
    since, until = window(said, rules.leeway)
    known = Believed(presented, said, shelf, keys, rules.implications.of(said.scope), since, until)
    if not passes(known, needed, rules, now):
        return refused(drawn(presented, shelf, needed, rules, now), needed)
    shelf.remember(parsed.header_b64, fitting)
    return Verified(known, needed, rules, now), known


def passes(known: Believed, needed: frozenset[str], rules: Rules, now: float) -> bool:
    """Whether a token with a valid signature and an accepted header passes all the other checks, too."""
    checks = known.shelf.preset.checks
    return (
        known.since <= now < known.until
        and not rules.audiences.isdisjoint(known.token.aud)
        and needed <= known.held
        and known.token.cnf is None
        and (not checks or not any(type(one.judge(known.presented)) is Refusal for one in checks))
    )


def drawn(presented: Presented, shelf: KeyShelf | None, needed: frozenset[str], rules: Rules, now: float) -> Trail:
    """Every check in order until one refuses: the trail of a decision. The same values give the same trail."""
    trail = follow(ABOUT, _opening(shelf), presented)
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


def _opening(shelf: KeyShelf | None) -> Sequence[Check[Presented]]:
    """The checks that need no key."""
    return (*PRESENTED_CHECKS, *shelf.preset.early) if shelf and shelf.preset.early else PRESENTED_CHECKS


def _unreadable(error: ValueError, rules: Rules) -> Presented:
    about = "" if isinstance(error, jws.NotAToken) else "claims: "
    return Presented(_EMPTY, _EMPTY, rules.trusted, unreadable=f"{about}{error}")


def _judged(
    parsed: jws.Parsed, claims: Mapping[str, Any], shelf: KeyShelf, fitting: list[VerifyingKey] | None, rules: Rules
) -> Presented:
    """The token with what its signature turned out to be and, where that is valid, what it says."""
    preset = shelf.preset
    signature, signer = _signature(parsed, fitting)
    if signer is None:
        obstacle = "" if fitting else shelf.failure
        return Presented(parsed.header, claims, rules.trusted, preset.expected, "", signature, obstacle)
    said = _said(claims, preset)
    return Presented(parsed.header, claims, rules.trusted, preset.expected, "", signature, "", said, signer.issuer)


def _said(claims: Mapping[str, Any], preset: Preset) -> AccessToken | str:
    """What a token with a valid signature says, or why that cannot be told."""
    required = preset.expected.required
    try:
        if preset.spell is as_sent:
            return read(claims, required)
        is_machine = preset.is_machine(claims) if preset.is_machine else None
        return read(preset.spell(claims), required, sent=claims, is_machine=is_machine)
    except NotWhole as error:
        return str(error)


def _signature(parsed: jws.Parsed, fitting: list[VerifyingKey] | None) -> tuple[Signature, VerifyingKey | None]:
    if not fitting:
        return ("keys out of reach" if fitting is None else "no key"), None
    for one in fitting:
        if jws.verify(parsed, one.key, parsed.header["alg"]):
            return "valid", one
    return "invalid", None


_EMPTY: Mapping[str, Any] = {}
