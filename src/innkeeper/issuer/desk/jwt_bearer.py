"""The JWT bearer grant at work: find the issuer that vouches, verify with its keys, find whom it speaks of."""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core.agents import Hop
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import Lost
from innkeeper.issuer.core.grants import jwt_bearer as core
from innkeeper.issuer.core.platforms import issuer_in
from innkeeper.issuer.core.records import Client, TrustedIssuer
from innkeeper.issuer.core.token import Issue, TokenRequest
from innkeeper.issuer.desk import agents, approvals
from innkeeper.issuer.desk.client_keys import read_signed
from innkeeper.issuer.desk.realm import Realm, digest
from innkeeper.keys import jws
from innkeeper.protocol.strict_json import NotStrict, read_object


async def redeem(realm: Realm, ask: TokenRequest, client: Client) -> tuple[Decision[Issue], None]:
    """Answer a request with another issuer's assertion."""
    token = ask.sent.get("assertion", "")
    looked_at = await look_at(realm, token)
    while True:
        assertion, now = await with_history(realm, looked_at), realm.now()
        case = core.Case(ask, client, assertion, realm.policy, now, hops=await _hops(realm, client, assertion))
        known, kept = await approvals.known(realm, core.waiting_for(case))
        case = msgspec.structs.replace(case, approval=known)
        decision = approvals.settled(realm, core.waiting_for(case), core.decide(case), kept)
        try:
            await realm.store.commit(decision.effects)
        except Lost:
            continue
        return decision, None


async def look_at(realm: Realm, token: str) -> core.Assertion:
    """What an assertion turns out to be."""
    try:
        claims = read_object(jws.parse(token).claims)
    except (jws.NotAToken, NotStrict) as error:
        return core.Assertion(str(error))
    issuer = realm.policy.trusted_issuers.get(issuer_in(claims))
    if issuer is None:
        return core.Assertion("from nobody we trust", claims=claims)
    signed = await read_signed(realm, token, issuer)
    if signed.problem:
        return core.Assertion(signed.problem, issuer, claims=claims)
    subject, machine = await _subject(realm, issuer, claims)
    return core.Assertion(
        problem="",
        issuer=issuer,
        typ=str(signed.header.get("typ", "")),
        claims=claims,
        key=_name(issuer, claims, token),
        subject=subject,
        machine=machine,
    )


async def with_history(realm: Realm, assertion: core.Assertion) -> core.Assertion:
    """An assertion, and whether it was used before."""
    used = assertion.key and await realm.store.entry(core.ASSERTION, assertion.key) is not None
    return msgspec.structs.replace(assertion, replayed=bool(used))


async def _hops(realm: Realm, client: Client, assertion: core.Assertion) -> tuple[Hop, ...]:
    """The client as it stands with the person that an assertion speaks of."""
    person = assertion.subject and not assertion.machine
    return await agents.hops(realm, assertion.subject, (client.id,)) if person else ()


async def _subject(realm: Realm, issuer: TrustedIssuer, claims: dict[str, Any]) -> tuple[str, bool]:
    """Whom the assertion speaks of here, and whether that is a client; "" for nobody."""
    said = claims.get(issuer.subject_claim)
    if not isinstance(said, str) or not isinstance(claims.get("sub"), str):
        return "", False
    mapped = issuer.subjects.get(said)
    person = await realm.store.person(mapped) if mapped else None
    if mapped is None and issuer.usernames:
        person = await realm.store.person_named(said)
    if person is not None:
        return ("" if person.disabled else person.sub), False
    client = await realm.client(mapped)
    return (client.id, True) if client else ("", False)


def _name(issuer: TrustedIssuer, claims: dict[str, Any], token: str) -> str:
    """What a used assertion is remembered by: its ``jti``, or what was signed, which a signature cannot change."""
    jti = claims.get("jti")
    own = jti if isinstance(jti, str) and jti else token.rpartition(".")[0]
    return digest(f"{len(issuer.issuer)} {issuer.issuer} {own}").hex()
