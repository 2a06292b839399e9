"""The step after the password at work: whose turn it is, whether the code is theirs, the session of two factors."""

from __future__ import annotations

from innkeeper.issuer.core import second_factor as core
from innkeeper.issuer.core.effects import DropEntry, Effect, Lost
from innkeeper.issuer.core.second_factor import Standing
from innkeeper.issuer.core.throttling import second_step_lanes
from innkeeper.issuer.desk.callers import Caller
from innkeeper.issuer.desk.factors import matched, needs_code
from innkeeper.issuer.desk.realm import Realm, digest, random_value
from innkeeper.issuer.desk.sign_in import HALF_WAY, SignedIn, note_network
from innkeeper.issuer.desk.throttle import give_back, take
from innkeeper.issuer.store.port import Entry
from innkeeper.protocol.refusals import Refusal


async def standing(realm: Realm, caller: Caller, cookie: str | None) -> tuple[Standing, Entry | None]:
    """Whose code is awaited in this browser: of whoever gave the password, else of whoever is signed in."""
    entry = await realm.store.entry(HALF_WAY, digest(cookie).hex()) if cookie else None
    if entry is not None and entry.expires_at > realm.now():
        person = await realm.store.person(entry.record.decode())
        return Standing(person, before=caller.session), entry
    session = caller.session
    if session is None or not await needs_code(realm, session.sub):
        return Standing(), None
    return Standing(await realm.store.person(session.sub), session), None


async def second_factor(realm: Realm, caller: Caller, cookie: str | None, typed: str) -> SignedIn | Refusal:
    """Take the code that follows a password, or that makes a session surer."""
    fresh_cookie = random_value()
    fresh = caller.fresh(fresh_cookie)
    who, _ = await standing(realm, caller, cookie)
    lanes = second_step_lanes(who.person.sub, caller.known(realm, who.person.sub)) if who.person else ()
    wait = await take(realm, lanes) if lanes else 0
    while True:
        who, entry = await standing(realm, caller, cookie)
        found = await matched(realm, who.person.sub, typed, wait) if who.person else core.Typed()
        decision = core.decide(found, who, fresh, realm.policy, realm.now())
        outcome, effects = decision.outcome, list[Effect](decision.effects)
        if not isinstance(outcome, Refusal):
            effects += [DropEntry(HALF_WAY, entry.key, entry.version)] if entry else []
            effects.append(await note_network(realm, outcome.sub, caller.network))
        try:
            await realm.store.commit(effects)
        except Lost:
            caller = await caller.again(realm)
            continue
        realm.observe(decision.trail)
        if isinstance(outcome, Refusal):
            return outcome
        await give_back(realm, lanes)
        return SignedIn(outcome, fresh_cookie)
