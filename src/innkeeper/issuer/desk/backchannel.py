"""Backchannel authentication at work: keep the request, show its person what waits, take the answer, tell the client."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core import answering
from innkeeper.issuer.core import backchannel as core
from innkeeper.issuer.core import backchannel_request as signed_request
from innkeeper.issuer.core import waiting as core_waiting
from innkeeper.issuer.core.backchannel import PING, Asked
from innkeeper.issuer.core.client_authentication import Proof
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddOnce, DropEntry, Effect, Lost, PutEntry
from innkeeper.issuer.core.records import Client, Session
from innkeeper.issuer.core.request_object import parameters as inside
from innkeeper.issuer.core.token import Fresh, Issue, TokenRequest
from innkeeper.issuer.desk.client_authentication import client_of
from innkeeper.issuer.desk.client_keys import read_signed
from innkeeper.issuer.desk.hints import read_hint
from innkeeper.issuer.desk.outside import NotFetched
from innkeeper.issuer.desk.realm import Realm, digest, random_id, random_value
from innkeeper.issuer.desk.subjects import behind
from innkeeper.issuer.store.port import Entry
from innkeeper.keys.ring import NotOurs
from innkeeper.protocol.parameters import Parameters
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Trail

REQUEST = "backchannel request"
OF_PERSON = "backchannel request of a person"

_decode = msgspec.msgpack.Decoder(Asked).decode


class Acknowledged(msgspec.Struct, frozen=True):
    """What the client is given: what to ask with, how long it lasts and how often to ask, in seconds."""

    auth_req_id: str
    expires_in: int
    interval: int


class Pending(msgspec.Struct, frozen=True):
    """A request that waits for a person, its key in the store, and the client that asks."""

    key: str
    asked: Asked
    client: Client


class Kept(msgspec.Struct, frozen=True):
    """A request as the store has it."""

    entry: Entry
    asked: Asked


class _Bell(msgspec.Struct, frozen=True, array_like=True):
    """What the client is told with; kept sealed."""

    auth_req_id: str
    token: str


async def ask_person(realm: Realm, proof: Proof, sent: Parameters, audiences: frozenset[str]) -> Acknowledged | Refusal:
    """Answer a backchannel authentication request."""
    authenticated = await client_of(realm, proof, audiences)
    if isinstance(authenticated.outcome, Refusal):
        realm.observe(authenticated.trail.known_as("backchannel"))
        return authenticated.outcome
    client, now = authenticated.outcome, realm.now()
    looked_at = await _look_at(realm, sent, client)
    while True:
        request, judged = await _judged(realm, looked_at)
        trail = authenticated.trail.known_as("backchannel").then(judged)
        if judged.refusal:
            realm.observe(trail)
            return judged.refusal
        ask = inside(request.claims) if request.signed else sent
        decision = core.decide(ask, client, await _facts(realm, ask, client), realm.policy, now)
        trail = trail.then(decision.trail)
        if isinstance(decision.outcome, Refusal):
            realm.observe(trail)
            return decision.outcome
        asked, auth_req_id = decision.outcome, random_value()
        effects = keep(realm, asked, client, auth_req_id, ask.get("client_notification_token", ""))
        try:
            await realm.store.commit((*effects, *_used(request)))
        except Lost:
            continue
        realm.observe(trail)
        return Acknowledged(auth_req_id, asked.waiting.expires_at - now, asked.waiting.interval)


async def _look_at(realm: Realm, sent: Parameters, client: Client) -> signed_request.Case:
    """The request with its object, where it has one, verified by the client's keys."""
    packed = sent.get("request")
    if packed is None:
        return signed_request.Case(sent, client, realm.policy, realm.now())
    registered = client.backchannel_authentication_request_signing_alg
    allowed = [one for one in realm.policy.profile_for(client).algorithms if registered in ("", one)]
    signed = await read_signed(realm, packed, client, allowed)
    return signed_request.Case(sent, client, realm.policy, realm.now(), signed.problem, signed.claims)


async def _judged(realm: Realm, looked_at: signed_request.Case) -> tuple[signed_request.Case, Trail]:
    judged = signed_request.judge(looked_at)
    if judged.refusal or not looked_at.signed:
        return looked_at, judged
    used = await realm.store.entry(signed_request.ONCE, signed_request.name_of(looked_at)[0]) is not None
    request = msgspec.structs.replace(looked_at, replayed=used)
    return request, signed_request.judge(request)


def _used(request: signed_request.Case) -> tuple[Effect, ...]:
    """A signed request is good once."""
    if not request.signed:
        return ()
    key, until = signed_request.name_of(request)
    return (AddOnce(signed_request.ONCE, key, until),)


async def pending(realm: Realm, sub: str) -> list[Pending]:
    """What waits for a person's answer, the oldest first."""
    names = await realm.store.entries(OF_PERSON, _of(sub, ""))
    found = [await _pending(realm, one.key.rpartition("/")[2], sub) for one in names]
    return sorted((one for one in found if one), key=lambda one: one.asked.waiting.started_at)


async def find(realm: Realm, session: Session, key: str) -> Pending | None:
    """One request that waits for the person of a session."""
    return await _pending(realm, key, session.sub)


