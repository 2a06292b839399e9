"""innkeeper, and every issuer whose access tokens are JWTs in the profile of their specification."""

from __future__ import annotations

from innkeeper.guard.issuers.preset import Preset
from innkeeper.tokens.verification import Expected


def native(issuer: str, *, jwks_uri: str | None = None) -> Preset:
    """An issuer that follows RFC 9068: typ is at+jwt, and aud, client_id, iat and jti are always there."""
    return Preset("native", Expected(issuer), jwks_uri=jwks_uri)
