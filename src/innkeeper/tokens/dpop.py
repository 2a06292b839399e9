"""DPoP proofs: a caller shows that it holds the key its token is bound to, so that a copied token is useless (RFC 9449).

The signature is verified in ``keys.proofs``; whether a ``jti`` was seen before is a fact from the caller's store.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import msgspec

from innkeeper.protocol import base64url
from innkeeper.protocol.errors import INVALID_DPOP_PROOF, INVALID_TOKEN, USE_DPOP_NONCE
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, Trail, check, follow

TYPE = "dpop+jwt"
ALGORITHMS = ("ES256", "ES384", "EdDSA", "PS256", "RS256")

PAST = 300
"""Seconds that a proof may be old: a laptop's clock, a slow network. Replays are remembered for as long."""
FUTURE = 60
"""Seconds that a proof may be ahead of our clock."""


class Proof(msgspec.Struct, frozen=True):
    """A proof taken apart. ``problem`` says why it is none, or why its own key does not verify it; ``thumbprint`` is
    of the key inside it."""

    problem: str = ""
    header: Mapping[str, Any] = MappingProxyType({})
    claims: Mapping[str, Any] = MappingProxyType({})
    thumbprint: str = ""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A proof in a request. ``nonces`` are those given out and still good; ``access_token`` is the token that came
    with the proof, "" at the token endpoint; ``bound_to`` is the thumbprint the token is bound to, None where
    nothing is bound yet."""

    proof: Proof
    method: str
    url: str
    now: int
    replayed: bool = False
    nonces: frozenset[str] = frozenset()
    nonce_required: bool = False
    access_token: str = ""
    bound_to: str | None = None


def judge(case: Case) -> Trail:
    """Whether the proof proves what it should."""
    return follow("dpop", CHECKS, case)


def confirmation(thumbprint: str) -> dict[str, str]:
    """The ``cnf`` claim of a token bound to a key (§6.1)."""
    return {"jkt": thumbprint}


def token_hash(access_token: str) -> str:
    """The ``ath`` claim: SHA-256 of the access token, base64url (§4.2)."""
    return base64url.encode_text(sha256(access_token.encode("ascii", "replace")).digest())


@check("RFC 9449 §4.3")
def the_proof_is_signed_by_the_key_it_shows(case: Case) -> Seen | Refusal:
    """The proof is a JWT of its own type, signed with an asymmetric algorithm by the public key in its header."""
    if case.proof.problem:
        return Refusal(PROOF_WRONG, case.proof.problem, "one DPoP proof, signed by its own key", "none")
    return Seen(f"key {case.proof.thumbprint}")


@check("RFC 9449 §4.2")
def the_proof_is_whole(case: Case) -> Seen | Refusal:
    """It says when it was made, for which method and address, and has a name of its own."""
    kinds: dict[str, type | tuple[type, ...]] = {"jti": str, "htm": str, "htu": str, "iat": (int, float)}
    for name, kind in kinds.items():
        if not isinstance(case.proof.claims.get(name), kind) or case.proof.claims[name] == "":
            return Refusal(PROOF_WRONG, f"the claim {name} is missing or of the wrong kind", name, "none")
    return Seen("jti, htm, htu, iat")


@check("RFC 9449 §4.3")
def the_proof_is_for_this_request(case: Case) -> Seen | Refusal:
    """``htm`` and ``htu`` are this request's method and address, query and fragment aside."""
    expected = f"{case.method} {_bare(case.url)}"
    found = f"{case.proof.claims['htm']} {_bare(case.proof.claims['htu'])}"
    if found != expected:
        return Refusal(PROOF_WRONG, "the proof was made for another request", expected, found)
    return Seen(found)


