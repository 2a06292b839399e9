"""A code is redeemed once, by the client and redirect URI that asked for it, with the verifier behind its challenge."""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest

import msgspec

from innkeeper.issuer.core.entra.aadsts import refuse
from innkeeper.issuer.core.entra.asking import Ask
from innkeeper.issuer.core.entra.codes import grants as codes
from innkeeper.issuer.core.entra.parties import Party
from innkeeper.issuer.core.records import Code
from innkeeper.protocol import base64url
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, check

PLAIN = "plain:"
"""What stands before a stored challenge that is the verifier itself."""


class Case(msgspec.Struct, frozen=True):
    """``code`` is the one that was sent, None where nobody was ever given it."""

    ask: Ask
    client: Party
    code: Code | None
    now: int


@check("AADSTS 70000")
def the_code_is_one_of_ours(case: Case) -> Seen | Refusal:
    """It was cut here, for this application."""
    if case.code is None:
        return _invalid("nobody was given this code", "The provided value for the input parameter 'code' is not valid.")
    if case.code.grant.client_id != case.client.id:
        return _invalid("it was cut for another application", "The code was issued to another client.")
    return Seen("known")


@check("AADSTS 54005")
def the_code_is_unspent(case: Case) -> Seen | Refusal:
    """It was not redeemed before."""
    if case.code is not None and case.code.spent_at is not None:
        return refuse(
            codes.CODE_SPENT, f"redeemed {case.now - case.code.spent_at} s ago", expected="unspent", found="spent"
        )
    return Seen("unspent")


@check("AADSTS 70008")
def the_code_is_fresh(case: Case) -> Seen | Refusal:
    """Ten minutes have not passed."""
    if case.code is not None and case.code.expires_at <= case.now:
        return refuse(codes.CODE_EXPIRED, f"it expired {case.now - case.code.expires_at} s ago")
    return Seen("fresh")


@check("AADSTS 70000")
def the_redirect_uri_is_the_same(case: Case) -> Seen | Refusal:
    """The redirect URI is the one that the code went to; it may be left out only where /authorize was not told it."""
    sent = case.ask.get("redirect_uri")
    if case.code is not None and sent != case.code.redirect_uri:
        detail = "The reply address does not match the one given to the authorization endpoint."
        return _invalid("another redirect URI", detail, case.code.redirect_uri, sent)
    return Seen(sent)


@check("AADSTS 50148")
def a_verifier_came_where_there_was_a_challenge(case: Case) -> Seen | Refusal:
    """A challenge wants its verifier, and a verifier its challenge."""
    verifier, challenge = case.ask.get("code_verifier"), case.code.challenge if case.code else None
    if bool(verifier) != bool(challenge):
        lacks = "no verifier came" if challenge else "no challenge was sent to /authorize"
        return refuse(codes.VERIFIER_MISSING, lacks, expected="both or neither", detail=f"{lacks}.")
    if verifier and not _LENGTH[0] <= len(verifier) <= _LENGTH[1]:
        why = "The code_verifier must have 43 to 128 characters."
        return refuse(codes.VERIFIER_MISSING, why, expected="43 to 128", found=f"{len(verifier)}", detail=why)
    return Seen("both" if challenge else "neither")


@check("AADSTS 501481")
def the_verifier_matches(case: Case) -> Seen | Refusal:
    """The verifier, hashed (or as it is, where the method was plain), is the challenge."""
    challenge = case.code.challenge if case.code else None
    if challenge and not compare_digest(_answer(case.ask.get("code_verifier"), challenge).encode(), challenge.encode()):
        return refuse(
            codes.VERIFIER_WRONG, "another verifier", expected="the one behind the challenge", found="another"
        )
    return Seen("it does" if challenge else "no challenge")


CHECKS = (
    the_code_is_one_of_ours,
    the_code_is_unspent,
    the_code_is_fresh,
    the_redirect_uri_is_the_same,
    a_verifier_came_where_there_was_a_challenge,
    the_verifier_matches,
)

_LENGTH = (43, 128)


def _answer(verifier: str, challenge: str) -> str:
    """What the challenge must be for this verifier."""
    if challenge.startswith(PLAIN):
        return PLAIN + verifier
    return base64url.encode_text(sha256(verifier.encode()).digest())


def _invalid(why: str, detail: str, expected: str = "", found: str = "") -> Refusal:
    return refuse(codes.GRANT_INVALID, why, expected=expected, found=found, detail=detail)
