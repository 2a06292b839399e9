"""The token endpoint at work: facts, the checks in order, the grant, then the tokens."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddGrant, AddRefreshToken, DropEntry, Effect, Lost, SpendCode
from innkeeper.issuer.core.entra import delegated, reach, token_request
from innkeeper.issuer.core.entra.asking import Ask, contexts, missing
from innkeeper.issuer.core.entra.client_proof import Case as ProofCase
from innkeeper.issuer.core.entra.client_proof import prove
from innkeeper.issuer.core.entra.grants import (
    authorization_code,
    client_credentials,
    device_code,
    on_behalf_of,
    password,
    refresh_token,
)
from innkeeper.issuer.core.entra.names import GRAPH_URL, V1
from innkeeper.issuer.core.entra.parties import Party
from innkeeper.issuer.core.entra.scopes import OFFLINE, OPENID, Wish, Wishes, wishes
from innkeeper.issuer.core.entra.token_request import Issue
from innkeeper.issuer.core.records import Code, Grant, RefreshToken
from innkeeper.issuer.core.throttling import password_lanes
from innkeeper.issuer.desk.entra.cloud import Cloud, Desk
from innkeeper.issuer.desk.entra.devices import find_waiting
from innkeeper.issuer.desk.entra.faults import due
from innkeeper.issuer.desk.entra.proving import proof_of
from innkeeper.issuer.desk.entra.signing import Aside, Cut, access_token, id_token, read_own
from innkeeper.issuer.desk.passwords import matches
from innkeeper.issuer.desk.realm import digest, random_id, random_value
from innkeeper.issuer.desk.throttle import give_back, network_of, take
from innkeeper.keys.ring import NotOurs
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Trail, at_the_door, follow


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What a token request came to: the decision, its access token, and what goes along."""

    issue: Issue
    access: Cut
    refresh: str | None = None
    identity: str | None = None


class Held(msgspec.Struct, frozen=True):
    """What a code, refresh token or device code stands for, and the tenant that gave it out."""

    desk: Desk | None = None
    code: Code | None = None
    refresh: refresh_token.Held | None = None
    waiting: device_code.Waiting | None = None
    entry: tuple[str, int] = ("", 0)

    @property
    def grant(self) -> Grant | None:
        if self.code is not None:
            return self.code.grant
        if self.refresh is not None:
            return self.refresh.grant
        return self.waiting.grant if self.waiting else None

    @property
    def platform(self) -> str:
        """The platform of the redirect URI behind it."""
        details = self.grant.details if self.grant else ()
        return str(details[0].get("platform", "")) if details else ""


class Known(msgspec.Struct, frozen=True):
    """A token request whose client is known and proved."""

    cloud: Cloud
    desk: Desk
    ask: Ask
    party: Party
    held: Held
    strength: str
    trail: Trail

    @property
    def wishes(self) -> Wishes:
        resource = self.ask.get("resource") if self.ask.version == V1 else ""
        return wishes(self.ask.get("scope"), resource)


async def token(cloud: Cloud, ask: Ask) -> Tokens | Refusal:
    """Answer a token request."""
    named = cloud.find(ask.authority)
    if (fault := await due(named or cloud.first)) is not None:
        return _told(cloud, named, at_the_door("token", fault, "innkeeper twin fault"), fault)
    held = await _held(cloud, named, ask)
    desk = named or held.desk
    party = await cloud.party(named, ask.get("client_id"))
    tenant = await named.tenant() if named else None
    trail = follow("token", token_request.REQUEST_CHECKS, token_request.Case(ask, tenant, party, held.platform))
    if trail.refusal or party is None:
        return _told(cloud, desk, trail, missing("client_id"))
    desk = desk or cloud.find(party.home) or cloud.first
    now = desk.realm.now()
    always = ask.get("grant_type") in token_request.KEEPS_A_SECRET
    proof = await proof_of(cloud, desk, party, ask, now)
    trail = trail.then(prove(ProofCase(party, proof, held.platform, always, now)))
    if trail.refusal:
        return _told(cloud, desk, trail, trail.refusal)
    local = await cloud.party(desk, party.id) or party
    known = Known(cloud, desk, ask, local, held, proof.strength, trail)
    return await _redeemed(known)


def _told(cloud: Cloud, desk: Desk | None, trail: Trail, otherwise: Refusal) -> Refusal:
    cloud.observe(desk, trail)
    return trail.refusal or otherwise


async def _redeemed(known: Known) -> Tokens | Refusal:
    while True:
        fresh = random_value()
        decision = await _REDEEM[known.ask.get("grant_type")](known, digest(fresh))
        try:
            await known.desk.realm.store.commit(decision.effects)
        except Lost:
            known = msgspec.structs.replace(known, held=await _held(known.cloud, known.desk, known.ask))
            continue
        known.cloud.observe(known.desk, known.trail.then(decision.trail))
        if isinstance(decision.outcome, Refusal):
            return decision.outcome
        return await hand_out(known.cloud, known.desk, known.ask, decision.outcome, fresh)


