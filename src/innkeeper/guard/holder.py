"""Is whoever sends the token its holder: the proof or the certificate that came with it.

A DPoP proof itself is judged in ``tokens.dpop``; here it is decided whether one is due, and which key it has to be of.
Certificates are compared as RFC 8705 §3 says.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest
from types import MappingProxyType
from typing import Any

import msgspec

from innkeeper.guard.credentials import Credentials
from innkeeper.protocol.errors import INVALID_TOKEN, TEMPORARILY_UNAVAILABLE
from innkeeper.protocol.refusals import Page, Refusal, UsageError
from innkeeper.tokens import dpop
from innkeeper.tokens.access import AccessToken
from innkeeper.tokens.dpop import ALGORITHMS, Proof
from innkeeper.tokens.trail import Check, Seen, Trail, check, follow

CERTIFICATE = "x5t#S256"
KEY = "jkt"


class Dpop(msgspec.Struct, frozen=True, kw_only=True):
    """How proofs are asked for. Bound tokens are always taken with their proof, and never without; these say more.

    ``required``: tokens that are not bound to a key are refused, and callers are told so. ``nonces``: proofs must hold a
    value of ours, so that none can be made in advance; ``secret`` makes it the same on all of your nodes, 32 bytes or
    more, else each process has its own. ``algorithms``: how proofs may be signed.
    """

    required: bool = False
    nonces: bool = False
    secret: bytes = b""
    algorithms: tuple[str, ...] = ALGORITHMS

    def __post_init__(self) -> None:
        """Raises ``UsageError``."""
        if self.secret and len(self.secret) < 32:
            raise UsageError(f"dpop secret of {len(self.secret)} bytes: 32 random bytes or more")
        if unknown := set(self.algorithms) - set(ALGORITHMS):
            raise UsageError(f"dpop algorithms {sorted(unknown)}: some of {', '.join(ALGORITHMS)}")
        if not self.algorithms:
            raise UsageError("dpop algorithms: at least one, or nobody can prove anything")


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What is known of the sender beside the token: the proof as it was read, whether it was used before, whether there was
    no room to note that, which nonces are good; the thumbprint of the certificate, "" where there is none."""

    proof: Proof | None = None
    replayed: bool = False
    full: bool = False
    nonces: frozenset[str] = frozenset()
    certificate: str = ""


NO_FACTS = Facts()


class Held(msgspec.Struct, frozen=True, gc=False):
    """A token and what its sender shows. ``required`` where only bound tokens are taken."""

    token: AccessToken
    sent: Credentials
    facts: Facts
    required: bool

    @property
    def bound(self) -> Mapping[str, Any]:
        return self.token.cnf if self.token.cnf is not None else _NOTHING


@check("RFC 7800 §3.1")
def binding_is_understood(case: Held) -> Seen | Refusal:
    """How the token is bound must be known here: by the key of a proof, by a certificate, or by both."""
    kinds = set(case.bound)
    known = {name for name in kinds & {KEY, CERTIFICATE} if isinstance(case.bound[name], str)}
    if case.token.cnf is not None and (kinds - known or not known):
        return Refusal(
            BOUND_OTHERWISE, "cnf binds the token in a way not known here", f"{KEY} or {CERTIFICATE}", _listed(kinds)
        )
    if case.required and KEY not in known:
        return Refusal(NOT_BOUND, "only tokens bound to a key are taken here", f"cnf with {KEY}", _listed(kinds))
    return Seen(_listed(kinds))


@check("RFC 9449 §7.2")
def scheme_fits_the_binding(case: Held) -> Seen | Refusal:
    """A token bound to a key must come under the scheme DPoP, and no other token may."""
    bound, under = KEY in case.bound, case.sent.is_dpop
    if bound and not under:
        return Refusal(SENT_AS_BEARER, "a bound token came under the scheme Bearer", "DPoP", "Bearer")
    if under and not bound:
        return Refusal(SENT_AS_BOUND, "the token is bound to no key", f"cnf with {KEY}", "no binding")
    return Seen("DPoP" if under else "Bearer")


@check("RFC 8705 §3")
def certificate_is_the_bound_one(case: Held) -> Seen | Refusal:
    """The certificate of the connection must be the one that the token is bound to."""
    expected, found = case.bound.get(CERTIFICATE), case.facts.certificate
    if expected is None:
        return _NO_CERTIFICATE
    if not found:
        return Refusal(NO_CERTIFICATE, "no certificate came with the request", str(expected), "none")
    if not compare_digest(str(expected).encode(), found.encode()):
        return Refusal(ANOTHER_CERTIFICATE, "the certificate is another one", str(expected), found)
    return Seen(found)


