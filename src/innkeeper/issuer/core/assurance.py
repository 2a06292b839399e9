"""How surely somebody was recognised: the classes that we advertise (acr) and the means they stand for (amr, RFC 8176).

A class includes the ones before it: whoever used a passkey has also met what ``MFA`` asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import msgspec

PASSWORD = "urn:innkeeper:acr:password"
MFA = "urn:innkeeper:acr:mfa"
PASSKEY = "urn:innkeeper:acr:passkey"

LEVELS = (PASSWORD, MFA, PASSKEY)

UPSTREAM = "urn:innkeeper:acr:upstream"
"""Another issuer vouched for them; it stands outside the order, for nobody here knows what was asked there."""

CODES = "codes"
PASSKEYS = "passkeys"


class Proof(msgspec.Struct, frozen=True):
    """What a sign-in proved: its class and its means."""

    acr: str
    amr: tuple[str, ...]


BY_PASSWORD = Proof(PASSWORD, ("pwd",))
BY_PASSWORD_AND_CODE = Proof(MFA, ("pwd", "otp", "mfa"))
BY_DEVICE_KEY = Proof(PASSKEY, ("hwk", "user", "mfa"))
BY_SHARED_KEY = Proof(PASSKEY, ("swk", "user", "mfa"))
"""A passkey that its owner's devices share is software; one that stays in its device is counted as hardware."""


class Asked(msgspec.Struct, frozen=True):
    """The classes a client asks for, the most wanted first; ``essential`` means that no other will do."""

    values: tuple[str, ...] = ()
    essential: bool = False


def asked(acr_values: tuple[str, ...], acr_claim: Any) -> Asked:
    """What a request asks for: by the claim where it is essential, else by either (OpenID Connect Core §5.5.1.1)."""
    wish = acr_claim if isinstance(acr_claim, dict) else {}
    single, several = wish.get("value"), wish.get("values")
    named = [single] if isinstance(single, str) else several if isinstance(several, list) else []
    values = tuple(one for one in named if isinstance(one, str))
    if wish.get("essential") is True and values:
        return Asked(values, essential=True)
    return Asked(values or acr_values)


def meets(acr: str, wanted: str) -> bool:
    """Whether a sign-in of class ``acr`` is of class ``wanted`` too."""
    if acr == wanted:
        return True
    return acr in LEVELS and wanted in LEVELS and LEVELS.index(acr) > LEVELS.index(wanted)


def told(acr: str, wish: Asked) -> str:
    """The class to tell the client: the first that it asked for and that was met, else what was reached."""
    return next((one for one in wish.values if meets(acr, one)), acr)


def reachable(wanted: Iterable[str], factors: frozenset[str]) -> bool:
    """Whether a person with these factors could reach one of the classes."""
    best = {PASSKEY: PASSKEYS in factors, MFA: bool(factors), PASSWORD: True}
    return any(best.get(one, False) for one in wanted)


def supported(issuer: str) -> list[str]:
    """The classes that can be reached at this issuer."""
    return [one for one in LEVELS if one != PASSKEY or rp_id(issuer)]


def rp_id(issuer: str) -> str | None:
    """The name that passkeys of this issuer are bound to, or None where browsers make none (WebAuthn §5.1.2, §13.4.9):
    at a bare address, or without TLS anywhere but on localhost."""
    parts = urlsplit(issuer)
    host = parts.hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return host
    is_address = ":" in host or host.rpartition(".")[2].isdigit()
    return host if parts.scheme == "https" and host and not is_address else None
