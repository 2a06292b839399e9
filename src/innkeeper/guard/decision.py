"""The decision itself: a token, what is needed and the time go in; Verified or Refused come out.

Pure but for what it may need midway: an issuer's keys, or an issuer's answer about a token. For those it yields a
``Question`` or an ``Outgoing`` and is sent the time it is by then, or the reply, so that one text serves threads and
coroutines alike (``Guard`` drives it).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from innkeeper.guard.credentials import Credentials
from innkeeper.guard.fetching import Outgoing
from innkeeper.guard.holder import NO_FACTS, Dpop, Facts, Held, judged
from innkeeper.guard.introspection import INQUIRY_CHECKS, Inquired, Introspection, inquiring
from innkeeper.guard.keys import Keys, KeyShelf, Opening, Question
from innkeeper.guard.needs import NOTHING, Needs
from innkeeper.guard.permissions import PERMISSION_CHECKS, Wish
from innkeeper.guard.revocation import REVOCATION_CHECKS, Standing
from innkeeper.guard.scopes import SCOPE_CHECKS, Implications, Reach
from innkeeper.keys import jws
from innkeeper.protocol.base64url import NotBase64Url, decode_bytes
from innkeeper.protocol.refusals import Refusal
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.protocol.values import Thing, Value
from innkeeper.tokens.access import AccessToken, NotWhole, scopes, whole
from innkeeper.tokens.trail import Check, Trail, follow
from innkeeper.tokens.verification import (
    PRESENTED_CHECKS,
    SIGNED_CHECKS,
    USE_CHECKS,
    Presented,
    Signature,
    Use,
    ends,
    is_for,
    starts,
)

ABOUT = "guard"


class Rules(Value, frozen=True, gc=False):
    """What a guard was built with: its issuers' key shelves by issuer, and what every token is held to.

    ``families`` are the shelves of providers with many issuers and one set of keys; ``inquiries`` the issuers that are
    asked about tokens; ``dpop`` how proofs are asked for.
    """

    shelves: Mapping[str, KeyShelf]
    trusted: tuple[str, ...]
    implications: Implications
    leeway: float
    families: tuple[KeyShelf, ...] = ()
    inquiries: tuple[Introspection, ...] = ()
    dpop: Dpop = Dpop()
    keeps_a_list: bool = False

    def shelf_of(self, issuer: object) -> KeyShelf | None:
        """The keys of whoever writes itself so in ``iss``; None for an issuer that is not trusted."""
        if type(issuer) is not str:
            return None
        found = self.shelves.get(issuer)
        if found is None and self.families:
            return next((one for one in self.families if one.reads(issuer)), None)
        return found


class Asked(Value, frozen=True, gc=False):
    """One request: what it needs, when it came, what it carried (None where only a token was shown), and what is known of its
    sender. ``is_revoked`` where the API's own list has the token."""

    needs: Needs
    now: float
    sent: Credentials | None = None
    facts: Facts = NO_FACTS
    is_revoked: bool = False


class Evidence(Value, frozen=True, gc=False):
    """What is known of a token beside the request: how it presented itself, whose keys judge it, what its issuer said."""

    presented: Presented | None
    shelf: KeyShelf | None = None
    inquired: Inquired | None = None

    @property
    def audiences(self) -> frozenset[str]:
        """The names by which the token's issuer may know this API."""
        return self.shelf.audiences if self.shelf else frozenset()

    @property
    def token(self) -> AccessToken | None:
        """What the token says, once that can be believed."""
        presented, inquired = self.presented, self.inquired
        said = presented.token if presented else inquired.token if inquired else ""
        return said if type(said) is AccessToken else None


