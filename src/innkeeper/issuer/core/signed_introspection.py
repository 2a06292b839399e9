"""An introspection's answer in a JWT, which whoever asked can keep as proof of what it was told (RFC 9701)."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client

TYPE = "token-introspection+jwt"


def claims(answer: dict[str, Any], client: Client, policy: Policy, now: int) -> dict[str, Any]:
    """The JWT's claims (§5). The token's own stand inside ``token_introspection`` alone, and the JWT has neither
    ``sub`` nor ``exp``, so that nobody takes the answer for the token."""
    return {"iss": policy.issuer, "aud": client.id, "iat": now, "token_introspection": answer}
