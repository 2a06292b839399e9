"""Backchannel requests that their client signed, so that it cannot deny them and nobody else can change them (CIBA §7.1.1)."""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client
from innkeeper.protocol.errors import INVALID_REQUEST
from innkeeper.protocol.parameters import Parameters
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, Trail, check, follow

LONGEST = 3600
"""Seconds that a signed request may live."""

BESIDE = frozenset({"request", "client_id", "client_secret", "client_assertion", "client_assertion_type"})
"""What may stand beside a signed request: it, and the client's proof of who it is."""

ONCE = "backchannel request object"


class Case(msgspec.Struct, frozen=True):
    """A request as it came. ``problem`` says why no key of the client verifies its object; ``replayed`` that its jti
    was used before."""

    sent: Parameters
    client: Client
    policy: Policy
    now: int
    problem: str = ""
    claims: dict[str, Any] = {}
    replayed: bool = False

    @property
    def signed(self) -> bool:
        return "request" in self.sent


def judge(case: Case) -> Trail:
    """Whether the request is signed where it must be, and where it is, whether it is good."""
    return follow("backchannel", CHECKS if case.signed else UNSIGNED_CHECKS, case)


def name_of(case: Case) -> tuple[str, int]:
    """What a signed request is remembered by, and until when."""
    jti, exp = str(case.claims["jti"]), int(case.claims["exp"])
    return f"{len(case.client.id)} {case.client.id} {jti}", exp + case.policy.leeway


@check("CIBA §7.1.1")
def the_request_is_signed_where_it_must_be(case: Case) -> Seen | Refusal:
    """A client that registered to sign its requests, or whose profile asks for it, sends no plain ones."""
    registered = case.client.backchannel_authentication_request_signing_alg
    if registered or case.policy.profile_for(case.client).require_signed:
        return Refusal(NOT_SIGNED, "the request was not signed", f"the parameter request, {registered}", "none")
    return Seen("not demanded")


@check("CIBA §7.1.1")
def nothing_stands_beside_it(case: Case) -> Seen | Refusal:
    """Every parameter of the request is inside the signed object."""
    beside = frozenset(case.sent) - BESIDE
    if beside:
        return Refusal(BAD_OBJECT, f"{min(beside)} stands beside the signed request", "inside it", min(beside))
    return Seen("nothing")


@check("CIBA §7.1.1")
def the_object_is_signed_by_the_client(case: Case) -> Seen | Refusal:
    """A key that the client registered verifies the signature, in the algorithm it registered."""
    if case.problem:
        return Refusal(BAD_OBJECT, f"the signed request does not verify: {case.problem}", "a registered key", "another")
    return Seen(case.client.id)


@check("CIBA §7.1.1")
def the_object_says_who_and_whom(case: Case) -> Seen | Refusal:
    """``iss`` is the client and ``aud`` this issuer; a jti tells it from every other."""
    claims, issuer = case.claims, case.policy.issuer
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != case.client.id or claims.get("client_id", case.client.id) != case.client.id:
        return Refusal(BAD_OBJECT, "iss or client_id is not the client", case.client.id, repr(claims.get("iss")))
    if issuer not in named:
        return Refusal(BAD_OBJECT, "the signed request is addressed to someone else", issuer, repr(audience))
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        return Refusal(BAD_OBJECT, "the signed request has no jti", "a jti", repr(claims.get("jti")))
    return Seen(repr(claims["jti"]))


@check("CIBA §7.1.1")
def the_object_is_of_this_hour(case: Case) -> Seen | Refusal:
    """``exp``, ``iat`` and ``nbf`` are there; it was made already, has not expired, and lives for an hour at most."""
    claims, now, policy = case.claims, case.now, case.policy
    for name in ("exp", "iat", "nbf"):
        if not isinstance(claims.get(name), int | float) or isinstance(claims[name], bool):
            return Refusal(
                BAD_OBJECT, f"the signed request has no {name}", "seconds since 1970", repr(claims.get(name))
            )
    if claims["exp"] <= now - policy.leeway:
        return Refusal(BAD_OBJECT, "the signed request has expired", f"exp after {now}", repr(claims["exp"]))
    if max(claims["nbf"], claims["iat"]) > now + policy.ahead:
        return Refusal(BAD_OBJECT, "the signed request is not valid yet", f"nbf by {now}", repr(claims["nbf"]))
    if claims["exp"] - claims["nbf"] > LONGEST:
        return Refusal(
            BAD_OBJECT, "the signed request lives too long", f"{LONGEST} s", f"{claims['exp'] - claims['nbf']}"
        )
    return Seen(f"exp {claims['exp']}")


@check("CIBA §7.1.1")
def the_object_is_used_once(case: Case) -> Seen | Refusal:
    """The same signed request asks nobody twice."""
    if case.replayed:
        return Refusal(BAD_OBJECT, "the signed request was used before", "a new jti", repr(case.claims.get("jti")))
    return Seen("new")


UNSIGNED_CHECKS = (the_request_is_signed_where_it_must_be,)
CHECKS = (
    nothing_stands_beside_it,
    the_object_is_signed_by_the_client,
    the_object_says_who_and_whom,
    the_object_is_of_this_hour,
    the_object_is_used_once,
)

BAD_OBJECT = Page(
    "IK297",
    INVALID_REQUEST,
    "The signed backchannel request is no good",
    "No key of the client verifies it, it is addressed to another issuer, lacks iss, aud, exp, iat, nbf or jti, has "
    "expired or was used before, or parameters stand beside it.",
    "Put every parameter inside, sign it with a registered key, aud the issuer, and give each a new jti.",
    "The signed backchannel authentication request is not valid.",
)
NOT_SIGNED = Page(
    "IK298",
    INVALID_REQUEST,
    "The backchannel request must be signed",
    "The client registered backchannel_authentication_request_signing_alg, or lives by a profile that asks for signed "
    "requests, and sent its parameters plainly.",
    "Send them in a JWT signed by the client, under the name request.",
    "The backchannel authentication request must be signed.",
)