class Believed(Thing, frozen=True, eq=False, gc=False):
    """A token that is good, as it may be remembered: with the keys that vouch for it.

    ``held`` are its scopes with all they imply; from ``since`` until before ``until`` the time checks pass. ``header`` is None
    for a token that says nothing by itself, ``signer`` the issuer that the key says it is for.
    """

    token: AccessToken
    shelf: KeyShelf
    keys: Keys | None
    held: frozenset[str]
    since: float
    until: float
    header: Mapping[str, Any] | None
    signer: str = ""
    inquired: Inquired | None = None

    def evidence(self, rules: Rules) -> Evidence:
        """What the checks are made on, for whoever reads them: every one of them passed."""
        presented = None if self.header is None else self.presented(self.header, rules)
        return Evidence(presented, self.shelf, self.inquired)

    def presented(self, header: Mapping[str, Any], rules: Rules) -> Presented:
        return _presented(header, self.token.claims, self.shelf, rules, "valid", self.token, self.signer)


class Verified(Thing, frozen=True, eq=False, gc=False):
    """A token that passed every check, and the trail of them (drawn when it is asked for)."""

    token: AccessToken
    _known: Believed
    _asked: Asked
    _rules: Rules

    @property
    def trail(self) -> Trail:
        """Every check that was made. The same values give the same trail, so it is not kept, but drawn anew."""
        return drawn(self._known.evidence(self._rules), self._asked, self._rules)

    @property
    def scopes(self) -> frozenset[str]:
        """The token's scopes and all they imply."""
        return self._known.held

    @property
    def audience(self) -> str:
        """The name of this API by which the token names it."""
        names = self._known.shelf.audiences
        return next(one for one in self.token.aud if one in names)

    def asked(self, needs: Needs) -> tuple[Believed, Asked]:
        """The same request, as if it needed something else."""
        return self._known, msgspec.structs.replace(self._asked, needs=needs)

    def __repr__(self) -> str:
        return f"<Verified {self.token.sub!r} by {self.token.client_id!r} from {self.token.iss}>"


class Refused(Value, frozen=True, gc=False):
    """No: why, after which checks, and what the request would have needed. ``for_proofs`` where the caller sent, or should
    have sent, a proof along."""

    refusal: Refusal
    trail: Trail
    needs: Needs = NOTHING
    for_proofs: bool = False

    @property
    def needed(self) -> frozenset[str]:
        """The scopes the request would have needed."""
        return self.needs.scopes

    @property
    def status(self) -> int:
        """The HTTP status. A proof that does not prove it is 400 at a token endpoint, and 401 at an API."""
        status = self.refusal.page.status
        return 401 if status == 400 and self.for_proofs and self.refusal.page.error in _OF_PROOFS else status


Found: TypeAlias = tuple[Believed | Evidence, float]
"""What comes of a decision, and the time it was made for."""
Decision: TypeAlias = Generator["Question | Outgoing", Any, Found]
"""The steps to one: who has to be asked what, one after the other."""


def decided(token: str | bytes, rules: Rules, now: float) -> Believed | Evidence | Decision:
    """Whether a token is good, whatever the request: ``Believed``, or the evidence against it; the steps to find out where
    somebody has to be asked first.

    A yes is told by a few comparisons (``believed`` and ``admits``), a no by making the checks one by one until one refuses.
    The checks are the law: the comparisons say yes exactly where every check passes, which a test proves.
    """
    return _at_once(token, rules, now) or _by_and_by(token, rules, now)


def _at_once(token: str | bytes, rules: Rules, now: float) -> Believed | Evidence | None:
    """For a token whose header was seen before, as nearly every one's was: it is taken apart in a straight line, and nobody has
    to be asked. None for any other, and for whatever is no token: why is then found out step by step."""
    try:
        if len(token) > jws.LIMIT or rules.inquiries:
            return None
        data = token.encode("ascii") if isinstance(token, str) else token
        signing_input, _, signature = data.rpartition(b".")
        header, _, payload = signing_input.partition(b".")
        claims = read_object(decode_bytes(payload))
        shelf = rules.shelf_of(claims.get("iss"))
        opening = shelf.opening(header, now) if shelf else None
        if shelf is None or opening is None:
            return None
        return _judged(opening, decode_bytes(signature), signing_input, claims, shelf, rules, now)
    except (NotBase64Url, NotStrict, UnicodeEncodeError):
        return None


