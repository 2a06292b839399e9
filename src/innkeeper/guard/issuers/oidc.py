"""Any OpenID provider whose access tokens are signed JWTs, if not quite in the profile."""

from __future__ import annotations

from typing import Any

from innkeeper.guard.issuers.preset import Claims, Preset
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.access import TYPE
from innkeeper.tokens.trail import Seen, check
from innkeeper.tokens.verification import ANOTHER_TYPE, Expected, Presented

_TYPES = frozenset({TYPE, f"application/{TYPE}", "jwt", ""})
_ID_TOKEN_ONLY = frozenset({"at_hash", "c_hash", "s_hash"})
_CLIENT = ("client_id", "azp", "cid", "appid")
_SCOPE = ("scope", "scp")


def oidc(issuer: str, *, jwks_uri: str | None = None) -> Preset:
    """A provider that writes ``typ: JWT`` or none, names the client azp, cid or appid, or the scopes scp.

    As such a header does not tell an access token from an ID token, claims that only ID tokens have refuse the
    token; the audience, an API and never a client, does the rest.
    """
    expected = Expected(issuer, types=_TYPES, required=("iss", "exp", "aud", "sub", "iat"))
    return Preset("oidc", expected, spell, OIDC_CHECKS, jwks_uri)


@check("OpenID Connect Core §3.1.3.6")
def token_is_no_id_token(case: Presented) -> Seen | Refusal:
    """No claim may be there that only ID tokens have."""
    marks = sorted(_ID_TOKEN_ONLY & case.claims.keys())
    if marks:
        return Refusal(ANOTHER_TYPE, f"claim {marks[0]!r} belongs to ID tokens", "an access token", "an ID token")
    return _NO_MARKS


OIDC_CHECKS = (token_is_no_id_token,)

_NO_MARKS = Seen("no claim of an ID token")


def spell(claims: Claims) -> Claims:
    """The provider's claims in the words of RFC 9068."""
    spelled: dict[str, Any] = dict(claims)
    client = next((claims[name] for name in _CLIENT if name in claims), "")
    granted = next((claims[name] for name in _SCOPE if name in claims), "")
    spelled["client_id"] = client
    spelled["scope"] = " ".join(map(str, granted)) if isinstance(granted, list) else granted
    return spelled
