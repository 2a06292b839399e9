"""Telling clients through the browser that its person signed out (OpenID Connect Front-Channel Logout 1.0)."""

from __future__ import annotations

from collections.abc import Iterable

from innkeeper.issuer.core.policy import Policy
from innkeeper.protocol.redirects import with_parameters


def frames(registered: Iterable[str], session_id: str, policy: Policy) -> tuple[str, ...]:
    """The clients' addresses as the browser loads them, each in a frame.

    Every client learns which session it is (§3), so that another site that loads the same address ends nothing.
    """
    named = (("iss", policy.issuer), ("sid", session_id))
    return tuple(with_parameters(one, named) for one in registered if one)
