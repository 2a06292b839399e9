"""Believing an ID token: the checks a client makes before it takes anyone's word for who signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from innkeeper.client.asking import Flow, ask, get, now
from innkeeper.client.discovery import Metadata
from innkeeper.client.refused import Refused, quoted, refuse
from innkeeper.keys.jwk import UnusableKey, VerifyingKey, read_set
from innkeeper.keys.jws import ALGORITHMS, NotAToken, Parsed, parse, verify
from innkeeper.protocol.errors import SERVER_ERROR
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.tokens.identity import half_hash
from innkeeper.tokens.trail import Seen, check, follow

FALSE_IDENTITY = Page(
    "IK615",
    error=SERVER_ERROR,
    title="The ID token cannot be believed",
    cause="One of the checks on the ID token failed: it may be another issuer's, another client's, old, or forged.",
    remedy="Sign in again. If it stays, the check that failed is named above; whoever runs the issuer must mend it.",
    wire="",
)

LEEWAY = 30  # seconds by which clocks may differ


class Presented(msgspec.Struct, frozen=True):
    """An ID token taken apart, beside what was asked. ``signed``: a published key of the issuer fits."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str
    now: float
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bool


def believed(
    metadata: Metadata, client_id: str, nonce: str, access_token: str, id_token: str
) -> Flow[Mapping[str, Any]]:
    """The claims of ``id_token`` once every check has passed (OpenID Connect Core §3.1.3.7). Raises ``Refused``."""
    try:
        parsed = parse(id_token)
        claims = read_object(parsed.claims)
    except (NotAToken, NotStrict) as error:
        raise refuse(FALSE_IDENTITY, f"the ID token is no signed JWT: {error}") from None
    signed = _signed(parsed, (yield from _keys(metadata)))
    moment = yield from now()
    case = Presented(metadata.issuer, client_id, nonce, access_token, moment, parsed.header, claims, signed)
    refusal = follow("ID token", IDENTITY_CHECKS, case).refusal
    if refusal:
        raise Refused(refusal)
    return claims


def _keys(metadata: Metadata) -> Flow[tuple[VerifyingKey, ...]]:
    if metadata.jwks_uri is None:
        raise refuse(FALSE_IDENTITY, "the issuer publishes no keys (jwks_uri) to check the ID token with")
    reply = yield from ask(get(metadata.jwks_uri, "the issuer's keys"))
    try:
        return read_set(read_object(reply.body))[0]
    except (NotStrict, UnusableKey) as error:
        reason = f"the issuer's keys at {metadata.jwks_uri} cannot be read ({reply.status}): {error}"
        raise refuse(FALSE_IDENTITY, reason) from None


def _signed(parsed: Parsed, keys: tuple[VerifyingKey, ...]) -> bool:
    alg, kid = parsed.header.get("alg"), parsed.header.get("kid")
    if not isinstance(alg, str):
        return False
    candidates = [one for one in keys if one.alg in {None, alg} and (kid is None or one.kid == kid)]
    return any(verify(parsed, one.key, alg) for one in candidates)


@check("OpenID Connect Core §3.1.3.7")
def algorithm_is_asymmetric(case: Presented) -> Seen | Refusal:
    """The algorithm is one that only the issuer's private key can use."""
    return _equal("alg", case.header.get("alg"), *ALGORITHMS)


@check("OpenID Connect Core §3.1.3.7")
def signature_is_the_issuers(case: Presented) -> Seen | Refusal:
    """A key that the issuer publishes made the signature."""
    if not case.signed:
        kid = quoted(case.header.get("kid"), 60)
        return Refusal(FALSE_IDENTITY, f"no published key made the signature (kid {kid})", "valid", "invalid")
    return Seen("valid")


@check("OpenID Connect Core §3.1.3.7")
def issuer_is_the_one_asked(case: Presented) -> Seen | Refusal:
    """The issuer is the one that was asked, exactly."""
    return _equal("iss", case.claims.get("iss"), case.issuer)


@check("OpenID Connect Core §3.1.3.7")
def audience_is_this_client(case: Presented) -> Seen | Refusal:
    """The token was made for this client, and issued to no other."""
    audience = case.claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if case.client_id not in audiences:
        shown = quoted(audience, 120)
        return Refusal(FALSE_IDENTITY, f"aud is {shown}", expected=case.client_id, found=shown)
    if len(audiences) > 1 or "azp" in case.claims:
        return _equal("azp", case.claims.get("azp"), case.client_id)
    return Seen(case.client_id, case.client_id)


@check("OpenID Connect Core §3.1.3.7")
def time_is_right(case: Presented) -> Seen | Refusal:
    """The token has not expired."""
    end = case.claims.get("exp")
    if not isinstance(end, int | float) or case.now >= end + LEEWAY:
        return Refusal(FALSE_IDENTITY, "it has expired, or names no end", "exp in the future", f"exp {quoted(end, 40)}")
    return Seen(f"{int(end - case.now)} s left")


@check("OpenID Connect Core §3.1.2.1")
def nonce_is_ours(case: Presented) -> Seen | Refusal:
    """The nonce is the one sent, so that an older answer cannot be slipped in."""
    return _equal("nonce", case.claims.get("nonce"), case.nonce)


@check("OpenID Connect Core §3.1.3.8")
def access_token_belongs_to_it(case: Presented) -> Seen | Refusal:
    """The access token that came along is the one it was made with, where it says."""
    if "at_hash" not in case.claims:
        return Seen("not said")
    return _equal("at_hash", case.claims["at_hash"], half_hash(case.access_token, str(case.header.get("alg"))))


IDENTITY_CHECKS = (
    algorithm_is_asymmetric,
    signature_is_the_issuers,
    issuer_is_the_one_asked,
    audience_is_this_client,
    time_is_right,
    nonce_is_ours,
    access_token_belongs_to_it,
)


def _equal(name: str, found: object, *expected: str) -> Seen | Refusal:
    shown, wanted = quoted(found, 120), " or ".join(expected)
    if isinstance(found, str) and found in expected:
        return Seen(shown, wanted)
    return Refusal(FALSE_IDENTITY, f"{name} is {shown}", expected=wanted, found=shown)