@check("RFC 9449 §11.1")
def the_proof_is_fresh(case: Case) -> Seen | Refusal:
    """It was made a moment ago."""
    age = case.now - case.proof.claims["iat"]
    rule = f"at most {PAST} s old, at most {FUTURE} s ahead"
    if not -FUTURE <= age <= PAST:
        return Refusal(PROOF_WRONG, f"the proof is {int(age)} s old", rule, f"{int(age)} s")
    return Seen(f"{int(age)} s old", rule)


@check("RFC 9449 §8")
def the_nonce_is_one_of_ours(case: Case) -> Seen | Refusal:
    """A nonce, where one is demanded or sent, was given out by this server a short while ago."""
    sent = case.proof.claims.get("nonce")
    if sent is None and not case.nonce_required:
        return Seen("none demanded")
    if not isinstance(sent, str) or sent not in case.nonces:
        return Refusal(NONCE_NEEDED, "the nonce is missing or too old", "the nonce of our answer", repr(sent))
    return Seen("given out here")


@check("RFC 9449 §4.3")
def the_token_belongs_to_the_proof(case: Case) -> Seen | Refusal:
    """``ath`` is the hash of the access token that came along."""
    if not case.access_token:
        return Seen("no access token here")
    expected, found = token_hash(case.access_token), case.proof.claims.get("ath")
    if not isinstance(found, str) or not compare_digest(found.encode(), expected.encode()):
        return Refusal(PROOF_WRONG, "the proof was made for another access token", expected, repr(found))
    return Seen(found)


@check("RFC 9449 §6")
def the_key_is_the_bound_one(case: Case) -> Seen | Refusal:
    """The key that signed the proof is the one that the token or grant is bound to."""
    if case.bound_to is None:
        return Seen("not bound yet")
    if not compare_digest(case.proof.thumbprint, case.bound_to):
        return Refusal(OTHER_KEY, "the proof is by another key", case.bound_to, case.proof.thumbprint)
    return Seen(case.bound_to)


@check("RFC 9449 §11.1")
def the_proof_was_not_used_before(case: Case) -> Seen | Refusal:
    """Each proof works once."""
    if case.replayed:
        return Refusal(PROOF_WRONG, "the proof was used before", "a new jti for each request", "a known one")
    return Seen("new")


CHECKS = (
    the_proof_is_signed_by_the_key_it_shows,
    the_proof_is_whole,
    the_proof_is_for_this_request,
    the_proof_is_fresh,
    the_nonce_is_one_of_ours,
    the_token_belongs_to_the_proof,
    the_key_is_the_bound_one,
    the_proof_was_not_used_before,
)

PROOF_WRONG = Page(
    "IK540",
    INVALID_DPOP_PROOF,
    "The DPoP proof does not prove it",
    "The DPoP header is missing, comes twice, is not signed by the key inside it, was made for another method, address "
    "or access token, is too old, or was used before.",
    "Make a new proof for every request: htm and htu of that request, iat now, a random jti, and ath where an access "
    "token goes with it. Set the clock right.",
    "The DPoP proof is not valid.",
)
NONCE_NEEDED = Page(
    "IK541",
    USE_DPOP_NONCE,
    "The DPoP proof needs a nonce",
    "This server wants a value of its own in the proof, so that none can be made in advance.",
    "Put the value of the answer's DPoP-Nonce header into the claim nonce and send the request again.",
    "A DPoP nonce is required.",
)
OTHER_KEY = Page(
    "IK542",
    INVALID_TOKEN,
    "The token is bound to another key",
    "A bound token works only together with the key it was cut for; this proof was made with another one.",
    "Sign the proof with the key that was used when the token was got. A stolen token is of no use.",
    "The token is bound to another key.",
    401,
)


def _bare(url: str) -> str:
    """An address as proofs compare it: normalised, without query and fragment (§4.3; RFC 3986 §6.2.2)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    standard = {"https": 443, "http": 80}.get(parts.scheme)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    place = host if port in (None, standard) else f"{host}:{port}"
    return f"{parts.scheme}://{place}{parts.path or '/'}"
