"""Registration at work: read what a client says, make its id, secret and token, remember it; later show, change, remove."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core import registration as core
from innkeeper.issuer.core.client_metadata import OF_PUBLIC_CLIENTS, Metadata, Rules, Unreadable, read
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import DropEntry, Effect, Lost, PutEntry
from innkeeper.issuer.core.metadata_checks import Case
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.desk.client_secrets import keep
from innkeeper.issuer.desk.fetching import JSON
from innkeeper.issuer.desk.realm import Realm, digest, random_id, random_value
from innkeeper.issuer.desk.sectors import sector_named
from innkeeper.issuer.desk.throttle import network_of, turn
from innkeeper.issuer.desk.wrapping import provide_for
from innkeeper.issuer.store.port import Entry
from innkeeper.protocol.refusals import Refusal, UsageError
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.tokens.trail import Trail

MOST_BYTES = 16 * 1024
"""Longest metadata read. Those seen in the wild stay under three KiB."""

BURST, EVERY = 100, 5
"""One address registers this many clients at once, and one more every so many seconds."""

MOST_USES = 10_000
SHORTEST_INVITATION, LONGEST_INVITATION = 60, 31_536_000

_INVITATION = "initial access token"


class Sent(msgspec.Struct, frozen=True):
    """A registration request: its body and content type, the token it carries ("" for none), where it comes from."""

    body: bytes
    content_type: str
    bearer: str
    remote: str = ""


class Registered(msgspec.Struct, frozen=True):
    """A registration as it is told to its client. ``token`` reads and changes it; ``secret`` is told only when made."""

    client: Client
    token: str
    secret: str | None = None


async def register(realm: Realm, sent: Sent) -> Registered | Refusal:
    """Answer a registration request."""
    said, problem = _read(sent)
    token, secret = random_value(), random_value()
    made = _fresh(realm, random_id(), said, secret, token)
    wait: int | None = None
    while True:
        invitation, now = await _invitation(realm, sent.bearer), realm.now()
        if wait is None:
            wait = 0 if invitation else await turn(realm, "register", network_of(sent.remote), BURST, EVERY)
        door = core.Door(realm.policy, invitation is not None, wait)
        opening = core.open_door(door)
        if opening.refusal:
            realm.observe(opening)
            return opening.refusal
        case = await _case(realm, said, problem, invited=door.invited)
        decision = core.register(case, door, made, now)
        used = _used(invitation) if decision.effects and invitation else ()
        try:
            await realm.store.commit((*decision.effects, *used))
        except Lost:
            continue
        await _provide(realm, decision)
        return _told(realm, opening, decision, token, secret)


async def look_up(realm: Realm, client_id: str, bearer: str) -> Registered | Refusal:
    """The registration as it is, for whoever holds its token."""
    decision = core.admit(core.Keeper(await realm.store.client(client_id), digest(bearer)))
    return _told(realm, Trail("registration"), decision, bearer)


async def change(realm: Realm, client_id: str, sent: Sent) -> Registered | Refusal:
    """Replace the registration by what is sent."""
    said, problem = _read(sent)
    secret = random_value()
    made = _fresh(realm, client_id, said, secret, sent.bearer)
    while True:
        admitted = core.admit(core.Keeper(await realm.store.client(client_id), digest(sent.bearer)))
        client = admitted.outcome
        if isinstance(client, Refusal):
            return _told(realm, Trail("registration"), admitted, sent.bearer)
        case = await _case(realm, said, problem, invited=client.unused_until == 0)
        known = any(one.digest == digest(said.client_secret) for one in client.secrets)
        decision = core.change(case, core.Update(said, client, known), made)
        try:
            await realm.store.commit(decision.effects)
        except Lost:
            continue
        realm.forget_client(client_id)
        await _provide(realm, decision)
        return _told(realm, admitted.trail, decision, sent.bearer, secret)


async def remove(realm: Realm, client_id: str, bearer: str) -> Refusal | None:
    """End the registration, and with it all that people allowed the client."""
    decision = core.admit(core.Keeper(await realm.store.client(client_id), digest(bearer)))
    realm.observe(decision.trail)
    if isinstance(decision.outcome, Refusal):
        return decision.outcome
    await realm.store.commit(core.remove(decision.outcome, realm.now()))
    realm.forget_client(client_id)
    return None


async def invite(realm: Realm, uses: int, lifetime: int) -> str:
    """A new initial access token: it registers ``uses`` clients within ``lifetime`` seconds."""
    token, effect = invitation(realm, uses, lifetime)
    await realm.store.commit((effect,))
    return token


def invitation(realm: Realm, uses: int, lifetime: int) -> tuple[str, PutEntry]:
    """The same, yet to be remembered. Raises ``UsageError``."""
    if not 1 <= uses <= MOST_USES:
        raise UsageError(f"uses {uses}: an invitation is good for 1 to {MOST_USES} clients")
    if not SHORTEST_INVITATION <= lifetime <= LONGEST_INVITATION:
        raise UsageError(f"seconds {lifetime}: an invitation is good for a minute to a year")
    token = random_value()
    record = msgspec.msgpack.encode(uses)
    return token, PutEntry(_INVITATION, digest(token).hex(), record, realm.now() + lifetime)


async def _provide(realm: Realm, decision: Decision[Client]) -> None:
    if isinstance(decision.outcome, Client):
        await provide_for(realm, decision.outcome)


def _fresh(realm: Realm, client_id: str, said: Metadata, secret: str, token: str) -> core.Fresh:
    signs = said.id_token_signed_response_alg
    kept = keep(realm.seal, client_id, (said.token_endpoint_auth_method,), secret, realm.now(), id_token_alg=signs)
    return core.Fresh(client_id, kept, digest(token))


async def _invitation(realm: Realm, bearer: str) -> Entry | None:
    entry = await realm.store.entry(_INVITATION, digest(bearer).hex()) if bearer else None
    return entry if entry and entry.expires_at > realm.now() else None


def _used(entry: Entry) -> tuple[Effect, ...]:
    left = msgspec.msgpack.decode(entry.record, type=int) - 1
    if left < 1:
        return (DropEntry(_INVITATION, entry.key, entry.version),)
    return (PutEntry(_INVITATION, entry.key, msgspec.msgpack.encode(left), entry.expires_at, entry.version),)


def _read(sent: Sent) -> tuple[Metadata, str]:
    """What the client says, and why it cannot be read, if so."""
    if not JSON.fullmatch(sent.content_type.partition(";")[0].strip().lower()):
        return Metadata(), f"the content type is {sent.content_type or 'missing'}, not application/json"
    if len(sent.body) > MOST_BYTES:
        return Metadata(), f"the metadata are longer than {MOST_BYTES} bytes"
    try:
        return read(read_object(sent.body)), ""
    except (NotStrict, Unreadable) as error:
        return Metadata(), str(error)


async def _case(realm: Realm, said: Metadata, problem: str, *, invited: bool) -> Case:
    """Uninvited clients get grants that a person says yes to; nobody gets tokens for being able to register."""
    supported = realm.supported()
    grants = frozenset(supported.get("grant_types_supported", ())) if invited else OF_PUBLIC_CLIENTS
    rules = Rules(supported, grants, realm.policy.usual_scopes())
    return Case(said, rules, await sector_named(realm.fetcher, said), problem)


def _told(
    realm: Realm, before: Trail, decision: Decision[Client], token: str, secret: str = ""
) -> Registered | Refusal:
    realm.observe(before.then(decision.trail))
    client = decision.outcome
    if isinstance(client, Refusal):
        return client
    made = any(one.digest == digest(secret) for one in client.secrets) if secret else False
    return Registered(client, token, secret if made else None)
