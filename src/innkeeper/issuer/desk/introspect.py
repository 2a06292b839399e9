"""Find out what a presented token is, for introspection, revocation and userinfo alike."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core import introspect as core
from innkeeper.issuer.core import revoke as core_revoke
from innkeeper.issuer.core import signed_introspection
from innkeeper.issuer.core import userinfo as core_userinfo
from innkeeper.issuer.core.agents import at_rest
from innkeeper.issuer.core.client_authentication import Proof
from innkeeper.issuer.core.introspect import Found
from innkeeper.issuer.core.records import Person
from innkeeper.issuer.core.wrapping import PLAIN, of_introspection, of_userinfo
from innkeeper.issuer.desk import agents
from innkeeper.issuer.desk.binding import NOBODY_SPECIAL, Sender, prove
from innkeeper.issuer.desk.client_authentication import client_of
from innkeeper.issuer.desk.matter import concerns
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.subjects import behind, told
from innkeeper.issuer.desk.token import held_refresh_token
from innkeeper.issuer.desk.wrapping import wrap
from innkeeper.keys.ring import NotOurs
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens import identity


async def introspect(
    realm: Realm, proof: Proof, token: str, audiences: frozenset[str], *, as_jwt: bool = False
) -> dict[str, Any] | str | Refusal:
    """Answer an introspection request, in a signed JWT where that is asked for."""
    authenticated = await client_of(realm, proof, audiences)
    if isinstance(authenticated.outcome, Refusal):
        realm.observe(authenticated.trail.known_as("introspection"))
        return authenticated.outcome
    client, found = authenticated.outcome, await find(realm, token)
    decision = core.decide(token, client, found, realm.policy, realm.now())
    realm.observe(authenticated.trail.known_as("introspection").then(decision.trail))
    if isinstance(decision.outcome, Refusal) or not as_jwt:
        return decision.outcome
    claims = signed_introspection.claims(decision.outcome, client, realm.policy, realm.now())
    wrapping = of_introspection(client, realm.policy.profile_for(client))
    return await wrap(realm, client, claims, signed_introspection.TYPE, wrapping)


async def revoke(realm: Realm, proof: Proof, token: str, audiences: frozenset[str]) -> core_revoke.Revoked | Refusal:
    """Answer a revocation request."""
    authenticated = await client_of(realm, proof, audiences)
    if isinstance(authenticated.outcome, Refusal):
        realm.observe(authenticated.trail.known_as("revocation"))
        return authenticated.outcome
    found = await find(realm, token)
    decision = core_revoke.decide(token, authenticated.outcome, found, realm.now())
    await realm.store.commit(decision.effects)
    realm.observe(authenticated.trail.known_as("revocation").then(decision.trail))
    return decision.outcome


async def userinfo(realm: Realm, token: str, sender: Sender = NOBODY_SPECIAL) -> dict[str, Any] | str | Refusal:
    """Answer a userinfo request: claims, or a JWT where the client registered for one (OpenID Connect Core §5.3.2).

    A token bound to a key comes with a proof by that key.
    """
    claims = _ours(realm, token) or {}
    found, person = await _remembered(realm, claims, with_person=True) if claims else (Found(), None)
    concerns(realm.name, client=str(claims.get("client_id", "")), subject=str(claims.get("sub", "")))
    bound_to = (claims.get("cnf") or {}).get("jkt")
    bound = await prove(realm, sender, access_token=token, bound_to=bound_to)
    if bound.refusal:
        realm.observe(bound.trail)
        return bound.refusal
    decision = core_userinfo.decide(token, found, person, realm.policy, realm.now(), sender.certificate)
    realm.observe(bound.trail.known_as("userinfo").then(decision.trail))
    client = await realm.client(str(claims.get("client_id")))
    if isinstance(decision.outcome, Refusal) or client is None:
        return decision.outcome
    wrapping = of_userinfo(client, realm.policy.profile_for(client))
    if wrapping == PLAIN:
        return decision.outcome
    addressed = {"iss": realm.policy.issuer, "aud": client.id, **decision.outcome}
    return await wrap(realm, client, addressed, identity.TYPE, wrapping)


async def find(realm: Realm, token: str) -> Found:
    """What a token turns out to be: an access token of ours by its signature, or a refresh token by its hash."""
    if "." not in token:
        held = await held_refresh_token(realm, token) if token else None
        client = await realm.client(held.grant.client_id) if held else None
        if held is None or client is None:
            return Found(refresh=held)
        gone = await agents.owner_is_gone(realm, client)
        return Found(
            refresh=held, subject=told(realm, client, held.grant.sub), stopped=at_rest(client, owner_gone=gone)
        )
    claims = _ours(realm, token)
    return (await _remembered(realm, claims))[0] if claims else Found()


def _ours(realm: Realm, token: str) -> dict[str, Any] | None:
    """What an access token of ours says; None for any other."""
    try:
        claims = realm.ring.read(token, realm.shape.access_type, realm.now())
    except NotOurs:
        return None
    return claims if claims.get("iss") == realm.policy.issuer else None


async def _remembered(
    realm: Realm, claims: dict[str, Any], *, with_person: bool = False
) -> tuple[Found, Person | None]:
    """What is known of an access token of ours, and who is behind it where that is asked."""
    jti, grant, sub = str(claims.get("jti")), claims.get("gid"), behind(realm, str(claims.get("sub")))
    standing = await realm.store.standing(jti, grant if isinstance(grant, str) else "", sub if with_person else "")
    stopped = await agents.stop(realm, claims, sub)
    return Found(claims, standing.revoked, standing.grant, stopped=stopped), standing.person
