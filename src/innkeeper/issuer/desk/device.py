"""The device grant at work: hand out the two codes, find the one a person types, take the answer, give the tokens."""

from __future__ import annotations

import secrets

import msgspec

from innkeeper.issuer.core import answering
from innkeeper.issuer.core import device_authorization as core
from innkeeper.issuer.core import waiting as core_waiting
from innkeeper.issuer.core.client_authentication import Proof
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import DropEntry, Lost, PutEntry
from innkeeper.issuer.core.records import Client, Session
from innkeeper.issuer.core.throttling import USER_CODE as USER_CODE_TRIES
from innkeeper.issuer.core.throttling import Lane
from innkeeper.issuer.core.token import Fresh, Issue, TokenRequest
from innkeeper.issuer.core.waiting import Waiting
from innkeeper.issuer.desk.client_authentication import client_of
from innkeeper.issuer.desk.realm import Realm, digest, random_id, random_value
from innkeeper.issuer.desk.throttle import give_back, take
from innkeeper.issuer.store.port import Entry
from innkeeper.protocol.parameters import Parameters
from innkeeper.protocol.refusals import Refusal

DEVICE = "device request"
USER_CODE = "user code"

_decode = msgspec.msgpack.Decoder(Waiting).decode


class Codes(msgspec.Struct, frozen=True):
    """What a device is given: the code it asks with, the one it shows, how long they last and how often to ask (s)."""

    device_code: str
    user_code: str
    expires_in: int
    interval: int


class Found(msgspec.Struct, frozen=True):
    """The request behind a user code: the code in its stored spelling, and the client that asks."""

    user_code: str
    waiting: Waiting
    client: Client


async def authorize_device(realm: Realm, proof: Proof, sent: Parameters, audiences: frozenset[str]) -> Codes | Refusal:
    """Answer a device authorization request."""
    authenticated = await client_of(realm, proof, audiences)
    if isinstance(authenticated.outcome, Refusal):
        realm.observe(authenticated.trail.known_as("device authorization"))
        return authenticated.outcome
    decision = core.decide(sent, authenticated.outcome, realm.policy, realm.now())
    realm.observe(authenticated.trail.known_as("device authorization").then(decision.trail))
    if isinstance(decision.outcome, Refusal):
        return decision.outcome
    return await _keep(realm, decision.outcome)


async def find(realm: Realm, session: Session, typed: str) -> Decision[Found]:
    """The request behind a code that a person typed. Tries are counted by person; a right one is taken back but
    forgives no wrong one, or whoever owns a device could go on guessing others' codes for ever."""
    lanes, code = (Lane(USER_CODE_TRIES, (session.sub,)),), core.canonical(typed)
    wait = await take(realm, lanes)
    entry = None if wait else await _named(realm, code)
    waiting = _decode(entry.record) if entry else None
    client = await realm.client(waiting.client_id) if waiting else None
    decision = core.find(core.Entered(code, waiting if client else None, realm.now(), wait))
    realm.observe(decision.trail)
    if isinstance(decision.outcome, Refusal) or client is None:
        return Decision(decision.outcome if isinstance(decision.outcome, Refusal) else _gone(), decision.trail)
    await give_back(realm, lanes)
    return Decision(Found(code, decision.outcome, client), decision.trail)


async def answer(
    realm: Realm, session: Session, code: str, reviewed: answering.Reviewed, *, allowed: bool
) -> Decision[Waiting]:
    """Take a person's yes or no for the request behind ``code``; the first answer stands."""
    judged = answering.review(reviewed)
    if isinstance(judged.outcome, Refusal):
        realm.observe(judged.trail)
        return Decision(judged.outcome, judged.trail)
    while True:
        entry, name = await _named(realm, code), await realm.store.entry(USER_CODE, code)
        found = core.find(core.Entered(code, _decode(entry.record) if entry else None, realm.now()))
        trail = judged.trail.then(found.trail)
        if isinstance(found.outcome, Refusal) or entry is None or name is None:
            realm.observe(trail)
            return Decision(found.outcome if isinstance(found.outcome, Refusal) else _gone(), trail)
        waiting = found.outcome
        now = realm.now()
        changed = answering.allow(waiting, session, random_id(), now) if allowed else answering.deny(waiting)
        try:
            await realm.store.commit((_changed(entry, changed), DropEntry(USER_CODE, code, name.version)))
        except Lost:
            continue
        realm.observe(trail)
        return Decision(changed, trail)


async def redeem(realm: Realm, ask: TokenRequest, client: Client) -> tuple[Decision[Issue], str | None]:
    """Answer a device that asks for its tokens."""
    key, refresh = digest(ask.sent.get("device_code", "")).hex(), random_value()
    fresh = Fresh(digest(refresh))
    while True:
        entry, now = await realm.store.entry(DEVICE, key), realm.now()
        waiting = _decode(entry.record) if entry else None
        decision = core_waiting.decide(ask, client, waiting, fresh, realm.policy, now)
        effects = decision.effects
        if entry is not None and waiting is not None:
            changed = core_waiting.after(waiting, decision.outcome, now)
            effects = (*effects, _changed(entry, changed)) if changed != waiting else effects
        try:
            await realm.store.commit(effects)
        except Lost:
            continue
        return decision, refresh


async def _keep(realm: Realm, waiting: Waiting) -> Codes:
    """Remember the request under two codes that nobody else has."""
    policy = realm.policy
    while True:
        device_code, user_code = random_value(), _random_user_code()
        key = digest(device_code).hex()
        try:
            await realm.store.commit(
                (
                    PutEntry(DEVICE, key, msgspec.msgpack.encode(waiting), waiting.expires_at),
                    PutEntry(USER_CODE, user_code, key.encode("ascii"), waiting.expires_at),
                )
            )
        except Lost:
            continue
        return Codes(device_code, core.shown(user_code), policy.device_lifetime, policy.poll_interval)


async def _named(realm: Realm, code: str) -> Entry | None:
    name = await realm.store.entry(USER_CODE, code) if code else None
    return await realm.store.entry(DEVICE, name.record.decode("ascii")) if name else None


def _changed(entry: Entry, waiting: Waiting) -> PutEntry:
    return PutEntry(DEVICE, entry.key, msgspec.msgpack.encode(waiting), entry.expires_at, entry.version)


def _random_user_code() -> str:
    return "".join(secrets.choice(core.ALPHABET) for _ in range(core.CODE_LENGTH))


def _gone() -> Refusal:
    return Refusal(core.CODE_UNKNOWN, "the client is not registered any more", "a client", "none")