async def answer(
    realm: Realm, session: Session, key: str, reviewed: answering.Reviewed, *, allowed: bool
) -> Decision[Asked] | None:
    """Take a person's yes or no; the first answer stands. None where nothing waits under that key for them."""
    judged = answering.review(reviewed)
    realm.observe(judged.trail)
    if isinstance(judged.outcome, Refusal):
        return Decision(judged.outcome, judged.trail)
    while True:
        found, entry = await _pending(realm, key, session.sub), await realm.store.entry(REQUEST, key)
        name = await realm.store.entry(OF_PERSON, _of(session.sub, key))
        if found is None or entry is None or name is None:
            return None
        waiting, now = found.asked.waiting, realm.now()
        answered = answering.allow(waiting, session, random_id(), now) if allowed else answering.deny(waiting)
        asked = msgspec.structs.replace(found.asked, waiting=answered)
        try:
            await realm.store.commit((changed(entry, asked), DropEntry(OF_PERSON, name.key, name.version)))
        except Lost:
            continue
        await _ring(realm, found.client, asked, key)
        return Decision(asked, judged.trail)


async def redeem(realm: Realm, ask: TokenRequest, client: Client) -> tuple[Decision[Issue], str | None]:
    """Answer a client that asks for its tokens."""
    refresh = random_value()
    fresh = Fresh(digest(refresh))
    while True:
        found, now = await kept(realm, ask.sent.get("auth_req_id", "")), realm.now()
        entry, asked = (found.entry, found.asked) if found and not found.asked.acting else (None, None)
        waiting = asked.waiting if asked else None
        decision = core_waiting.decide(ask, client, waiting, fresh, realm.policy, now)
        effects = decision.effects
        if entry is not None and asked is not None and waiting is not None:
            after = core_waiting.after(waiting, decision.outcome, now)
            noted = changed(entry, msgspec.structs.replace(asked, waiting=after))
            effects = (*effects, noted) if after != waiting else effects
        try:
            await realm.store.commit(effects)
        except Lost:
            continue
        return decision, refresh


async def kept(realm: Realm, auth_req_id: str) -> Kept | None:
    """What waits, or waited, under this name."""
    entry = await realm.store.entry(REQUEST, digest(auth_req_id).hex())
    return Kept(entry, _decode(entry.record)) if entry else None


async def _facts(realm: Realm, sent: Parameters, client: Client) -> core.Facts:
    person, problem = None, ""
    if "login_hint" in sent:
        person = await realm.store.person_named(sent["login_hint"])
    elif "id_token_hint" in sent:
        sub, problem = await _hinted(realm, sent["id_token_hint"], client)
        person = await realm.store.person(sub) if sub else None
    if person is None:
        return core.Facts(hint_problem=problem)
    waiting = [one for one in await pending(realm, person.sub) if one.client.id == client.id]
    return core.Facts(person, waiting=len(waiting))


async def _hinted(realm: Realm, hint: str, client: Client) -> tuple[str, str]:
    """Whom an ID token of ours that this client was given speaks of, or why it is no good. It may have expired."""
    try:
        claims = await read_hint(realm, hint)
    except NotOurs as error:
        return "", str(error)
    if claims.get("aud") != client.id:
        return "", "cut for another client"
    return behind(realm, str(claims.get("sub", ""))), ""


async def _pending(realm: Realm, key: str, sub: str) -> Pending | None:
    entry = await realm.store.entry(REQUEST, key)
    asked = _decode(entry.record) if entry else None
    if asked is None or asked.sub != sub or asked.waiting.answered or asked.waiting.expires_at <= realm.now():
        return None
    client = await realm.client(asked.waiting.client_id)
    return Pending(key, asked, client) if client else None


def keep(realm: Realm, asked: Asked, client: Client, auth_req_id: str, token: str) -> tuple[Effect, ...]:
    """Have a request wait for its person. ``token`` is what a client in ping mode is told with."""
    key, expires_at = digest(auth_req_id).hex(), asked.waiting.expires_at
    if token and client.backchannel_token_delivery_mode == PING:
        bell = realm.seal.close(msgspec.msgpack.encode(_Bell(auth_req_id, token)), _purpose(key))
        asked = msgspec.structs.replace(asked, sealed=bell)
    return (
        PutEntry(REQUEST, key, msgspec.msgpack.encode(asked), expires_at),
        PutEntry(OF_PERSON, _of(asked.sub, key), b"", expires_at),
    )


async def _ring(realm: Realm, client: Client, asked: Asked, key: str) -> None:
    """Tell the client that the answer is there (CIBA §10.2). Where it cannot be told, it will ask by itself."""
    if not asked.sealed or client.backchannel_token_delivery_mode != PING:
        return
    bell = msgspec.msgpack.decode(realm.seal.open(asked.sealed, _purpose(key)), type=_Bell)
    body = msgspec.json.encode({"auth_req_id": bell.auth_req_id})
    bearer = {"authorization": f"Bearer {bell.token}"}
    endpoint = client.backchannel_client_notification_endpoint
    try:
        told = await realm.fetcher.post(endpoint, body, "application/json", bearer)
        problem = "" if told.status in (200, 204) else f"it answered {told.status}"
    except NotFetched as error:
        problem = str(error)
    realm.observe(core.told(core.Told(endpoint, problem)))


def changed(entry: Entry, asked: Asked) -> PutEntry:
    """A request as it is now."""
    return PutEntry(REQUEST, entry.key, msgspec.msgpack.encode(asked), entry.expires_at, entry.version)


def _of(sub: str, key: str) -> str:
    return f"{digest(sub).hex()}/{key}"


def _purpose(key: str) -> str:
    return f"backchannel request {key}"