def _by_and_by(token: str | bytes, rules: Rules, now: float) -> Evidence | Decision:
    """The same for every other token."""
    try:
        parsed = jws.parse(token)
        claims = read_object(parsed.claims)
    except (jws.NotAToken, NotStrict) as error:
        if rules.inquiries and _is_opaque(token):
            return _inquired(_text(token), rules, now)
        return Evidence(_unreadable(error, rules))
    shelf = rules.shelf_of(claims.get("iss"))
    if shelf is None:
        return Evidence(Presented(parsed.header, claims, rules.trusted))
    return _deciding(token, parsed, claims, shelf, rules, now)


def _deciding(
    token: str | bytes, parsed: jws.Parsed, claims: Mapping[str, Any], shelf: KeyShelf, rules: Rules, now: float
) -> Decision:
    """The steps for a header that was not seen yet, and for an issuer that is asked about its tokens."""
    opening = shelf.opening(parsed.header_b64, now)
    if opening is None:
        shown = Presented(parsed.header, claims, rules.trusted, shelf.preset.expected)
        if follow(ABOUT, _opening(shelf), shown).refusal:
            return Evidence(shown, shelf), now
        kid, alg = parsed.header.get("kid"), parsed.header["alg"]
        if shelf.should_fetch(kid, alg, now):
            now = yield Question(shelf, shelf.tried_at)
        usable = shelf.usable(now)
        fitting = usable.fitting(kid, alg) if usable else ()
        if not fitting:
            return Evidence(_without_key(shown, shelf, bool(usable)), shelf), now
        opening = Opening(parsed.header, fitting, jws.ALGORITHMS[alg].verify)
    known = _judged(opening, parsed.signature, parsed.signing_input, claims, shelf, rules, now)
    if type(known) is Evidence:
        return known, now
    assert type(known) is Believed  # noqa: S101 - for the type checker
    shelf.remember(parsed.header_b64, opening)
    if rules.inquiries and (asked := _also_asked(known.token.iss, rules)):
        return (yield from _still_good(_text(token), asked, known, rules, now))
    return known, now


def believed(
    token: AccessToken,
    shelf: KeyShelf,
    rules: Rules,
    now: float,
    header: Mapping[str, Any] | None,
    signer: str = "",
    inquired: Inquired | None = None,
) -> Believed | None:
    """A token whose signature is valid and whose header was accepted, if it passes all its other checks by now, too."""
    said, leeway = token.said, rules.leeway
    since, until = starts(said) - leeway, ends(said) + leeway
    if not since <= now < until or not is_for(said, shelf.audiences):
        return None
    held = rules.implications.of(scopes(said.scope))
    known = Believed(token, shelf, shelf.keys, held, since, until, header, signer, inquired)
    if shelf.checks and header is not None:
        presented = known.presented(header, rules)
        if any(type(one.judge(presented)) is Refusal for one in shelf.checks):
            return None
    return known


def admits(known: Believed, asked: Asked, rules: Rules) -> bool:
    """Whether a good token is enough for this request."""
    needs, token = asked.needs, known.token
    return (
        needs.scopes <= known.held
        and not asked.is_revoked
        and (_is_plain_bearer(token, asked, rules) or _is_by_its_holder(known, asked, rules))
        and (needs.is_plain or follow(ABOUT, PERMISSION_CHECKS, _wish(token, asked, rules)).refusal is None)
    )


def admits_plainly(known: Believed, needs: Needs, sent: Credentials | None) -> bool:
    """``admits`` where scopes are all that is needed, nobody has to prove anything, and the API keeps no list."""
    return (
        known.token.said.cnf is None
        and needs.is_plain
        and needs.scopes <= known.held
        and (sent is None or not sent.is_dpop)
    )


