"""The token endpoint at work: authenticate the client, redeem its grant, cut the tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from innkeeper.issuer.core import token as core
from innkeeper.issuer.core import vouching as assertions
from innkeeper.issuer.core.client_authentication import Proof
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import Lost
from innkeeper.issuer.core.grants import authorization_code, client_credentials, refresh_token
from innkeeper.issuer.core.records import PAIRWISE, Client, Grant
from innkeeper.issuer.core.token import Issue, TokenRequest
from innkeeper.issuer.core.wrapping import of_id_token
from innkeeper.issuer.desk import backchannel, device, exchange, jwt_bearer, vouching
from innkeeper.issuer.desk.agents import owner_is_gone
from innkeeper.issuer.desk.binding import Bound, Sender, prove
from innkeeper.issuer.desk.client_authentication import client_of
from innkeeper.issuer.desk.matter import concerns
from innkeeper.issuer.desk.realm import Realm, digest, random_id, random_value, refresh_digest
from innkeeper.issuer.desk.shape import Stamp
from innkeeper.issuer.desk.subjects import told
from innkeeper.issuer.desk.wrapping import wrap
from innkeeper.protocol.parameters import Parameters, scopes
from innkeeper.protocol.refusals import Refusal
from innkeeper.protocol.values import Value
from innkeeper.tokens.trail import Trail, follow


class Tokens(Value, frozen=True, gc=False):
    """What is handed out; ``expires_in`` in seconds, of the access token."""

    access_token: str
    expires_in: int
    scopes: frozenset[str]
    refresh_token: str | None = None
    id_token: str | None = None
    token_type: str = "Bearer"
    issued_type: str = ""
    details: tuple[dict[str, Any], ...] = ()


class Decided(Value, frozen=True, gc=False):
    """A request that was granted: what to cut, the refresh token committed with it, its trail."""

    issue: Issue
    refresh: str | None
    trail: Trail


async def decide(
    realm: Realm, proof: Proof, parameters: Parameters, audiences: frozenset[str], sender: Sender
) -> Decided | Refusal:
    """Judge a token request and commit what comes of it."""
    authenticated = await client_of(realm, proof, audiences)
    if isinstance(authenticated.outcome, Refusal):
        realm.observe(authenticated.trail.known_as("token"))
        return authenticated.outcome
    client = authenticated.outcome
    bound = await prove(realm, sender, client=client)
    trail, refusal = authenticated.trail.known_as("token").then(bound.trail), bound.refusal
    if refusal is None:
        must = realm.policy.profile_for(client).require_bound
        gone = await owner_is_gone(realm, client) if client.agent is not None else False
        case = core.GrantTypeCase(parameters, client, bound.confirmation, must, gone)
        trail = trail.then(follow("token", core.GRANT_TYPE_CHECKS, case))
        refusal = trail.refusal
    if refusal is not None:
        realm.observe(trail)
        return refusal
    ask = _read(parameters, bound, audiences)
    concerns(realm.name, grant=ask.grant_type)
    decision, refresh = await REDEEM[ask.grant_type](realm, ask, client)
    trail = trail.then(decision.trail)
    if isinstance(decision.outcome, Refusal):
        realm.observe(trail)
        return decision.outcome
    concerns(realm.name, subject=decision.outcome.subject)
    return Decided(decision.outcome, refresh, trail)


async def hand_out(realm: Realm, decided: Decided) -> Tokens | Refusal:
    """Cut what was decided."""
    realm.observe(decided.trail)
    return await cut(realm, decided.issue, decided.refresh)


async def cut(realm: Realm, issue: Issue, refresh: str | None) -> Tokens | Refusal:
    """Sign what was decided. ``refresh`` is the refresh token that was committed with the decision."""
    stamp, person_sub = Stamp(realm.now(), random_id()), issue.subject
    if issue.actor is not None:
        concerns(realm.name, token=stamp.jti)
    if issue.assertion:
        return await _vouched(realm, issue, stamp)
    if issue.client.subject_type == PAIRWISE:
        issue = msgspec.structs.replace(issue, subject=told(realm, issue.client, person_sub))
    draft = realm.shape.access(issue, realm.policy, stamp)
    access = await realm.ring.cut(draft.alg, draft.typ, draft.claims, stamp.now)
    identity = await _identity(realm, issue, person_sub, access, stamp) if issue.id_token else None
    if isinstance(identity, Refusal):
        return identity
    kind = "DPoP" if "jkt" in issue.confirmation else "Bearer"
    kept = refresh if issue.refresh else None
    return Tokens(access, draft.lifetime, issue.scopes, kept, identity, kind, issue.issued_type, issue.details)


async def _vouched(realm: Realm, issue: Issue, stamp: Stamp) -> Tokens:
    """An identity assertion goes where an access token would, and says that it is none (RFC 8693 §2.2.1)."""
    lifetime = issue.lifetime or realm.policy.access_lifetime
    times = {"iat": stamp.now, "exp": stamp.now + lifetime, "jti": stamp.jti}
    alg = realm.policy.profile_for(issue.client).id_token_algorithm("RS256")
    cut_token = await realm.ring.cut(alg, assertions.TYPE, {**issue.assertion, **times}, stamp.now)
    return Tokens(cut_token, lifetime, issue.scopes, token_type="N_A", issued_type=issue.issued_type)


async def _identity(realm: Realm, issue: Issue, person_sub: str, access: str, stamp: Stamp) -> str | Refusal:
    person = await realm.store.person(person_sub)
    draft = realm.shape.identity(issue, person, access, realm.policy, stamp)
    return await wrap(realm, issue.client, draft.claims, draft.typ, of_id_token(issue.client, draft.alg))


Redeemed = tuple[Decision[Issue], str | None]


async def _client_credentials(realm: Realm, ask: TokenRequest, client: Client) -> Redeemed:
    return client_credentials.decide(ask, client, realm.policy), None


async def _authorization_code(realm: Realm, ask: TokenRequest, client: Client) -> Redeemed:
    key, refresh = digest(ask.code), random_value()
    fresh = core.Fresh(digest(refresh))
    while True:
        code = await realm.store.code(key)
        out = code is not None and await _has_signed_out(realm, code.grant)
        decision = authorization_code.decide(ask, client, code, fresh, realm.policy, realm.now(), signed_out=out)
        try:
            await realm.store.commit(decision.effects)
        except Lost:
            continue
        return decision, refresh


async def _has_signed_out(realm: Realm, grant: Grant) -> bool:
    """Whether the session that a grant is tied to has ended."""
    if not grant.session_id:
        return False
    sessions = await realm.store.sessions(grant.sub)
    return any(one.id == grant.session_id and one.ended_at is not None for one in sessions)


async def _assertion(realm: Realm, ask: TokenRequest, client: Client) -> Redeemed:
    """Another issuer's word for somebody; or a token of ours, in the words that some use for acting on behalf, from a client
    that may exchange tokens."""
    ours = core.TOKEN_EXCHANGE in client.grants and exchange.is_ours(realm, ask.sent.get("assertion", ""))
    return await (exchange.on_behalf if ours else jwt_bearer.redeem)(realm, ask, client)


async def _refresh_token(realm: Realm, ask: TokenRequest, client: Client) -> Redeemed:
    successor = realm.successor_of(ask.refresh_token)
    fresh = core.Fresh(refresh_digest(successor))
    while True:
        held = await held_refresh_token(realm, ask.refresh_token)
        decision = refresh_token.decide(ask, client, held, fresh, realm.policy, realm.now())
        try:
            await realm.store.commit(decision.effects)
        except Lost:
            continue
        return decision, successor


async def held_refresh_token(realm: Realm, token: str) -> refresh_token.Held | None:
    """What is remembered of a refresh token."""
    found = await realm.store.refresh_token(refresh_digest(token))
    if found is None:
        return None
    disabled = found.person is not None and found.person.disabled
    return refresh_token.Held(found.token, found.grant, found.successor_spent, disabled)


REDEEM: dict[str, Callable[[Realm, TokenRequest, Client], Awaitable[Redeemed]]] = {
    core.AUTHORIZATION_CODE: _authorization_code,
    core.CLIENT_CREDENTIALS: _client_credentials,
    core.REFRESH_TOKEN: _refresh_token,
    core.DEVICE_CODE: device.redeem,
    core.TOKEN_EXCHANGE: vouching.exchanged,
    core.JWT_BEARER: _assertion,
    core.CIBA: backchannel.redeem,
}


def _read(parameters: Parameters, bound: Bound, audiences: frozenset[str]) -> TokenRequest:
    get = parameters.get
    return TokenRequest(
        grant_type=parameters["grant_type"],
        scopes=scopes(get("scope")),
        resources=parameters.many("resource"),
        code=get("code", ""),
        redirect_uri=get("redirect_uri", ""),
        code_verifier=get("code_verifier", ""),
        refresh_token=get("refresh_token", ""),
        sent=parameters,
        confirmation=bound.confirmation,
        proved=bound.proved,
        audiences=audiences,
    )
