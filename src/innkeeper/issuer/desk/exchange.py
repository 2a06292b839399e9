"""Token exchange at work: look at the tokens in the request, and at whom they speak of."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import Lost
from innkeeper.issuer.core.grants import jwt_bearer as core_assertion
from innkeeper.issuer.core.grants import token_exchange as core
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.core.scopes import Reach
from innkeeper.issuer.core.token import Issue, TokenRequest
from innkeeper.issuer.desk import agents, approvals, jwt_bearer
from innkeeper.issuer.desk.matter import concerns
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.subjects import behind
from innkeeper.keys.ring import NotOurs
from innkeeper.protocol.parameters import Parameters, scopes
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens import identity

_IDENTITY_CLAIMS = ("sub", "aud", "exp", "iat", "auth_time")
"""What an ID token has and no other JWT of ours: not a signed answer of an endpoint, not a logout token."""


async def on_behalf(realm: Realm, ask: TokenRequest, client: Client) -> tuple[Decision[Issue], None]:
    """Answer a client that sends a token of ours, which it was called with, as an assertion (RFC 7523 §2.1): what it asks
    for is to act for that token's person, so the rules of an exchange decide."""
    others = [(name, value) for name, value in ask.sent.pairs() if name != "assertion"]
    shown = [("subject_token", ask.sent.get("assertion", "")), ("subject_token_type", core.ACCESS_TOKEN)]
    decision, _ = await exchange(realm, replace(ask, sent=Parameters([*others, *shown])), client)
    if isinstance(decision.outcome, Refusal):
        return decision, None
    return Decision(replace(decision.outcome, issued_type=""), decision.trail), None


def is_ours(realm: Realm, token: str) -> bool:
    """Whether a text is an access token of ours, still good or not."""
    return _read(realm, token, realm.shape.access_type) is not None


async def exchange(realm: Realm, ask: TokenRequest, client: Client) -> tuple[Decision[Issue], None]:
    """Answer a token exchange request. Remembered are what agents came to do, and what waits for a person."""
    while True:
        case = await _case(realm, ask, client)
        concerns(
            realm.name,
            actor=" for ".join(agents.actors(core.chain_of(case))),
            parent=str(case.subject.says("jti") or ""),
        )
        known, kept = await approvals.known(realm, core.waiting_for(case))
        case = replace(case, approval=known)
        decision = approvals.settled(realm, core.waiting_for(case), core.decide(case), kept)
        try:
            await realm.store.commit(decision.effects)
        except Lost:
            continue
        if isinstance(decision.outcome, Issue) and decision.outcome.actor is not None:
            await agents.remember_act(realm, decision.outcome)
        return decision, None


async def _case(realm: Realm, ask: TokenRequest, client: Client) -> core.Case:
    sent = ask.sent
    wanted = core.Wanted(
        subject_type=sent.get("subject_token_type", ""),
        actor_type=sent.get("actor_token_type", ""),
        requested_type=sent.get("requested_token_type", ""),
        has_actor="actor_token" in sent,
        targets=(*sent.many("resource"), *sent.many("audience")),
    )
    subject = await _presented(realm, sent.get("subject_token", ""), wanted.subject_type)
    actor = await _actor(realm, ask, client, wanted) if wanted.has_actor else core.NOT_SENT
    owner = await agents.registered(realm, subject.client_id)
    behind_it = [subject.client_id] if owner is not None and owner.agent is not None else []
    acting = (client.id, *agents.actors(subject.says("act")), *behind_it)
    subject = replace(subject, hops=await agents.hops(realm, subject.subject, acting))
    return core.Case(ask, wanted, client, subject, actor, realm.policy, realm.now())


async def _actor(realm: Realm, ask: TokenRequest, client: Client, wanted: core.Wanted) -> core.Presented:
    """The actor token: ours, or an assertion of an issuer that is trusted to vouch for this client."""
    token = ask.sent.get("actor_token", "")
    ours = await _presented(realm, token, wanted.actor_type)
    if ours.claims is not None or wanted.actor_type != core.JWT:
        return ours
    assertion = await jwt_bearer.look_at(realm, token)
    if not assertion.machine and not (assertion.issuer and assertion.issuer.workloads):
        return ours
    return _vouched(realm, ask, client, await jwt_bearer.with_history(realm, assertion))


def _vouched(realm: Realm, ask: TokenRequest, client: Client, assertion: core_assertion.Assertion) -> core.Presented:
    """Another issuer's word that the caller is this client. One that is its only proof is good once, where its issuer gives a
    new one each time; beside credentials of its own it may be shown again."""
    if not client.public:
        assertion = replace(assertion, replayed=False)
    plain = replace(ask, scopes=frozenset(), resources=())
    case = core_assertion.Case(plain, client, assertion, realm.policy, realm.now())
    decision = core_assertion.decide(case)
    if isinstance(decision.outcome, Refusal):
        return core.Presented(problem=decision.outcome)
    claims = {"sub": client.id, "client_id": client.id, "exp": int(assertion.claims["exp"])}
    spend = decision.effects if client.public else ()
    return core.Presented(claims, subject=client.id, vouched=True, most=case.ceiling, spend=spend)


async def _presented(realm: Realm, token: str, kind: str) -> core.Presented:
    if kind == core.ID_TOKEN:
        return await identity_token(realm, token)
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


async def identity_token(realm: Realm, token: str) -> core.Presented:
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
