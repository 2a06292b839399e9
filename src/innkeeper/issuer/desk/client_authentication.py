"""Find the client a request comes from and have its proof judged."""

from __future__ import annotations

from innkeeper.issuer.core.client_authentication import ASSERTION, Assertion, Facts, Proof, assertion_key, authenticate
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import Lost
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.desk.realm import Realm
from innkeeper.keys import jwk, jws
from innkeeper.protocol.strict_json import NotStrict, read_object

ASSERTION_ALGORITHMS = ("ES256", "ES384", "EdDSA", "PS256", "RS256")


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
    try:
        parsed = jws.parse(proof.assertion or "")
        claims = read_object(parsed.claims)
    except (jws.NotAToken, NotStrict) as error:
        return Assertion(str(error))
    alg, kid = parsed.header.get("alg"), parsed.header.get("kid")
    if alg not in ASSERTION_ALGORITHMS:
        return Assertion(f"alg {alg!r} is none of {', '.join(ASSERTION_ALGORITHMS)}", claims)
    documents = [one for one in (client.jwks if client else ()) if kid is None or one.get("kid") in (None, kid)]
    keys, _ = jwk.read_set({"keys": documents})
    if not any(key.alg in (None, alg) and jws.verify(parsed, key.key, str(alg)) for key in keys):
        return Assertion("no registered key verifies it", claims)
    key = assertion_key(str(proof.client_id), str(claims.get("jti")))
    replayed = await realm.store.entry(ASSERTION, key) is not None
    return Assertion("valid", claims, replayed)