async def hand_out(cloud: Cloud, desk: Desk, ask: Ask, issue: Issue, fresh: str) -> Tokens:
    """Sign what was decided; ``fresh`` is the refresh token that was committed with it, if any was."""
    asked = ask.get("claims")
    aside = Aside(ask.address, capable='"CP1"' in asked.upper(), contexts=contexts(asked))
    access = await access_token(desk, issue, cloud.names, aside)
    identity = None
    if issue.person is not None and (OPENID in issue.openid or ask.version == V1):
        identity = await id_token(desk, issue, ask.version, cloud.names, aside, {})
    return Tokens(
        issue=issue, access=access, identity=identity, refresh=fresh if issue.refresh_until is not None else None
    )


async def _held(cloud: Cloud, named: Desk | None, ask: Ask) -> Held:
    """What the request redeems, looked up in the tenant of the address, or in each where the address is an alias."""
    for desk in [named] if named else list(cloud):
        found = await _held_at(desk, ask)
        if found is not None:
            return found
    return Held()


async def _held_at(desk: Desk, ask: Ask) -> Held | None:
    grant_type, store = ask.get("grant_type"), desk.realm.store
    if grant_type == token_request.AUTHORIZATION_CODE:
        code = await store.code(digest(ask.get("code")))
        return Held(desk, code=code) if code else None
    if grant_type == token_request.REFRESH_TOKEN:
        found = await store.refresh_token(digest(ask.get("refresh_token")))
        return Held(desk, refresh=refresh_token.Held(found.token, found.grant)) if found else None
    if grant_type in (token_request.DEVICE_CODE, "device_code"):
        waiting = await find_waiting(desk, ask.get("device_code"))
        return Held(desk, waiting=waiting[0], entry=(waiting[1], waiting[2])) if waiting else None
    return None


async def _client_credentials(known: Known, _: bytes) -> Decision[Issue]:
    targets = tuple([await known.cloud.target(known.desk, one) for one in known.wishes.resources])
    case = client_credentials.Case(
        ask=known.ask,
        tenant=await known.desk.tenant(),
        client=known.party,
        targets=targets,
        strength=known.strength,
    )
    return client_credentials.decide(case)


async def _authorization_code(known: Known, fresh: bytes) -> Decision[Issue]:
    now, code = known.desk.realm.now(), known.held.code
    trail = follow("token", authorization_code.CHECKS, authorization_code.Case(known.ask, known.party, code, now))
    if trail.refusal or code is None:
        return Decision(trail.refusal or missing("code"), trail)
    until = now + (refresh_token.SPA_LIFETIME if known.held.platform == "spa" else refresh_token.LIFETIME)
    decision = await _personal(known, code.grant, trail, fresh, until, nonce=code.nonce)
    if isinstance(decision.outcome, Refusal):
        return decision
    effects = (SpendCode(code.digest, now), AddGrant(code.grant), *decision.effects)
    return Decision(decision.outcome, decision.trail, effects)


async def _refresh_token(known: Known, fresh: bytes) -> Decision[Issue]:
    case = refresh_token.Case(known.party, known.held.refresh, known.held.platform, known.desk.realm.now())
    trail = follow("token", refresh_token.CHECKS, case)
    if trail.refusal or known.held.refresh is None:
        return Decision(trail.refusal or missing("refresh_token"), trail)
    grant = known.held.refresh.grant
    return await _personal(known, grant, trail, fresh, refresh_token.until(case), always=True)


async def _device_code(known: Known, fresh: bytes) -> Decision[Issue]:
    now, waiting = known.desk.realm.now(), known.held.waiting
    trail = follow("token", device_code.CHECKS, device_code.Case(known.party, waiting, now))
    if trail.refusal or waiting is None or waiting.grant is None:
        return Decision(trail.refusal or missing("device_code"), trail)
    decision = await _personal(known, waiting.grant, trail, fresh, now + refresh_token.LIFETIME)
    if isinstance(decision.outcome, Refusal):
        return decision
    spent: Effect = DropEntry("entra device", known.held.entry[0], known.held.entry[1])
    return Decision(decision.outcome, decision.trail, (spent, AddGrant(waiting.grant), *decision.effects))