def drawn(evidence: Evidence, asked: Asked, rules: Rules) -> Trail:
    """Every check in order until one refuses: the trail of a decision. The same values give the same trail."""
    trail = _of_the_token(evidence)
    token = evidence.token
    if trail.refusal or token is None:
        return trail
    for more in _of_the_request(token, evidence.audiences, asked, rules):
        trail = trail.then(more)
        if trail.refusal:
            break
    return trail


def _of_the_token(evidence: Evidence) -> Trail:
    presented, shelf = evidence.presented, evidence.shelf
    trail = Trail(ABOUT)
    if presented is not None:
        trail = follow(ABOUT, _opening(shelf), presented)
        if not trail.refusal and shelf:
            trail = trail.then(follow(ABOUT, (*SIGNED_CHECKS, *shelf.preset.checks), presented))
    if trail.refusal or evidence.inquired is None:
        return trail
    return trail.then(follow(ABOUT, INQUIRY_CHECKS, evidence.inquired))


def _of_the_request(token: AccessToken, audiences: frozenset[str], asked: Asked, rules: Rules) -> Iterator[Trail]:
    proof_follows = asked.sent is not None
    yield follow(ABOUT, USE_CHECKS, Use(token, audiences, asked.now, rules.leeway, proof_follows))
    if rules.keeps_a_list:
        yield follow(ABOUT, REVOCATION_CHECKS, Standing(asked.is_revoked))
    if asked.sent is not None and not _is_plain_bearer(token, asked, rules):
        yield _proved(token, asked.sent, asked, rules)
    yield follow(ABOUT, SCOPE_CHECKS, Reach(rules.implications.of(token.scope), asked.needs.scopes))
    if not asked.needs.is_plain:
        yield follow(ABOUT, PERMISSION_CHECKS, _wish(token, asked, rules))


def refused(evidence: Evidence, asked: Asked, rules: Rules) -> Refused:
    """The no that the checks come to."""
    return turned_away(drawn(evidence, asked, rules), asked, evidence.token)


def turned_away(trail: Trail, asked: Asked, token: AccessToken | None = None) -> Refused:
    """The no that a trail ended in."""
    refusal = trail.refusal
    if refusal is None:
        raise AssertionError("a trail in which all checks passed refuses nobody")
    bound = token is not None and token.cnf is not None and "jkt" in token.cnf
    return Refused(refusal, trail, asked.needs, bound or (asked.sent is not None and asked.sent.is_dpop))


def _is_plain_bearer(token: AccessToken, asked: Asked, rules: Rules) -> bool:
    return token.cnf is None and not rules.dpop.required and (asked.sent is None or not asked.sent.is_dpop)


def _is_by_its_holder(known: Believed, asked: Asked, rules: Rules) -> bool:
    return asked.sent is not None and _proved(known.token, asked.sent, asked, rules).refusal is None


def _proved(token: AccessToken, sent: Credentials, asked: Asked, rules: Rules) -> Trail:
    held = Held(token, sent, asked.facts, rules.dpop.required)
    return judged(ABOUT, held, sent.token, asked.now, rules.dpop)


def proves(known: Believed, asked: Asked, rules: Rules) -> bool:
    """Whether the request comes with a proof that is good, but for having been used before."""
    return "jkt" in (known.token.cnf or {}) and _is_by_its_holder(known, asked, rules)


def _wish(token: AccessToken, asked: Asked, rules: Rules) -> Wish:
    return Wish(token, asked.needs, asked.now, rules.leeway)


def _inquired(token: str, rules: Rules, now: float) -> Decision:
    """A token that says nothing by itself: each issuer that may be asked, until one knows it."""
    found = Evidence(None)
    for asked in rules.inquiries:
        shelf = rules.shelves[asked.issuer]
        inquired = yield from inquiring(token, asked, shelf, now)
        found = Evidence(None, shelf, inquired)
        said = found.token
        known = believed(said, shelf, rules, now, None, inquired=inquired) if said else None
        if known is not None:
            return msgspec.structs.replace(known, keys=None, until=min(known.until, now + asked.remembered)), now
        if inquired.obstacle or inquired.active:
            break
    return found, now


