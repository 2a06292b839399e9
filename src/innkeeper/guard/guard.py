"""The guard: built once with the issuers it trusts and the API it stands before, then asked about every token."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from innkeeper.guard.audiences import named
from innkeeper.guard.challenge import NOTHING_MORE, About, Door, Schemes, challenge, unexplained
from innkeeper.guard.credentials import CREDENTIAL_CHECKS, Credentials
from innkeeper.guard.decision import (
    ABOUT,
    Asked,
    Believed,
    Decision,
    Evidence,
    Found,
    Refused,
    Rules,
    Verified,
    admits,
    admits_plainly,
    decided,
    proves,
    refused,
    turned_away,
)
from innkeeper.guard.fetching import (
    Fetch,
    FetchBlocking,
    Outgoing,
    Send,
    SendBlocking,
    fetch,
    fetch_blocking,
    send,
    send_blocking,
)
from innkeeper.guard.holder import CERTIFICATE, KEY, NO_FACTS, Dpop, Facts, proof_name
from innkeeper.guard.introspection import Introspection
from innkeeper.guard.issuers.found import preset_for
from innkeeper.guard.issuers.preset import Preset
from innkeeper.guard.keys import ORDINARY, Freshness, Keys, KeyShelf, Question, reading
from innkeeper.guard.memory import Memory
from innkeeper.guard.needs import Needs, as_needs
from innkeeper.guard.replays import Full, Nonces, Replays
from innkeeper.guard.scopes import Implications
from innkeeper.keys.proofs import read_proof
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.proxies import NO_PROXIES, Proxies
from innkeeper.protocol.refusals import Refusal, Unreachable, UsageError
from innkeeper.tokens.access import AccessToken
from innkeeper.tokens.dpop import Proof
from innkeeper.tokens.trail import Observer, Trail, follow, unobserved
from innkeeper.tokens.verification import LEEWAY

if TYPE_CHECKING:
    import asyncio

Outcome = TypeVar("Outcome", bound=Verified | Refused)


class Remembers(Protocol):
    """Whoever remembers proofs that were used: ``replays.Replays``, or something that several processes share."""

    def first(self, name: bytes, now: float) -> bool:
        """Whether this proof is seen for the first time; it is noted for as long as proofs are taken."""
        ...


class Guard:
    """Verifies access tokens for one API, in coroutines (``verify``) and in threads (``verify_blocking``) alike."""

    def __init__(
        self,
        issuer: str | Preset | Iterable[str | Preset],
        audience: str | Iterable[str] | Mapping[str, str | Iterable[str]],
        *,
        resource: str | None = None,
        scopes_supported: Iterable[str] = (),
        scope_prefix: str = "",
        about: About = NOTHING_MORE,
        implies: Mapping[str, Iterable[str]] = MappingProxyType({}),
        leeway: float = LEEWAY,
        freshness: Freshness = ORDINARY,
        remembered: int = 4096,
        dpop: Dpop | None = None,
        replays: Remembers | None = None,
        proxies: Proxies = NO_PROXIES,
        introspection: Introspection | Iterable[Introspection] = (),
        revoked: Callable[[AccessToken], bool] | None = None,
        observe: Observer = unobserved,
        explain: Callable[[Refusal], str | None] = unexplained,
        clock: Callable[[], float] = time.time,
        fetch: Fetch = fetch,
        fetch_blocking: FetchBlocking = fetch_blocking,
        send: Send = send,
        send_blocking: SendBlocking = send_blocking,
    ) -> None:
        """A guard. Raises ``UsageError`` where it would not be safe, or could not work.

        ``issuer``: whose tokens are good, as they write themselves in ``iss``; several may be given. From a string the
        preset is found (``issuers.found``): Cognito, Entra, Google, Okta, Auth0 and Keycloak are known by how they write
        themselves, all others are held to RFC 9068. A preset can always be named, such as ``oidc("https://i.example")``.
        ``audience``: this API's name in ``aud``. There is no default and no way around it: a guard without an
        audience lets in every token the issuer ever made for anyone. Where issuers know this API by different names, give
        those by issuer, such as ``{"https://i.example": "https://api.example", pool: "app-client-id"}``: a name counts in the
        tokens of its issuer alone.
        ``resource``: the URL under which this API is known, published with its metadata (RFC 9728); by default the
        audience, where that is a URL. ``scopes_supported`` are published there, and what is told in ``about``;
        ``scope_prefix`` goes before scopes wherever clients read them, for issuers that want the API's URI there (Entra).
        ``implies``: what a scope includes, such as ``{"hotel:all": ["gym:enter", "pool:enter"]}``.
        ``leeway``: seconds clocks may differ, 30: see ``tokens.verification.LEEWAY``; at most 300.
        ``remembered``: how many verified tokens are kept to save signature checks; 4096 take about 12 MB.
        ``dpop``: how proofs are asked for; without it bound tokens are taken with their proof, and nobody is told to bring
        one. ``replays`` remembers used proofs, by default in this process. ``proxies`` are those whose word on the caller's
        certificate is believed.
        ``introspection``: issuers that are asked about tokens. ``revoked`` is asked at every request whether a token was
        taken back; it has to be quick.
        ``observe`` is called with the trail of every decision. ``explain`` gives, in development, a link to a
        refusal's reasons; it is sent along as ``error_uri``.
        """
        presets = _presets(issuer)
        names = named(audience, [one.issuer for one in presets])
        _refuse_unsafe(names, presets, leeway)
        proofs, by_certificate = dpop or Dpop(), bool(proxies.certificate_header)
        schemes = Schemes(not proofs.required, dpop is not None, proofs.algorithms, by_certificate, scope_prefix)
        shelves = [
            KeyShelf(each, freshness, frozenset(names[one.issuer])) for one in presets for each in one.everyone()
        ]
        self.issuers = tuple(one.published or one.issuer for one in presets)
        every = [name for several in names.values() for name in several]
        self.door = Door.of(resource, every, self.issuers, scopes_supported, schemes, about)
        self.proxies = proxies
        self._shelves = {one.preset.issuer: one for one in shelves if one.preset.family is None}
        self._rules = Rules(
            shelves=self._shelves,
            families=tuple(one for one in shelves if one.preset.family is not None),
            trusted=tuple(one.preset.issuer for one in shelves),
            implications=Implications(implies),
            leeway=leeway,
            inquiries=_inquiries(introspection, self._shelves),
            dpop=proofs,
            keeps_a_list=revoked is not None,
        )
        self._memory = Memory(remembered) if remembered else None
        self._replays: Remembers = replays or Replays()
        self._nonces = Nonces(proofs.secret) if proofs.nonces else None
        self._revoked, self._observe, self._explain, self._clock = revoked, observe, explain, clock
        self._is_plain = revoked is None and observe is unobserved and not proofs.required
        self._fetch, self._fetch_blocking, self._send, self._send_blocking = fetch, fetch_blocking, send, send_blocking
        self._flights: dict[KeyShelf, asyncio.Task[None]] = {}
        self._turns = {shelf: threading.Lock() for shelf in shelves}

    async def verify(self, token: str | bytes, needed: Needs | Iterable[str] = ()) -> Verified | Refused:
        """Whether ``token`` is good here for a request that needs ``needed``, scopes or more. Raises nothing for a bad token.

        A token alone does not show who sends it: one that is bound to a key is refused. ``admit`` sees the request.
        """
        return await self._judged(token, as_needs(needed), None)

    def verify_blocking(self, token: str | bytes, needed: Needs | Iterable[str] = ()) -> Verified | Refused:
        """``verify`` for threads."""
        return self._judged_blocking(token, as_needs(needed), None)

    async def admit(self, sent: Credentials, needed: Needs | Iterable[str] = ()) -> Verified | Refused:
        """``verify`` for what an HTTP request carries: credentials that are missing or doubled are refused first, a bound
        token is taken with the proof of its holder."""
        needs = as_needs(needed)
        return self._unsent(sent, needs) or await self._judged(sent.token, needs, sent)

    def admit_blocking(self, sent: Credentials, needed: Needs | Iterable[str] = ()) -> Verified | Refused:
        """``admit`` for threads."""
        needs = as_needs(needed)
        return self._unsent(sent, needs) or self._judged_blocking(sent.token, needs, sent)

    async def refresh(self) -> None:
        """Read the keys now that are read already, for whoever knows that an issuer has changed them: tokens under a new
        key are then good at once, whatever ``Freshness.interval`` says."""
        for shelf in self._turns:
            if shelf.keys is not None:
                await self._answer(Question(shelf, shelf.tried_at))

    def further(self, outcome: Verified, needed: Needs | Iterable[str]) -> Verified | Refused:
        """A request that got in, held to ``needed`` as well: for whoever learns only later what it is for. A proof it came
        with is not used up again."""
        known, asked = outcome.asked(as_needs(needed))
        if admits(known, asked, self._rules):
            return Verified(known.token, known, asked, self._rules)
        return self._seen(refused(known.evidence(self._rules), asked, self._rules))

    def observe(self, trail: Trail) -> None:
        """Show a decision made around the guard to whoever watches the guard's own."""
        self._observe(trail)

    def challenge(self, refused: Refused) -> Reply:
        """The whole HTTP answer to a refusal: status, ``WWW-Authenticate``, body (RFC 6750 §3, RFC 9728 §5)."""
        return challenge(refused, self.door, self._explain(refused.refusal), self.nonce())

    def nonce(self) -> str:
        """The value that the next proof has to hold, for the header ``DPoP-Nonce``; "" where none is asked for."""
        return self._nonces.current(self._clock()) if self._nonces else ""

    def metadata(self) -> Reply:
        """The document this API publishes about itself; serve it at each of ``door.metadata_paths``."""
        return self.door.metadata()

    async def _judged(self, token: str | bytes, needs: Needs, sent: Credentials | None) -> Verified | Refused:
        now, memory = self._clock(), self._memory
        digest = memory.digest(token) if memory else b""
        known = memory.recall(digest, now) if memory else None
        if known is None:
            found = decided(token, self._rules, now)
            if not isinstance(found, (Believed, Evidence)):
                found, now = await self._found_out(found)
            if isinstance(found, Evidence):
                return self._turned_away(found, needs, sent, now)
            known = found
            if memory:
                memory.keep(digest, known)
        return self._concluded(known, needs, sent, now)

    def _judged_blocking(self, token: str | bytes, needs: Needs, sent: Credentials | None) -> Verified | Refused:
        now, memory = self._clock(), self._memory
        digest = memory.digest(token) if memory else b""
        known = memory.recall(digest, now) if memory else None
        if known is None:
            found = decided(token, self._rules, now)
            if not isinstance(found, (Believed, Evidence)):
                found, now = self._found_out_blocking(found)
            if isinstance(found, Evidence):
                return self._turned_away(found, needs, sent, now)
            known = found
            if memory:
                memory.keep(digest, known)
        return self._concluded(known, needs, sent, now)

    async def _found_out(self, decision: Decision) -> Found:
        """Have everything read and everyone asked that a decision needs."""
        try:
            step = next(decision)
            while True:
                if type(step) is Question:
                    await self._answer(step)
                    step = decision.send(self._clock())
                    continue
                try:
                    reply = await self._sent(step)
                except (Unreachable, OSError) as failure:
                    step = decision.throw(_as_unreachable(failure))
                else:
                    step = decision.send(reply)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def _found_out_blocking(self, decision: Decision) -> Found:
        """The same in threads."""
        try:
            step = next(decision)
            while True:
                if type(step) is Question:
                    self._answer_blocking(step)
                    step = decision.send(self._clock())
                    continue
                try:
                    reply = self._sent_blocking(step)
                except (Unreachable, OSError) as failure:
                    step = decision.throw(_as_unreachable(failure))
                else:
                    step = decision.send(reply)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    async def _sent(self, step: Question | Outgoing) -> Reply:
        assert type(step) is Outgoing  # noqa: S101 - for the type checker
        return await (self._fetch(step.url) if step.method == "GET" else self._send(step))

    def _sent_blocking(self, step: Question | Outgoing) -> Reply:
        assert type(step) is Outgoing  # noqa: S101 - for the type checker
        return self._fetch_blocking(step.url) if step.method == "GET" else self._send_blocking(step)

    def _turned_away(self, found: Evidence, needs: Needs, sent: Credentials | None, now: float) -> Refused:
        return self._seen(refused(found, Asked(needs, now, sent), self._rules))

    def _concluded(self, known: Believed, needs: Needs, sent: Credentials | None, now: float) -> Verified | Refused:
        """A good token: is it enough for this request, and is its sender the holder?"""
        rules, token = self._rules, known.token
        if self._is_plain and admits_plainly(known, needs, sent):
            return Verified(token, known, Asked(needs, now, sent), rules)
        taken_back = self._revoked is not None and self._revoked(token)
        facts = NO_FACTS if token.cnf is None or sent is None else self._facts(token.cnf, sent, now)
        asked = Asked(needs, now, sent, facts, taken_back)
        if facts.proof is not None and proves(known, asked, rules):
            asked = msgspec.structs.replace(asked, facts=self._noted(facts, facts.proof, now))
        if not admits(known, asked, rules):
            return self._seen(refused(known.evidence(rules), asked, rules))
        return self._seen(Verified(token, known, asked, rules))

    def _facts(self, bound: Mapping[str, Any], sent: Credentials, now: float) -> Facts:
        """What the request shows of its sender, as far as the token asks for it."""
        proof = read_proof(sent.proof, self._rules.dpop.algorithms) if KEY in bound else None
        thumbprint = _thumbprint(sent.certificate) if CERTIFICATE in bound and sent.certificate else ""
        return Facts(proof, nonces=self._nonces.good(now) if self._nonces else frozenset(), certificate=thumbprint)

    def _noted(self, facts: Facts, proof: Proof, now: float) -> Facts:
        """A good proof is noted, so that it works once."""
        try:
            first = self._replays.first(proof_name(proof), now)
        except Full:
            return msgspec.structs.replace(facts, full=True)
        return facts if first else msgspec.structs.replace(facts, replayed=True)

    def _unsent(self, sent: Credentials, needs: Needs) -> Refused | None:
        trail = follow(ABOUT, CREDENTIAL_CHECKS, sent)
        if trail.refusal is None:
            return None
        return self._seen(turned_away(trail, Asked(needs, 0.0, sent)))

    def _seen(self, outcome: Outcome) -> Outcome:
        if self._observe is not unobserved:
            self._observe(outcome.trail)
        return outcome

    async def _answer(self, question: Question) -> None:
        """Have the shelf's keys read; whoever asks meanwhile waits for the same reading."""
        import asyncio  # a third of all that a guard in threads would load, for nothing

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


