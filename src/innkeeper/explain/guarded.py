"""A guard as a reader: its own checks, and what else it would have said of a token that was only too old."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from innkeeper.explain.mending import Kind, Situation, mends
from innkeeper.explain.verdicts import Verdict
from innkeeper.guard.decision import Refused
from innkeeper.guard.fetching import FetchBlocking, fetch_blocking
from innkeeper.guard.guard import Guard
from innkeeper.guard.issuers.preset import Preset
from innkeeper.guard.scopes import SCOPE_CHECKS, Implications, Reach
from innkeeper.guard.unverified import UnverifiedToken
from innkeeper.protocol.exchange import Reply, json_reply
from innkeeper.protocol.well_known import issuer_documents
from innkeeper.tokens.access import read
from innkeeper.tokens.trail import Check, Seen, Step, Trail, follow, made_of
from innkeeper.tokens.verification import BOUND, EXPIRED, TOKEN_CHECKS, audience_is_this_api

Building = Callable[..., Guard]
"""Makes the guard; called with ``clock`` and ``fetch_blocking``."""


class Reading(msgspec.Struct, frozen=True):
    """How a guard is to read one token: who it is, what it trusts, which scopes the request needs.

    ``build`` makes the guard; ``implies`` is what scopes include there. ``unnamed``: nobody said which API this is, so the
    token's own audience stands in.
    """

    reader: str
    presets: tuple[Preset, ...]
    audiences: tuple[str, ...]
    build: Building
    scopes: tuple[str, ...] = ()
    kind: Kind = "guard"
    unnamed: bool = False
    implies: Mapping[str, Any] = MappingProxyType({})
    by_issuer: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """The API's names where each issuer has its own."""
    checks: tuple[Check[Any], ...] = ()
    """All that it would make, where that is not what is made of a JWT."""

    def audience_for(self, issuer: object) -> str:
        """The name that a token of this issuer should have for the API."""
        own = self.by_issuer.get(issuer, ()) if isinstance(issuer, str) else ()
        return (own or self.audiences)[0]


def plainly(preset: Preset, audience: str | None, scopes: Iterable[str], said: UnverifiedToken) -> Reading:
    """The reading of an API that trusts one issuer. Without ``audience`` the token's own counts, and is not asked."""
    audiences = audiences_of(audience, said.claims)

    def build(**world: Any) -> Guard:
        return Guard(preset, audiences, remembered=0, **world)

    reader = f"{audience or 'an API'}, which trusts {preset.issuer}"
    return Reading(reader, (preset,), audiences, build, tuple(scopes), unnamed=not audience)


def audiences_of(audience: str | None, claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The API's name or, where nobody said it, those that the token names itself."""
    own = claims.get("aud")
    names = (audience,) if audience else tuple(str(one) for one in (own if isinstance(own, list) else [own]) if one)
    return names or ("(none named)",)


def judged(
    reading: Reading,
    text: str,
    said: UnverifiedToken,
    *,
    keys: Mapping[str, Any] | None = None,
    clock: Callable[[], float] = time.time,
) -> Verdict:
    """What the guard makes of the token. ``keys`` are the issuer's where they are not to be fetched."""
    fetch = _instead(reading.presets, keys) if keys is not None else fetch_blocking
    outcome = reading.build(clock=clock, fetch_blocking=fetch).verify_blocking(text, reading.scopes)
    verdict = Verdict(reading.reader, outcome.trail, _checks(reading), _unasked(reading))
    if isinstance(outcome, Refused) and outcome.refusal.page is BOUND:
        verdict = _with_proof_to_come(verdict, reading, said)
    if isinstance(outcome, Refused) and outcome.refusal.page is EXPIRED:
        verdict = msgspec.structs.replace(verdict, afterwards=_younger(reading, text, said, fetch))
    expected = {
        "issuer": reading.presets[0].issuer,
        "audience": reading.audience_for(said.claims.get("iss")),
        "scope": " ".join(reading.scopes),
    }
    situation = Situation(said.header, said.claims, reading.kind, expected)
    return msgspec.structs.replace(verdict, mends=mends(situation, verdict.refusals))


def _with_proof_to_come(verdict: Verdict, reading: Reading, said: UnverifiedToken) -> Verdict:
    """A bound token is good with its holder's proof, which goes with a request and not with the token: not asked here."""
    bound = verdict.trail.steps[-1]
    seen = Seen(f"bound by {', '.join(said.claims['cnf'])}: each request must prove it")
    held = frozenset(read(said.claims, ()).scope)
    reach = Reach(Implications(reading.implies).of(held), frozenset(reading.scopes))
    steps = (*verdict.trail.steps[:-1], Step(bound.check, seen))
    trail = made_of(verdict.trail.about, steps).then(follow(verdict.trail.about, SCOPE_CHECKS, reach))
    return msgspec.structs.replace(verdict, trail=trail, unasked=verdict.unasked | {bound.check.name})


def _younger(reading: Reading, text: str, said: UnverifiedToken, fetch: FetchBlocking) -> Trail:
    """The checks once more as if in the token's last second: the ones that its age kept from being made."""
    last = float(said.claims["exp"]) - 1
    trail = reading.build(clock=lambda: last, fetch_blocking=fetch).verify_blocking(text, reading.scopes).trail
    names = [step.check.name for step in trail.steps]
    place = names.index("token has not expired") + 1
    return made_of(trail.about, trail.steps[place:])


def _checks(reading: Reading) -> tuple[Any, ...]:
    if reading.checks:
        return reading.checks
    every = [each for one in reading.presets for each in one.everyone()]
    own = dict.fromkeys(check for one in every for check in (*one.early, *one.checks))
    return (*TOKEN_CHECKS, *own, *SCOPE_CHECKS)


def _unasked(reading: Reading) -> frozenset[str]:
    audience = {audience_is_this_api.name} if reading.unnamed else set()
    scopes = set() if reading.scopes else {one.name for one in SCOPE_CHECKS}
    return frozenset(audience | scopes)


def _instead(presets: tuple[Preset, ...], keys: Mapping[str, Any]) -> FetchBlocking:
    """The world as the keys in a file make it: every issuer publishes them."""
    every = [each for one in presets for each in one.everyone()]
    owners = {url: one.issuer for one in every for url in one.documents or issuer_documents(one.issuer)}

    def fetch(url: str) -> Reply:
        if url in owners:
            return json_reply({"issuer": owners[url], "jwks_uri": "https://keys.invalid/"})
        return json_reply({"keys": keys["keys"]})

    return fetch
