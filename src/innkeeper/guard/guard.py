"""The guard: built once with the issuers it trusts and the API it stands before, then asked about every token."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TypeVar

from innkeeper.guard.challenge import Door, challenge, unexplained
from innkeeper.guard.credentials import CREDENTIAL_CHECKS, Credentials
from innkeeper.guard.decision import (
    ABOUT,
    Believed,
    Question,
    Refused,
    Rules,
    Verified,
    deciding,
    recalled,
    refused,
)
from innkeeper.guard.fetching import Fetch, FetchBlocking, fetch, fetch_blocking
from innkeeper.guard.issuers.found import preset_for
from innkeeper.guard.issuers.preset import Preset
from innkeeper.guard.keys import ORDINARY, Freshness, Keys, KeyShelf, reading
from innkeeper.guard.memory import Memory
from innkeeper.guard.scopes import Implications
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.refusals import Refusal, Unreachable, UsageError
from innkeeper.tokens.trail import Observer, follow, unobserved
from innkeeper.tokens.verification import LEEWAY

Outcome = TypeVar("Outcome", bound=Verified | Refused)


class Guard:
    """Verifies access tokens for one API, in coroutines (``verify``) and in threads (``verify_blocking``) alike."""

    def __init__(
        self,
        issuer: str | Preset | Iterable[str | Preset],
        audience: str | Iterable[str],
        *,
        resource: str | None = None,
        scopes_supported: Iterable[str] = (),
        implies: Mapping[str, Iterable[str]] = MappingProxyType({}),
        leeway: float = LEEWAY,
        freshness: Freshness = ORDINARY,
        remembered: int = 4096,
        observe: Observer = unobserved,
        explain: Callable[[Refusal], str | None] = unexplained,
        clock: Callable[[], float] = time.time,
        fetch: Fetch = fetch,
        fetch_blocking: FetchBlocking = fetch_blocking,
    ) -> None:
        """A guard. Raises ``UsageError`` where it would not be safe, or could not work.

        ``issuer``: whose tokens are good, as they write themselves in ``iss``; several may be given. From a string the
        preset is found (``issuers.found``): Cognito, Entra, Google, Okta, Auth0 and Keycloak are known by how they write
        themselves, all others are held to RFC 9068. A preset can always be named, such as ``oidc("https://i.example")``.
        ``audience``: this API's name in ``aud``. There is no default and no way around it: a guard without an
        audience lets in every token the issuer ever made for anyone.
        ``resource``: the URL under which this API is known, published with its metadata (RFC 9728); by default the
        audience, where that is a URL. ``scopes_supported`` are published there.
        ``implies``: what a scope includes, such as ``{"hotel:all": ["gym:enter", "pool:enter"]}``.
        ``leeway``: seconds clocks may differ, 30: see ``tokens.verification.LEEWAY``; at most 300.
        ``remembered``: how many verified tokens are kept to save signature checks; 4096 take about 12 MB.
        ``observe`` is called with the trail of every decision. ``explain`` gives, in development, a link to a
        refusal's reasons; it is sent along as ``error_uri``.
        """
        presets = _presets(issuer)
        audiences = _names(audience)
        for one in presets:
            if forbidden := sorted(one.forbidden.intersection(audiences)):
                raise UsageError(f"audience {forbidden[0]!r} is {one.name}'s own API; give the name of yours")
        if not 0 <= leeway <= 300:
            raise UsageError(f"leeway of {leeway}: between 0 and 300 s; clocks that differ more are to be set right")
        self.issuers = tuple(one.published or one.issuer for one in presets)
        self.door = Door.of(resource, audiences, self.issuers, scopes_supported)
        shelves = [KeyShelf(each, freshness) for one in presets for each in one.everyone()]
        self._shelves = {one.preset.issuer: one for one in shelves if one.preset.family is None}
        families = tuple(one for one in shelves if one.preset.family is not None)
        trusted = tuple(one.preset.issuer for one in shelves)
        self._rules = Rules(self._shelves, trusted, frozenset(audiences), Implications(implies), leeway, families)
        self._memory = Memory(remembered)
        self._observe = observe
        self._explain = explain
        self._clock = clock
        self._fetch = fetch
        self._fetch_blocking = fetch_blocking
        self._flights: dict[KeyShelf, asyncio.Task[None]] = {}
        self._turns = {shelf: threading.Lock() for shelf in shelves}

    async def verify(self, token: str | bytes, scopes: Iterable[str] = ()) -> Verified | Refused:
        """Whether ``token`` is good here for a request that needs all of ``scopes``. Raises nothing for a bad token."""
        needed, digest = frozenset(scopes), self._memory.digest(token)
        known = self._recall(digest, needed)
        if known is not None:
            return known
        decision = deciding(token, needed, self._rules, self._clock())
        try:
            question = next(decision)
            while True:
                await self._answer(question)
                question = decision.send(self._clock())
        except StopIteration as end:
            return self._concluded(digest, end.value)

    def verify_blocking(self, token: str | bytes, scopes: Iterable[str] = ()) -> Verified | Refused:
        """``verify`` for threads."""
        needed, digest = frozenset(scopes), self._memory.digest(token)
        known = self._recall(digest, needed)
        if known is not None:
            return known
        decision = deciding(token, needed, self._rules, self._clock())
        try:
            question = next(decision)
            while True:
                self._answer_blocking(question)
                question = decision.send(self._clock())
        except StopIteration as end:
            return self._concluded(digest, end.value)

    async def admit(self, sent: Credentials, scopes: Iterable[str] = ()) -> Verified | Refused:
        """``verify`` for what an HTTP request carries: credentials that are missing or doubled are refused first."""
        return self._unsent(sent, scopes) or await self.verify(sent.token, scopes)

    def admit_blocking(self, sent: Credentials, scopes: Iterable[str] = ()) -> Verified | Refused:
        """``admit`` for threads."""
        return self._unsent(sent, scopes) or self.verify_blocking(sent.token, scopes)

    def challenge(self, refused: Refused) -> Reply:
        """The whole HTTP answer to a refusal: status, ``WWW-Authenticate``, body (RFC 6750 §3, RFC 9728 §5)."""
        return challenge(refused, self.door, self._explain(refused.refusal))

    def metadata(self) -> Reply:
        """The document this API publishes about itself; serve it at each of ``door.metadata_paths``."""
        return self.door.metadata()

    def _recall(self, digest: bytes, needed: frozenset[str]) -> Verified | Refused | None:
        now = self._clock()
        known = self._memory.recall(digest, now)
        if known is None:
            return None
        if not needed <= known.held:
            return self._seen(refused(recalled(known, needed, self._rules, now), needed))
        return self._seen(Verified(known, needed, self._rules, now))

    def _concluded(self, digest: bytes, outcome: tuple[Verified, Believed] | Refused) -> Verified | Refused:
        if isinstance(outcome, Refused):
            return self._seen(outcome)
        verified, believed = outcome
        self._memory.keep(digest, believed)
        return self._seen(verified)

    def _unsent(self, sent: Credentials, scopes: Iterable[str]) -> Refused | None:
        trail = follow(ABOUT, CREDENTIAL_CHECKS, sent)
        return self._seen(refused(trail, frozenset(scopes))) if trail.refusal else None

    def _seen(self, outcome: Outcome) -> Outcome:
        if self._observe is not unobserved:
            self._observe(outcome.trail)
        return outcome

    async def _answer(self, question: Question) -> None:
        """Have the shelf's keys read; whoever asks meanwhile waits for the same reading."""
        shelf = question.shelf
        flight = self._flights.get(shelf)
        if flight is None or flight.done() or flight.get_loop() is not asyncio.get_running_loop():
            flight = self._flights[shelf] = asyncio.create_task(self._read(shelf))
        await asyncio.shield(flight)

    def _answer_blocking(self, question: Question) -> None:
        """The same in threads: whoever waited for another's reading does not read again."""
        with self._turns[question.shelf]:
            if question.shelf.tried_at == question.tried_at:
                self._read_blocking(question.shelf)

    async def _read(self, shelf: KeyShelf) -> None:
        steps = reading(shelf)
        with self._attempt(shelf):
            url = next(steps)
            while True:
                url = steps.send(await self._fetch(url))

    def _read_blocking(self, shelf: KeyShelf) -> None:
        steps = reading(shelf)
        with self._attempt(shelf):
            url = next(steps)
            while True:
                url = steps.send(self._fetch_blocking(url))

    @contextmanager
    def _attempt(self, shelf: KeyShelf) -> Iterator[None]:
        """Whatever comes of a reading is noted on the shelf; a failure there is the shelf's, not the caller's."""
        try:
            yield
        except StopIteration as end:
            keys, jwks_uri = end.value
            shelf.put(Keys(keys, self._clock()), jwks_uri)
        except (Unreachable, OSError) as failure:
            shelf.failed(str(failure), self._clock())


def _presets(issuer: str | Preset | Iterable[str | Preset]) -> tuple[Preset, ...]:
    several = (issuer,) if isinstance(issuer, (str, Preset)) else tuple(issuer)
    presets = tuple(preset_for(one) if isinstance(one, str) else one for one in several)
    if not presets:
        raise UsageError("a guard needs an issuer: whose tokens are good here, such as 'https://issuer.example'")
    every = [each.issuer for one in presets for each in one.everyone()]
    if len(set(every)) < len(every):
        raise UsageError("an issuer is given twice; one preset decides how its tokens are read")
    return presets


def _names(audience: str | Iterable[str]) -> tuple[str, ...]:
    names = (audience,) if isinstance(audience, str) else tuple(audience or ())
    if not names or not all(map(str.strip, names)):
        raise UsageError("a guard needs an audience: this API's name in 'aud', such as 'https://api.example/orders'")
    return names