async def _on_behalf_of(known: Known, fresh: bytes) -> Decision[Issue]:
    claims, problem = _read_assertion(known.desk, known.ask.get("assertion"))
    now = known.desk.realm.now()
    case = on_behalf_of.Case(known.party, known.ask.get("requested_token_use"), claims, problem, known.desk.id, now)
    trail = follow("token", on_behalf_of.CHECKS, case)
    if trail.refusal:
        return Decision(trail.refusal, trail)
    grant = _grant(known, str(claims.get("oid")), claims.get("amr") or ("pwd",), int(claims.get("auth_time", now)))
    decision = await _personal(known, grant, trail, fresh, now + refresh_token.LIFETIME)
    effects = (AddGrant(grant), *decision.effects) if decision.effects else ()
    return Decision(decision.outcome, decision.trail, effects)


async def _password(known: Known, fresh: bytes) -> Decision[Issue]:
    ask, now = known.ask, known.desk.realm.now()
    desk = known.cloud.of_person(ask.get("username")) if known.cloud.find(ask.authority) is None else known.desk
    desk = desk or known.desk
    lanes = password_lanes(ask.get("username"), network_of(ask.address), None, network_is_known=False)
    wait = await take(desk.realm, lanes)
    person = await desk.person(ask.get("username"))
    right = not wait and await matches(person.password if person else None, ask.get("password"))
    case = password.Case(ask.get("username"), desk.name, person, right, wait)
    trail = follow("token", password.CHECKS, case)
    if trail.refusal or person is None:
        return Decision(trail.refusal or missing("username"), trail)
    await give_back(desk.realm, lanes)
    grant = _grant(known, person.sub, ("pwd",), now)
    decision = await _personal(known, grant, trail, fresh, now + refresh_token.LIFETIME)
    effects = (AddGrant(grant), *decision.effects) if decision.effects else ()
    return Decision(decision.outcome, decision.trail, effects)


async def _personal(
    known: Known,
    grant: Grant,
    trail: Trail,
    fresh: bytes,
    until: int,
    *,
    nonce: str | None = None,
    always: bool = False,
) -> Decision[Issue]:
    """A person's tokens, once the grant itself holds. ``always`` gives a refresh token without being asked."""
    desk, tenant = known.desk, await known.desk.tenant()
    asked = _asked(known, grant)
    targets = tuple([await known.cloud.target(desk, one) for one in asked.resources])
    person = await desk.realm.store.person(grant.sub)
    case = delegated.Case(
        person,
        reach.Case(
            tenant=tenant,
            client=known.party,
            wishes=asked,
            targets=targets,
            person=grant.sub,
            parameter=known.ask.get("resource") if known.ask.version != V1 else "",
            refuse_parameter=desk.switches.refuse_resource,
        ),
    )
    trail = trail.then(delegated.judge(case))
    if trail.refusal:
        return Decision(trail.refusal, trail)
    refreshes = always or OFFLINE in asked.openid or known.ask.version == V1
    issue = delegated.issue(case, grant, known.strength, nonce=nonce, until=until if refreshes else None)
    effects = (AddRefreshToken(RefreshToken(digest=fresh, grant_id=grant.id, expires_at=until)),) if refreshes else ()
    return Decision(issue, trail, effects)


def _asked(known: Known, grant: Grant) -> Wishes:
    """What a redemption asks for: its own scope, else what the grant was given for, else Microsoft Graph's basics."""
    own, given = known.wishes, wishes(" ".join(sorted(grant.scopes)))
    openid = own.openid | given.openid if not known.ask.get("scope") or grant.scopes else own.openid
    resources = own.resources
    if not resources:
        first = grant.audience[0] if grant.audience else ""
        resources = tuple(one for one in given.resources if one.resource == first) or given.resources[:1]
    if not resources:
        resources = (Wish(GRAPH_URL, tuple(sorted(openid)), bare=True),)
    return Wishes(openid, resources)


def _grant(known: Known, sub: str, amr: Any, auth_time: int) -> Grant:
    """An authorization that is made at the token endpoint itself."""
    return Grant(
        id=random_id(),
        client_id=known.party.id,
        sub=sub,
        scopes=frozenset(known.ask.get("scope").split()),
        audience=(),
        auth_time=auth_time,
        acr="1",
        amr=tuple(amr),
        session_id="",
        created_at=known.desk.realm.now(),
        sid=secrets.token_hex(16),
    )


def _read_assertion(desk: Desk, text: str) -> tuple[dict[str, Any], str]:
    try:
        return read_own(desk, text), ""
    except NotOurs as error:
        return {}, str(error)


_REDEEM: dict[str, Callable[[Known, bytes], Awaitable[Decision[Issue]]]] = {
    token_request.AUTHORIZATION_CODE: _authorization_code,
    token_request.CLIENT_CREDENTIALS: _client_credentials,
    token_request.REFRESH_TOKEN: _refresh_token,
    token_request.DEVICE_CODE: _device_code,
    "device_code": _device_code,
    token_request.ON_BEHALF_OF: _on_behalf_of,
    token_request.PASSWORD: _password,
}