HOLDER_CHECKS: tuple[Check[Held], ...] = (
    binding_is_understood,
    scheme_fits_the_binding,
    certificate_is_the_bound_one,
)


@check("RFC 9449 §11.1")
def proof_can_be_remembered(case: Held) -> Seen | Refusal:
    """There must be room to note the proof, or it could work twice."""
    if case.facts.full:
        return Refusal(NO_ROOM, "the memory of used proofs is full", "room for one more", "none")
    return Seen("noted")


PROOF_CHECKS: tuple[Check[Held], ...] = (proof_can_be_remembered,)


def judged(about: str, held: Held, token: str, now: float, rules: Dpop) -> Trail:
    """Whether the sender is the token's holder: the checks above, then, for a bound token, those of its proof."""
    trail = follow(about, HOLDER_CHECKS, held)
    if trail.refusal or KEY not in held.bound:
        return trail
    case = dpop.Case(
        proof=held.facts.proof or Proof("no DPoP header came"),
        method=held.sent.method,
        url=held.sent.url,
        now=int(now),
        replayed=held.facts.replayed,
        nonces=held.facts.nonces,
        nonce_required=rules.nonces,
        access_token=token,
        bound_to=str(held.bound[KEY]),
    )
    trail = trail.then(dpop.judge(case))
    return trail if trail.refusal else trail.then(follow(about, PROOF_CHECKS, held))


def proof_name(proof: Proof) -> bytes:
    """What a proof is remembered under, so that it works once."""
    return sha256(f"{proof.thumbprint} {proof.claims.get('jti')}".encode("utf-8", "surrogatepass")).digest()


def _listed(kinds: set[str]) -> str:
    return ", ".join(sorted(str(one)[:40] for one in kinds)) or "not bound"


_NOTHING: Mapping[str, Any] = MappingProxyType({})
_NO_CERTIFICATE = Seen("bound to no certificate")
_WIRE = "The access token is malformed, expired, revoked, or not meant for this resource."


def _page(number: str, title: str, cause: str, remedy: str, wire: str = _WIRE) -> Page:
    return Page(number, INVALID_TOKEN, title, cause, remedy, wire, 401)


SENT_AS_BEARER = _page(
    "IK566",
    "A bound token was sent as if it were not",
    "The token is bound to a key (cnf has jkt), and came under the scheme Bearer, without the proof that its sender has it.",
    "Send 'Authorization: DPoP TOKEN' together with a DPoP header whose proof is signed by that key.",
    "The access token is bound to a key: send it under the scheme DPoP, with a proof.",
)
SENT_AS_BOUND = _page(
    "IK567",
    "A token that is not bound was sent with a proof",
    "The scheme DPoP is for tokens that are bound to the proof's key; this one has no jkt in cnf, so the proof proves nothing.",
    "Send a DPoP proof to the token endpoint already, so that the token is bound; or send this one as Bearer.",
    "The access token is not bound to the key of the proof.",
)
NO_CERTIFICATE = _page(
    "IK568",
    "The token needs a certificate, and none came",
    "The token is bound to the TLS certificate of its holder (cnf has x5t#S256), and the connection shows none: the client "
    "sent none, or a proxy that ends TLS passes none on, or the guard was not told which proxy to believe.",
    "Connect with the certificate the token was got with; behind a proxy set trusted_proxies and certificate_header.",
    "The access token is bound to a certificate that did not come with the request.",
)
ANOTHER_CERTIFICATE = _page(
    "IK569",
    "The token is bound to another certificate",
    "The connection's certificate is not the one whose hash stands in cnf. A stolen token looks like this; so does a client "
    "that renewed its certificate and kept its token.",
    "Get a new token over a connection with the certificate in use now.",
    "The access token is bound to another certificate.",
)
BOUND_OTHERWISE = _page(
    "IK570",
    "The token is bound in a way that is not known here",
    "The claim cnf holds something other than jkt (a key, shown by a DPoP proof) or x5t#S256 (a certificate).",
    "Let the issuer bind tokens for this API by DPoP or by certificate.",
)
NOT_BOUND = _page(
    "IK571",
    "Only bound tokens are taken here",
    "This API refuses tokens that anyone who copies them could use.",
    "Send a DPoP proof with the token request, so that the issuer binds the token, and one with each request here.",
    "The access token must be bound to a key (DPoP).",
)
NO_ROOM = Page(
    "IK576",
    TEMPORARILY_UNAVAILABLE,
    "No more DPoP proofs can be remembered",
    "Used proofs are kept for some minutes so that none works twice; so many came that the memory is full. None is forgotten "
    "early for that.",
    "Give the guard a larger memory, or one that several processes share (replays=), or ask for nonces.",
    "Too many requests at once; try again.",
    503,
)
