"""Find the client a request comes from and have its proof judged."""

from __future__ import annotations

from innkeeper.issuer.core.client_authentication import ASSERTION, Assertion, Facts, Proof, assertion_key, authenticate
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import Lost
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.desk.client_keys import read_signed
from innkeeper.issuer.desk.realm import Realm


async def client_of(realm: Realm, proof: Proof, audiences: frozenset[str]) -> Decision[Client]:
    """The client behind ``proof``. ``audiences`` are the names under which an assertion may address us."""
    client = await realm.client(proof.client_id)
    while True:
        assertion = await _look_at(realm, proof, client) if proof.assertion else None
        decision = authenticate(proof, Facts(client, audiences, assertion), realm.policy, realm.now())
        try:
            if decision.effects:
                await realm.store.commit(decision.effects)
        except Lost:
            continue
        return decision


async def _look_at(realm: Realm, proof: Proof, client: Client | None) -> Assertion:
    """The assertion with its signature verified against the client's own keys."""
    signed = await read_signed(realm, proof.assertion or "", client)
    if signed.problem:
        return Assertion(signed.problem, signed.claims)
    key = assertion_key(str(proof.client_id), str(signed.claims.get("jti")))
    return Assertion("valid", signed.claims, await realm.store.entry(ASSERTION, key) is not None)