def _as_unreachable(failure: Exception) -> Unreachable:
    return failure if isinstance(failure, Unreachable) else Unreachable(str(failure) or type(failure).__name__)


def _thumbprint(certificate: str) -> str:
    """The hash of a certificate that tokens are bound to; "" where it cannot be read."""
    from innkeeper.keys.certificates import NotACertificate, read_forwarded

    try:
        return read_forwarded(certificate).thumbprint
    except NotACertificate:
        return ""


def _refuse_unsafe(names: Mapping[str, Iterable[str]], presets: Iterable[Preset], leeway: float) -> None:
    if not 0 <= leeway <= 300:
        raise UsageError(f"leeway of {leeway}: between 0 and 300 s; clocks that differ more are to be set right")
    for one in presets:
        if forbidden := sorted(one.forbidden.intersection(names[one.issuer])):
            raise UsageError(f"audience {forbidden[0]!r} is {one.name}'s own API; give the name of yours")


def _inquiries(
    given: Introspection | Iterable[Introspection], shelves: Mapping[str, KeyShelf]
) -> tuple[Introspection, ...]:
    several = (given,) if isinstance(given, Introspection) else tuple(given)
    for one in several:
        if one.issuer not in shelves:
            raise UsageError(
                f"introspection of {one.issuer!r}: that is none of the guard's issuers; name it there, too"
            )
    return several


def _presets(issuer: str | Preset | Iterable[str | Preset]) -> tuple[Preset, ...]:
    several = (issuer,) if isinstance(issuer, (str, Preset)) else tuple(issuer)
    presets = tuple(preset_for(one) if isinstance(one, str) else one for one in several)
    if not presets:
        raise UsageError("a guard needs an issuer: whose tokens are good here, such as 'https://issuer.example'")
    every = [each.issuer for one in presets for each in one.everyone()]
    if len(set(every)) < len(every):
        raise UsageError("an issuer is given twice; one preset decides how its tokens are read")
    return presets
