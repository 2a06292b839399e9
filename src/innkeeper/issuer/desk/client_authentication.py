"""Find the client a request comes from and have its proof judged."""

from __future__ import annotations

from innkeeper.issuer.core.client_authentication import (
    ASSERTION,
    BY_CERTIFICATE,
    Assertion,
    Facts,
    Proof,
    assertion_key,
    authenticate,
    method_of,
)
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import Lost
from innkeeper.issuer.core.methods import SECRET_JWT, TLS
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.desk.client_keys import has_key, read_signed
from innkeeper.issuer.desk.client_secrets import read_sealed
from innkeeper.issuer.desk.matter import concerns
from innkeeper.issuer.desk.realm import Realm
from innkeeper.keys.certificates import vouched_for


async def client_of(realm: Realm, proof: Proof, audiences: frozenset[str]) -> Decision[Client]:
    """The client behind ``proof``. ``audiences`` are the names under which an assertion may address us."""
    concerns(realm.name, client=proof.client_id)
    sought = await realm.sought(proof.client_id)
    client = sought.client
    while True:
        assertion = await _look_at(realm, proof, client) if proof.assertion else None
        facts = await _facts(realm, proof, client, audiences, assertion)
        if sought.problem:
            facts = Facts(None, problem=sought.problem)
        decision = authenticate(proof, facts, realm.policy, realm.now())
        try:
            if decision.effects:
                await realm.store.commit(decision.effects)
        except Lost:
            continue
        return decision


async def _facts(
    realm: Realm, proof: Proof, client: Client | None, audiences: frozenset[str], assertion: Assertion | None
) -> Facts:
    certificate = proof.certificate
    if certificate is None or (method := method_of(proof, client)) not in BY_CERTIFICATE:
        return Facts(client, audiences, assertion)
    if method == TLS:
        authorities = realm.policy.client_authorities
        return Facts(client, audiences, assertion, vouched_for=vouched_for(certificate, authorities))
    return Facts(client, audiences, assertion, registered=await has_key(realm, client, certificate.key))


async def _look_at(realm: Realm, proof: Proof, client: Client | None) -> Assertion:
    """The assertion with its signature verified against the client's own keys, or by its secret."""
    text, profile = proof.assertion or "", realm.policy.profile_for(client)
    registered = client.token_endpoint_auth_signing_alg if client else ""
    allowed = tuple(one for one in profile.algorithms if registered in ("", one))
    by_secret = proof.method == SECRET_JWT
    signed = read_sealed(realm, text, client) if by_secret else await read_signed(realm, text, client, allowed)
    if signed.problem:
        return Assertion(signed.problem, signed.claims)
    key = assertion_key(str(proof.client_id), str(signed.claims.get("jti")))
    return Assertion("valid", signed.claims, await realm.store.entry(ASSERTION, key) is not None)
