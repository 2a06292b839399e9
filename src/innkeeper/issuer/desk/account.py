"""What a person may see and change of their own account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from innkeeper.issuer.core import account as core
from innkeeper.issuer.core.account import Change, NewPassword
from innkeeper.issuer.core.assurance import BY_PASSWORD_AND_CODE
from innkeeper.issuer.core.effects import DropEntry, Lost, PutEntry, TakeBackConsent
from innkeeper.issuer.core.records import Consent, Grant, Person, Session
from innkeeper.issuer.core.second_factor import Typed, spend
from innkeeper.issuer.core.sessions import raised
from innkeeper.issuer.core.throttling import PASSWORD_AGAIN, SECOND_STEP, Lane
from innkeeper.issuer.desk import agents, factors, one_time_codes
from innkeeper.issuer.desk.callers import Caller
from innkeeper.issuer.desk.leaving import end_sessions
from innkeeper.issuer.desk.open_sessions import ended, places
from innkeeper.issuer.desk.passkeys import passkeys_of
from innkeeper.issuer.desk.passwords import hashed, matches
from innkeeper.issuer.desk.realm import Realm, random_value
from innkeeper.issuer.desk.sign_in import SignedIn
from innkeeper.issuer.desk.throttle import give_back, take
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import follow

OFFER = "codes offered"
OFFER_LIFETIME = 900
"""Seconds in which an app can be set up with the secret that a page shows."""


class Application(msgspec.Struct, frozen=True):
    """A client that may do something for the person, or did: what, where, and since when. ``name`` is its id where the client
    is gone; ``acts`` are what it came to do in their name lately, ``taken_back`` is when they forbade it, 0 for never."""

    id: str
    name: str
    scopes: frozenset[str]
    resources: frozenset[str]
    since: int
    acts: Sequence[agents.Act] = ()
    taken_back: int = 0


class SetUp(msgspec.Struct, frozen=True):
    """Codes are on: the recovery codes, told here only, and the session under its new cookie."""

    recovery_codes: list[str]
    signed_in: SignedIn


async def may_change(realm: Realm, session: Session) -> Refusal | None:
    """Why this session may not change how its person signs in, or None."""
    held = await factors.factors_of(realm, session.sub)
    trail = follow("change of sign-in", core.CHANGE_CHECKS, Change(session, held, realm.now()))
    if trail.refusal:
        realm.observe(trail)
    return trail.refusal


async def change_password(
    realm: Realm, session: Session, person: Person, present: str, new: str, again: str
) -> Refusal | None:
    """Set a new password, and sign the person out everywhere else."""
    lanes = (Lane(PASSWORD_AGAIN, (session.id,)),)
    wait = await take(realm, lanes)
    right = not wait and await matches(person.password, present)
    ask = NewPassword(person.username, right, present, new, again, wait)
    trail = follow("new password", core.PASSWORD_CHECKS, ask)
    realm.observe(trail)
    if right:
        await give_back(realm, lanes)
    if trail.refusal:
        return trail.refusal
    fresh = await hashed(new)
    now_is = await realm.store.person(person.sub) or person
    await realm.store.put_person(msgspec.structs.replace(now_is, password=fresh, development=False))
    await end_sessions(realm, await ended(realm, person.sub, session.id))
    return None


async def applications(realm: Realm, sub: str) -> list[Application]:
    """Every client that the person allowed something, that holds a grant of theirs or acted for them, the newest first."""
    consents = {one.client_id: one for one in await realm.store.consents(sub)}
    grants = [one for one in await realm.store.grants(sub) if one.revoked_at is None]
    acting = {one.id: one for one in await agents.acting(realm, sub)}
    ids = {*consents, *(one.client_id for one in grants), *acting}
    found = [await _application(realm, one, consents.get(one), grants, acting.get(one)) for one in ids]
    return sorted(found, key=lambda one: (-one.since, one.id))


async def take_back(realm: Realm, sub: str, client_id: str) -> None:
    """Forget what the person allowed a client, and end its grants. One that acts in their name does so no more."""
    client = await realm.client(client_id)
    acts = {one.id for one in await agents.acting(realm, sub)}
    if client_id in acts or (client is not None and client.agent is not None):
        await agents.take_back(realm, sub, client_id)
        return
    await realm.store.commit((TakeBackConsent(sub, client_id, realm.now()),))


async def offered_secret(realm: Realm, session: Session) -> str:
    """The secret that a page offers this session for an app: the same until it is taken, or too old."""
    while True:
        entry = await realm.store.entry(OFFER, session.id)
        if entry is not None and entry.expires_at > realm.now():
            return factors.opened(realm, session.sub, entry.record)
        secret = one_time_codes.random_secret()
        sealed, until = factors.sealed(realm, session.sub, secret), realm.now() + OFFER_LIFETIME
        try:
            await realm.store.commit((PutEntry(OFFER, session.id, sealed, until, entry.version if entry else 0),))
        except Lost:
            continue
        return secret


async def set_up_codes(realm: Realm, caller: Caller, session: Session, typed: str) -> SetUp | Refusal:
    """Turn codes on with the secret that was offered, where the app shows its code. The session becomes surer by it."""
    lanes = (Lane(SECOND_STEP, (session.sub, session.id)),)
    wait, cookie = await take(realm, lanes), random_value()
    surer, raised_effect = raised(session, BY_PASSWORD_AND_CODE, caller.fresh(cookie))
    while True:
        entry, secret = await realm.store.entry(OFFER, session.id), await offered_secret(realm, session)
        found = Typed(wait=wait) if wait else await factors.against(realm, session.sub, secret, typed)
        trail = factors.judged(found)
        if trail.refusal:
            realm.observe(trail)
            return trail.refusal
        shown, effects = await factors.new_recovery_codes(realm, session.sub)
        effects += [*spend(session.sub, found, realm.now()), factors.set_up(realm, session.sub, secret), raised_effect]
        effects += [DropEntry(OFFER, entry.key, entry.version)] if entry else []
        try:
            await realm.store.commit(effects)
        except Lost:
            if (await caller.again(realm)).session is None:
                return Refusal(core.SIGN_IN_AGAIN, "the session ended meanwhile")
            continue
        realm.observe(trail)
        await give_back(realm, lanes)
        return SetUp(shown, SignedIn(surer, cookie))


async def new_recovery_codes(realm: Realm, sub: str) -> list[str]:
    """New recovery codes in the place of all old ones, told once."""
    shown, effects = await factors.new_recovery_codes(realm, sub)
    await realm.store.commit(effects)
    return shown


async def turn_off_codes(realm: Realm, sub: str) -> None:
    await realm.store.commit(await factors.without_codes(realm, sub))


async def everything(realm: Realm, person: Person) -> dict[str, Any]:
    """All that is remembered of a person, for them to take away; secrets and hashes are left out."""
    app = await factors.app_of(realm, person.sub)
    return {
        "issuer": realm.policy.issuer,
        "sub": person.sub,
        "username": person.username,
        "created_at": person.created_at,
        "claims": person.claims,
        "codes": {"since": app.since, "recovery_codes_left": await factors.recovery_codes_left(realm, person.sub)}
        if app
        else None,
        "passkeys": [
            {"name": one.name, "since": one.since, "used_at": one.used_at, "shared": one.shared}
            for _, one in await passkeys_of(realm, person.sub)
        ],
        "sessions": [msgspec.structs.asdict(one) for one in await places(realm, person.sub)],
        "consents": [_consent_document(one) for one in await realm.store.consents(person.sub)],
        "grants": [_grant_document(one) for one in await realm.store.grants(person.sub)],
        "acts": [_act_document(act) for one in await agents.acting(realm, person.sub) for act in one.acts],
        "agents": [one.id for one in await agents.owned(realm, person.sub)],
    }


async def _application(
    realm: Realm, client_id: str, consent: Consent | None, grants: Iterable[Grant], acted: agents.Acting | None
) -> Application:
    client = await realm.client(client_id)
    held: Sequence[Grant] = [one for one in grants if one.client_id == client_id]
    acts, taken = (acted.acts, acted.taken_back) if acted else ((), 0)
    begun = [one.created_at for one in held] + ([consent.given_at] if consent else []) + [one.at for one in acts]
    return Application(
        client_id,
        client.name if client else client_id,
        (consent.scopes if consent else frozenset()).union(*(one.scopes for one in held)),
        (consent.resources if consent else frozenset()).union(*(one.audience for one in held)),
        min(begun, default=taken),
        acts,
        taken,
    )


def _consent_document(consent: Consent) -> dict[str, Any]:
    return {
        "client_id": consent.client_id,
        "scopes": sorted(consent.scopes),
        "resources": sorted(consent.resources),
        "given_at": consent.given_at,
    }


def _grant_document(grant: Grant) -> dict[str, Any]:
    return {
        "client_id": grant.client_id,
        "scopes": sorted(grant.scopes),
        "resources": sorted(grant.audience),
        "created_at": grant.created_at,
        "revoked_at": grant.revoked_at,
    }


def _act_document(act: agents.Act) -> dict[str, Any]:
    return {
        "agent": act.agent,
        "at": act.at,
        "scopes": sorted(act.scopes),
        "resources": list(act.audience),
        "for": list(act.through),
    }
