"""Sign-in at work: count the try, compare the password, open the session or ask for a code."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from innkeeper.issuer.core import sign_in as core
from innkeeper.issuer.core.effects import Effect, Lost, PutEntry, PutPerson
from innkeeper.issuer.core.records import Person, Session
from innkeeper.issuer.core.sign_in import HalfWay
from innkeeper.issuer.core.throttling import password_lanes
from innkeeper.issuer.desk.callers import Caller
from innkeeper.issuer.desk.factors import needs_code
from innkeeper.issuer.desk.matter import concerns
from innkeeper.issuer.desk.older_passwords import is_older
from innkeeper.issuer.desk.passwords import hashed, matches
from innkeeper.issuer.desk.realm import Realm, digest, random_value
from innkeeper.issuer.desk.throttle import give_back, take
from innkeeper.protocol.refusals import Refusal

HALF_WAY = "half signed in"
HALF_WAY_LIFETIME = 600
"""Seconds between the password and the code."""

_KNOWN_NETWORK = "known network"
_NETWORK_KEPT = 30 * 86400


class SignedIn(msgspec.Struct, frozen=True):
    """The new session, and the cookie value that stands for it."""

    session: Session
    cookie: str


class CodeNext(msgspec.Struct, frozen=True):
    """The password was right; ``cookie`` stands for that until the code comes."""

    cookie: str


async def sign_in(realm: Realm, caller: Caller, username: str, password: str) -> SignedIn | CodeNext | Refusal:
    """Open a session for the person whose name and password these are, or ask for their code."""
    person = await realm.store.person_named(username)
    sub = person.sub if person else None
    concerns(realm.name, subject=sub)
    network_is_known = await _network_is_known(realm, sub, caller.network)
    lanes = password_lanes(username, caller.network, caller.known(realm, sub), network_is_known=network_is_known)
    wait = await take(realm, lanes)
    right = not wait and await matches(person.password if person else None, password)
    person, right = await _by_now(realm, person, right)
    attempt = core.Attempt(username, right, wait, bool(person and right) and await needs_code(realm, sub))
    answer = await _committed(realm, caller, attempt, person)
    if not isinstance(answer, Refusal):
        await give_back(realm, lanes)
        await _stored_anew(realm, person, password)
    return answer


async def _stored_anew(realm: Realm, person: Person | None, password: str) -> None:
    """A password that came from another issuer is stored as ours, where the old one is still there."""
    if person is None or not is_older(person.password):
        return
    fresh = await hashed(password)
    here = await realm.store.person(person.sub)
    if here is not None and here.password == person.password:
        with suppress(Lost):  # somebody removed them just now
            await realm.store.commit((PutPerson(msgspec.structs.replace(here, password=fresh), new=False),))


async def _by_now(realm: Realm, person: Person | None, right: bool) -> tuple[Person | None, bool]:
    """The person after the time that comparing took: the account may have been shut, or the password changed."""
    found = await realm.store.person(person.sub) if person else None
    return found, bool(right and person and found and found.password == person.password)


async def note_network(realm: Realm, sub: str, network: str) -> Effect:
    """Remember that this person signed in from here: others' wrong tries do not hold up this network."""
    key = _network_key(realm, sub, network)
    known = await realm.store.entry(_KNOWN_NETWORK, key)
    return PutEntry(_KNOWN_NETWORK, key, b"", realm.now() + _NETWORK_KEPT, known.version if known else 0)


async def _committed(
    realm: Realm, caller: Caller, attempt: core.Attempt, person: Person | None
) -> SignedIn | CodeNext | Refusal:
    cookie = random_value()
    fresh = caller.fresh(cookie)
    while True:
        now = realm.now()
        decision = core.decide(attempt, person, fresh, realm.policy, now, caller.session)
        outcome, effects = decision.outcome, decision.effects
        if isinstance(outcome, HalfWay):
            record = outcome.sub.encode()
            effects = (PutEntry(HALF_WAY, digest(cookie).hex(), record, now + HALF_WAY_LIFETIME),)
        elif isinstance(outcome, Session):
            effects = (*effects, await note_network(realm, outcome.sub, caller.network))
        try:
            await realm.store.commit(effects)
        except Lost:
            caller = await caller.again(realm)
            continue
        realm.observe(decision.trail)
        if isinstance(outcome, HalfWay):
            return CodeNext(cookie)
        return outcome if isinstance(outcome, Refusal) else SignedIn(outcome, cookie)


async def _network_is_known(realm: Realm, sub: str | None, network: str) -> bool:
    if sub is None:
        return False
    known = await realm.store.entry(_KNOWN_NETWORK, _network_key(realm, sub, network))
    return known is not None and known.expires_at > realm.now()


def _network_key(realm: Realm, sub: str, network: str) -> str:
    return realm.mac("network", f"{sub}\0{network}").hex()
