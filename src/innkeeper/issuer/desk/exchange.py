"""Token exchange at work: look at the tokens in the request, and at whom they speak of."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.grants import token_exchange as core
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.core.scopes import Reach
from innkeeper.issuer.core.token import Issue, TokenRequest
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.subjects import behind
from innkeeper.keys.ring import NotOurs
from innkeeper.protocol.parameters import scopes
from innkeeper.tokens import identity

_IDENTITY_CLAIMS = ("sub", "aud", "exp", "iat", "auth_time")
"""What an ID token has and no other JWT of ours: not a signed answer of an endpoint, not a logout token."""


async def exchange(realm: Realm, ask: TokenRequest, client: Client) -> tuple[Decision[Issue], None]:
    """Answer a token exchange request. Nothing is remembered of it."""
    sent = ask.sent
    wanted = core.Wanted(
        subject_type=sent.get("subject_token_type", ""),
        actor_type=sent.get("actor_token_type", ""),
        requested_type=sent.get("requested_token_type", ""),
        has_actor="actor_token" in sent,
        targets=(*sent.many("resource"), *sent.many("audience")),
    )
    subject = await _presented(realm, sent.get("subject_token", ""), wanted.subject_type)
    actor = (
        await _presented(realm, sent.get("actor_token", ""), wanted.actor_type) if wanted.has_actor else core.NOT_SENT
    )
    return core.decide(ask, wanted, client, subject, actor, realm.policy, realm.now()), None


async def _presented(realm: Realm, token: str, kind: str) -> core.Presented:
    if kind == core.ID_TOKEN:
        return await _identity_token(realm, token)
    claims = _read(realm, token, realm.shape.access_type)
    if claims is None:
        return core.NOT_SENT
    named = claims.get("gid")
    grant = await realm.store.grant(named) if isinstance(named, str) else None
    subject = grant.sub if grant else behind(realm, str(claims["sub"]))
    return core.Presented(
        claims=claims,
        reach=Reach(scopes(claims.get("scope")), _audience(claims)),
        subject=subject,
        revoked=await realm.store.token_is_revoked(str(claims["jti"])),
        gone=await _is_gone(realm, subject),
        grant=grant,
    )


async def _identity_token(realm: Realm, token: str) -> core.Presented:
    """An ID token opens what its person has allowed the client it was cut for."""
    claims = _read(realm, token, identity.TYPE)
    if claims is None or "events" in claims or any(name not in claims for name in _IDENTITY_CLAIMS):
        return core.NOT_SENT
    subject = behind(realm, str(claims["sub"]))
    consent = await realm.store.consent(subject, str(claims["aud"]))
    allowed = Reach(consent.scopes, tuple(sorted(consent.resources))) if consent else Reach(frozenset(), ())
    return core.Presented(claims, allowed, subject, gone=await _is_gone(realm, subject))


def _read(realm: Realm, token: str, kind: str) -> dict[str, Any] | None:
    try:
        claims = realm.ring.read(token, kind, realm.now())
    except NotOurs:
        return None
    return claims if claims.get("iss") == realm.policy.issuer else None


def _audience(claims: dict[str, Any]) -> tuple[str, ...]:
    named = claims.get("aud", ())
    return (named,) if isinstance(named, str) else tuple(named)


async def _is_gone(realm: Realm, subject: str) -> bool:
    person = await realm.store.person(subject)
    return person.disabled if person else await realm.client(subject) is None
