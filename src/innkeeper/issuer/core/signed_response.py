"""An authorization response in a JWT, so that nobody on its way changes it or mixes it up with another (JARM)."""

from __future__ import annotations

from collections.abc import Iterable

from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client

TYPE = "JWT"

PARAMETER = "response"
"""The one parameter that the response travels in."""

LIFETIME = 600
"""Seconds in which the response has to arrive; ten minutes are the most that §2.1 recommends."""


def claims(fields: Iterable[tuple[str, str]], client: Client, policy: Policy, now: int) -> dict[str, str | int]:
    """The JWT's claims: who says it, to whom, until when, and the parameters of the response (§2.1)."""
    return {**dict(fields), "iss": policy.issuer, "aud": client.id, "exp": now + LIFETIME}


def carrier(mode: str) -> str | None:
    """How the JWT of a mode travels: ``query``, ``fragment`` or ``form_post``; None for a mode without a JWT (§2.3)."""
    return mode.removesuffix(".jwt") if mode.endswith(".jwt") else None
