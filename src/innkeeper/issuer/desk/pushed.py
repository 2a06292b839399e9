"""The pushed authorization request endpoint at work: authenticate the client, judge the request, keep it."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core import pushed as core
from innkeeper.issuer.core.client_authentication import Proof
from innkeeper.issuer.core.effects import PutEntry
from innkeeper.issuer.desk.binding import Sender, prove
from innkeeper.issuer.desk.client_authentication import client_of
from innkeeper.issuer.desk.realm import Realm, digest, random_value
from innkeeper.issuer.desk.requests import PUSHED, Kept, unpack
from innkeeper.protocol.parameters import Parameters
from innkeeper.protocol.refusals import Refusal

_AUTHENTICATION = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


class Reference(msgspec.Struct, frozen=True):
    """What the browser carries: ``expires_in`` seconds."""

    request_uri: str
    expires_in: int


async def push(
    realm: Realm, proof: Proof, sent: Parameters, audiences: frozenset[str], sender: Sender
) -> Reference | Refusal:
    """Answer a pushed authorization request."""
    authenticated = await client_of(realm, proof, audiences)
    if isinstance(authenticated.outcome, Refusal):
        realm.observe(authenticated.trail.known_as("pushed request"))
        return authenticated.outcome
    client = authenticated.outcome
    bound = await prove(realm, sender, client=client)
    if bound.refusal:
        realm.observe(authenticated.trail.known_as("pushed request").then(bound.trail))
        return bound.refusal
    ask, delivery = await unpack(realm, _named(sent, client.id), client)
    delivery = msgspec.structs.replace(delivery, pushed=True)
    ask = _for_the_key(ask, bound.confirmation.get("jkt"))
    decision = core.decide(sent, ask, client, delivery, realm.policy)
    realm.observe(authenticated.trail.known_as("pushed request").then(decision.trail))
    if isinstance(decision.outcome, Refusal):
        return decision.outcome
    reference = core.URN + random_value()
    record = msgspec.msgpack.encode(Kept(client.id, ask.pairs(), delivery.signed))
    lifetime = realm.policy.pushed_lifetime
    key = digest(reference).hex()
    await realm.store.commit((PutEntry(PUSHED, key, record, realm.now() + lifetime),))
    return Reference(reference, lifetime)


def _for_the_key(ask: Parameters, thumbprint: str | None) -> Parameters:
    """A request pushed with a proof leads to a code for that key only, as dpop_jkt says it (RFC 9449 §10.1)."""
    if thumbprint is None or ask.get("dpop_jkt") == thumbprint:
        return ask
    return Parameters([*ask.pairs(), ("dpop_jkt", thumbprint)])


def _named(sent: Parameters, client_id: str) -> Parameters:
    """The request without the client's proof of itself; a client that named itself in a header is named."""
    pairs = [pair for pair in sent.pairs() if pair[0] not in _AUTHENTICATION]
    return Parameters(pairs if "client_id" in sent else [("client_id", client_id), *pairs])
