"""The device grant: a device asks with one code while a person enters the other elsewhere."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.entra.aadsts import refuse
from innkeeper.issuer.core.entra.codes import grants as codes
from innkeeper.issuer.core.entra.parties import Party
from innkeeper.issuer.core.records import Grant
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, check

LIFETIME, INTERVAL = 900, 5

PENDING, ALLOWED, DENIED = "pending", "allowed", "denied"

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
LENGTH = 9
"""Nine capitals and digits; those that look alike are left out."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A device's request. ``grant`` is what the person allowed, once they did; ``tenant`` is theirs."""

    client_id: str
    scope: str
    authority: str
    user_code: str
    expires_at: int
    version: int = 2
    state: str = PENDING
    tenant: str = ""
    grant: Grant | None = None


class Case(msgspec.Struct, frozen=True):
    client: Party
    waiting: Waiting | None
    now: int


@check("AADSTS 70018")
def the_device_code_is_known(case: Case) -> Seen | Refusal:
    """It was given out here, to this application, and not redeemed yet."""
    if case.waiting is None or case.waiting.client_id != case.client.id:
        return refuse(codes.DEVICE_BAD_CODE, "no such device code", found="unknown")
    return Seen("known")


@check("AADSTS 70020")
def it_has_not_expired(case: Case) -> Seen | Refusal:
    """Fifteen minutes have not passed."""
    if case.waiting is not None and case.waiting.expires_at <= case.now:
        return refuse(codes.DEVICE_EXPIRED, f"it expired {case.now - case.waiting.expires_at} s ago")
    return Seen("fresh")


@check("AADSTS 70017")
def the_person_did_not_decline(case: Case) -> Seen | Refusal:
    """The person did not press Cancel."""
    if case.waiting is not None and case.waiting.state == DENIED:
        return refuse(codes.DEVICE_DECLINED, "the person declined")
    return Seen(case.waiting.state if case.waiting else "")


@check("AADSTS 70016")
def the_person_has_answered(case: Case) -> Seen | Refusal:
    """The person entered the code, signed in and said yes."""
    if case.waiting is not None and case.waiting.state != ALLOWED:
        return refuse(codes.DEVICE_PENDING, "nobody answered yet", expected=ALLOWED, found=case.waiting.state)
    return Seen(ALLOWED)


CHECKS = (the_device_code_is_known, it_has_not_expired, the_person_did_not_decline, the_person_has_answered)


def canonical(typed: str) -> str:
    """A typed code in its stored spelling."""
    return "".join(one for one in typed.upper() if one.isalnum())[:LENGTH]
