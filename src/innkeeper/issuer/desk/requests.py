"""Find the request behind an authorization request: plain, in a signed object here or elsewhere, or pushed beforehand."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.delivery import PLAIN, Delivery
from innkeeper.issuer.core.pushed import URN
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.core.request_object import NOTHING, Case, address, judge, merged
from innkeeper.issuer.core.request_object import parameters as inside
from innkeeper.issuer.desk.client_keys import UNSIGNED, Signed, read_signed, read_unsigned
from innkeeper.issuer.desk.fetching import REQUEST_OBJECT
from innkeeper.issuer.desk.outside import NotFetched
from innkeeper.issuer.desk.realm import Realm, digest
from innkeeper.issuer.desk.tickets import Ticket
from innkeeper.keys import jwe
from innkeeper.protocol.parameters import Malformed, Parameters

PUSHED = "pushed request"


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A pushed request as it waits for its browser."""

    client_id: str
    pairs: list[tuple[str, str]]
    signed: bool


async def open_request(realm: Realm, sent: Parameters) -> Ticket:
    """A ticket for the request that ``sent`` leads to, with what there is to say of how it arrived."""
    try:
        reference, packed = sent.get("request_uri"), sent.get("request")
    except Malformed as error:
        return Ticket(sent.pairs(), realm.now(), delivery=Delivery(reference_problem=str(error)))
    if reference is not None and reference.startswith(URN):
        return await _pushed(realm, sent, reference)
    if (packed is None and reference is None) or (packed and reference):
        return Ticket(sent.pairs(), realm.now())
    client = await realm.client(_client_id(sent))
    profile = realm.policy.profile_for(client)
    if reference is not None and not profile.request_uris:
        return Ticket(sent.pairs(), realm.now(), delivery=Delivery(unsupported="request_uri"))
    try:
        packed = packed or await _fetched(realm, str(reference), client)
    except NotFetched as error:
        return Ticket(sent.pairs(), realm.now(), delivery=Delivery(address_problem=str(error)))
    beside = sent if profile.merged_requests else NOTHING
    ask, delivery = await _opened(realm, packed, sent, client, beside)
    return Ticket(ask.pairs(), realm.now(), delivery=delivery)


async def unpack(realm: Realm, sent: Parameters, client: Client | None) -> tuple[Parameters, Delivery]:
    """The request inside a request object, and only that (RFC 9101 §5); ``sent`` where there is none or it is no good."""
    packed = sent.get("request")
    return (sent, PLAIN) if packed is None else await _opened(realm, packed, sent, client, NOTHING)


async def _opened(
    realm: Realm, packed: str, sent: Parameters, client: Client | None, beside: Parameters
) -> tuple[Parameters, Delivery]:
    signed = await _read(realm, packed, client)
    case = Case(signed.problem, signed.header, signed.claims, client, realm.policy, realm.now(), beside)
    refusal = judge(case).refusal
    if refusal is not None:
        return sent, Delivery(object_problem=refusal.reason)
    request = merged(inside(signed.claims), beside)
    pairs = request.pairs() if "client_id" in request else [("client_id", case.client_id), *request.pairs()]
    return Parameters(pairs), Delivery(signed=signed.header.get("alg") != UNSIGNED)


async def _fetched(realm: Realm, reference: str, client: Client | None) -> str:
    """The request object at an address that the client registered. Raises ``NotFetched``."""
    where = address(reference, client)
    if not where:
        raise NotFetched("the client did not register this request_uri")
    document = await realm.fetcher.fetch(where, REQUEST_OBJECT)
    return document.body.decode("ascii", "replace").strip()


async def _read(realm: Realm, packed: str, client: Client | None) -> Signed:
    """What a request object says: signed by its client, and where it is encrypted, to a key of ours (RFC 9101 §6.1)."""
    if jwe.is_encrypted(packed):
        try:
            packed = realm.ring.decrypt(packed, realm.now()).decode("ascii", "replace")
        except jwe.NotDecrypted as error:
            return Signed(f"it is encrypted, and {error}")
    registered = client.request_object_signing_alg if client else ""
    profile = realm.policy.profile_for(client)
    if profile.unsigned_requests and registered in ("", UNSIGNED) and (unsigned := read_unsigned(packed)):
        return unsigned
    return await read_signed(realm, packed, client, [one for one in profile.algorithms if registered in ("", one)])


async def _pushed(realm: Realm, sent: Parameters, reference: str) -> Ticket:
    """A reference works for the client that pushed, until the request has led to a code."""
    now, key = realm.now(), digest(reference).hex()
    entry = await realm.store.entry(PUSHED, key)
    if entry is None or entry.expires_at <= now:
        return Ticket(sent.pairs(), now, delivery=Delivery(reference_problem="nothing is kept under that request_uri"))
    kept = msgspec.msgpack.decode(entry.record, type=Kept)
    if _client_id(sent) != kept.client_id:
        problem = "the request_uri belongs to another client"
        return Ticket(sent.pairs(), now, delivery=Delivery(reference_problem=problem))
    delivery = Delivery(pushed=True, signed=kept.signed)
    return Ticket(kept.pairs, now, delivery=delivery, pushed=(key, entry.version))


def _client_id(sent: Parameters) -> str | None:
    try:
        return sent.get("client_id")
    except Malformed:
        return None