def _still_good(token: str, asked: Introspection, known: Believed, rules: Rules, now: float) -> Decision:
    """A token that speaks for itself, and whose issuer is asked whether it still stands by it."""
    inquired = yield from inquiring(token, asked, known.shelf, now, only_whether=True)
    known = msgspec.structs.replace(known, inquired=inquired, until=min(known.until, now + (asked.every or 0)))
    return (known if inquired.active else known.evidence(rules)), now


def _also_asked(issuer: str, rules: Rules) -> Introspection | None:
    return next((one for one in rules.inquiries if one.issuer == issuer and one.every is not None), None)


def _is_opaque(token: str | bytes) -> bool:
    """Whether this is no attempt at a JWT."""
    dot = "." if isinstance(token, str) else b"."
    return 0 < len(token) <= jws.LIMIT and token.count(dot) != 2  # type: ignore[arg-type]


def _text(token: str | bytes) -> str:
    return token if isinstance(token, str) else token.decode("ascii", "replace")


def _opening(shelf: KeyShelf | None) -> Sequence[Check[Presented]]:
    """The checks that need no key."""
    return (*PRESENTED_CHECKS, *shelf.preset.early) if shelf and shelf.preset.early else PRESENTED_CHECKS


def _unreadable(error: ValueError, rules: Rules) -> Presented:
    about = "" if isinstance(error, jws.NotAToken) else "claims: "
    return Presented(_EMPTY, _EMPTY, rules.trusted, unreadable=f"{about}{error}")


def _judged(
    opening: Opening,
    signature: bytes,
    signing_input: bytes,
    claims: Mapping[str, Any],
    shelf: KeyShelf,
    rules: Rules,
    now: float,
) -> Believed | Evidence:
    """Whether the signature is valid and, where it is, whether what the token says is good by now."""
    header, verify = opening.header, opening.verify
    for one in opening.keys:
        if verify(one.key, signature, signing_input):
            break
    else:
        return Evidence(_presented(header, claims, shelf, rules, "invalid"), shelf)
    try:
        token = _said(claims, shelf)
    except NotWhole as error:
        return Evidence(_presented(header, claims, shelf, rules, "valid", str(error), one.issuer), shelf)
    known = believed(token, shelf, rules, now, header, one.issuer)
    return known or Evidence(_presented(header, claims, shelf, rules, "valid", token, one.issuer), shelf)


def _presented(
    header: Mapping[str, Any],
    claims: Mapping[str, Any],
    shelf: KeyShelf,
    rules: Rules,
    signature: Signature,
    token: AccessToken | str = "",
    signer: str = "",
) -> Presented:
    return Presented(header, claims, rules.trusted, shelf.preset.expected, "", signature, "", token, signer)


def _said(claims: Mapping[str, Any], shelf: KeyShelf) -> AccessToken:
    """What a token with a valid signature says. Raises ``NotWhole``."""
    if shelf.spell is None:
        return whole(claims, shelf.shape)
    is_machine = shelf.preset.is_machine
    return whole(shelf.spell(claims), shelf.shape, claims, is_machine(claims) if is_machine else None)


def _without_key(shown: Presented, shelf: KeyShelf, has_keys: bool) -> Presented:
    """A token that no key can have signed, and what stood in the way of knowing more."""
    signature: Signature = "no key" if has_keys else "keys out of reach"
    return msgspec.structs.replace(shown, signature=signature, obstacle=shelf.failure)


_EMPTY: Mapping[str, Any] = {}
_OF_PROOFS = frozenset({"invalid_dpop_proof", "use_dpop_nonce"})
