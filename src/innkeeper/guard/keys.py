"""An issuer's public keys as the guard keeps them: fetched once, fresh for a while, good for a while longer.

State and rules only; whoever holds a ``KeyShelf`` does the fetching (``reading`` says what to fetch).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from itertools import islice
from typing import Any

from innkeeper.guard.issuers.preset import Preset, as_sent
from innkeeper.keys.jwk import UnusableKey, VerifyingKey, read_set
from innkeeper.keys.jws import ALGORITHMS
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.refusals import Unreachable, UsageError
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.protocol.values import Thing, Value
from innkeeper.protocol.well_known import issuer_documents, why_not_private
from innkeeper.tokens.access import shape

RETRY = 5
"""Seconds between attempts while an issuer does not answer: soon enough to recover, seldom enough not to press."""

_MOST_CANDIDATES = 4
"""Keys tried for a token without kid; more would let a caller make one request cost many verifications."""

_MOST_HEADERS = 64
"""Headers for which the fitting keys are noted: an issuer has a few keys and kinds of token. Only headers whose
signature was valid are noted, so that nobody else can fill the list."""

_LONG_AGO = float("-inf")


class Freshness(Value, frozen=True, kw_only=True, gc=False):
    """How long keys are believed, in seconds.

    ``lifetime`` 600: a key that an issuer withdraws stops opening doors within ten minutes. ``grace`` 3600: while
    the issuer does not answer, older keys serve for another hour, then nothing does. ``interval`` 30: unknown key
    ids lead to at most one fetch in this time, so that a flood of them is no load on the issuer.
    """

    lifetime: float = 600
    grace: float = 3600
    interval: float = 30

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if not 1 <= getattr(self, name) <= 86_400:
                raise UsageError(f"{name} of {getattr(self, name)}: between 1 s and a day (86400 s)")


ORDINARY = Freshness()


class Keys(Thing, frozen=True, eq=False, gc=False):
    """The keys of one reading, and when that was."""

    all: tuple[VerifyingKey, ...]
    read_at: float

    def fitting(self, kid: str | None, alg: str) -> tuple[VerifyingKey, ...]:
        """The keys that may have signed a token with this header; several where the issuer gave no kid."""
        algorithm = ALGORITHMS.get(alg)
        if algorithm is None:
            return ()
        found = (
            one
            for one in self.all
            if (kid is None or one.kid == kid) and one.alg in (None, alg) and algorithm.fits(one.key)
        )
        return tuple(islice(found, _MOST_CANDIDATES))


class Opening(Thing, frozen=True, eq=False, gc=False):
    """What a ``header`` that passed its checks leads to: the keys that fit it, and how its algorithm verifies with one.

    Nothing is believed by it: each token's signature is checked with one of these keys.
    """

    header: Mapping[str, Any]
    keys: tuple[VerifyingKey, ...]
    verify: Callable[[Any, bytes, bytes], bool]


class KeyShelf:
    """The keys of one issuer, what is known about getting newer ones, and the names of this API in its tokens.

    The keys are fresh from ``since`` until before ``until``. ``shape``, ``checks`` and ``spell`` are the preset's, put
    together once; ``spell`` is None where claims are in the words of RFC 9068 already.
    """

    __slots__ = (
        "asked",
        "asked_in",
        "audiences",
        "checks",
        "failure",
        "freshness",
        "introspection_endpoint",
        "jwks_uri",
        "keys",
        "opened",
        "preset",
        "shape",
        "since",
        "spell",
        "tried_at",
        "until",
    )

    def __init__(self, preset: Preset, freshness: Freshness, audiences: frozenset[str]) -> None:
        self.preset = preset
        self.freshness = freshness
        self.audiences = audiences
        self.since = self.until = _LONG_AGO
        self.keys: Keys | None = None
        self.jwks_uri = preset.jwks_uri
        self.introspection_endpoint = ""
        self.asked_in, self.asked = 0, 0
        self.tried_at = _LONG_AGO
        self.failure = ""
        self.opened: dict[bytes, Opening] = {}
        self.shape = shape(preset.expected.required)
        self.checks = (*preset.early, *preset.checks)
        self.spell = None if preset.spell is as_sent else preset.spell

    def reads(self, issuer: str) -> bool:
        """Whether these keys sign for an issuer, which may be one of a family."""
        family = self.preset.family
        return issuer == self.preset.issuer if family is None else family.fullmatch(issuer) is not None

    def usable(self, now: float) -> Keys | None:
        """The keys, unless there are none or they are past lifetime and grace."""
        keys = self.keys
        limit = self.freshness.lifetime + self.freshness.grace
        return keys if keys is not None and now - keys.read_at < limit else None

    def should_fetch(self, kid: str | None, alg: str, now: float) -> bool:
        """Whether to read the keys (again) before judging a token with this header.

        A clock that was set back makes keys look as if from the future: those are read again, too.
        """
        waited = now - self.tried_at if now >= self.tried_at else float("inf")
        if self.keys is None or not self.since <= now < self.until:
            return waited >= RETRY
        return not self.keys.fitting(kid, alg) and waited >= self.freshness.interval

    def put(self, keys: Keys, jwks_uri: str) -> None:
        """Take over what was read."""
        self.keys, self.jwks_uri, self.tried_at, self.failure = keys, jwks_uri, keys.read_at, ""
        self.since, self.until = keys.read_at, keys.read_at + self.freshness.lifetime
        self.opened = {}

    def remember(self, header_b64: bytes, opening: Opening) -> None:
        """Note what a header leads to, once a token with it had a valid signature; dropped whenever new keys are put."""
        if header_b64 not in self.opened and len(self.opened) < _MOST_HEADERS:
            self.opened[header_b64] = opening

    def opening(self, header_b64: bytes, now: float) -> Opening | None:
        """What is noted for a header, while the keys are fresh."""
        return self.opened.get(header_b64) if self.since <= now < self.until else None

    def may_ask(self, most: int, now: float) -> bool:
        """Whether the issuer may be asked about one more token within this second; it counts as asked."""
        if int(now) != self.asked_in:
            self.asked_in, self.asked = int(now), 0
        self.asked += 1
        return self.asked <= most

    def failed(self, reason: str, now: float) -> None:
        """Remember that reading failed. The place of the keys is looked up anew next time: it may have moved."""
        self.jwks_uri, self.tried_at, self.failure = self.preset.jwks_uri, now, reason


class Question(Value, frozen=True, gc=False):
    """Read this shelf's keys (again), unless someone did since ``tried_at``; then send the time."""

    shelf: KeyShelf
    tried_at: float


Reading = Generator[str, Reply, tuple[tuple[VerifyingKey, ...], str]]


def reading(shelf: KeyShelf) -> Reading:
    """Read an issuer's keys: yields each address to GET, is sent the reply; returns the keys and their address.

    Raises ``Unreachable`` where no metadata or no usable key is to be had.
    """
    jwks_uri = shelf.jwks_uri or (yield from told_by(shelf.preset, "jwks_uri"))
    reply = yield jwks_uri
    try:
        keys, left_out = read_set(document(reply))
    except (UnusableKey, NotStrict) as error:
        raise Unreachable(f"the key set at {jwks_uri}: {error}") from None
    if not keys:
        raise Unreachable(f"the key set at {jwks_uri} has no usable key: {'; '.join(left_out[:3]) or 'it is empty'}")
    return keys, jwks_uri


def told_by(preset: Preset, member: str) -> Generator[str, Reply, str]:
    """An address in the issuer's metadata: in the first document that is the issuer's own, to the character (RFC 8414
    §3.3). Raises ``Unreachable``."""
    issuer = preset.issuer
    troubles: list[str] = []
    for url in preset.documents or issuer_documents(issuer):
        reply = yield url
        try:
            return _address(document(reply), issuer, member)
        except NotStrict as error:
            troubles.append(f"{url}: {error}")
    raise Unreachable(f"no metadata document of {issuer} can be used: {'; '.join(troubles)}")


def document(reply: Reply) -> Mapping[str, Any]:
    """The JSON object in an answer. Raises ``NotStrict``."""
    if reply.status != 200:
        raise NotStrict(f"status {reply.status}")
    return read_object(reply.body)


def _address(found: Mapping[str, Any], issuer: str, member: str) -> str:
    if found.get("issuer") != issuer:
        raise NotStrict(f"it is of issuer {str(found.get('issuer'))[:120]!r}")
    address = found.get(member)
    if not isinstance(address, str):
        raise NotStrict(f"it has no {member}")
    if why := why_not_private(address):
        raise NotStrict(f"its {member}: {why}")
    return address
