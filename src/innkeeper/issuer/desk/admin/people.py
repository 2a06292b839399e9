"""Changes to people, planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from innkeeper.issuer.core.admin.permissions import known_roles, permissions_of
from innkeeper.issuer.core.admin.plan import Plan, Sentence
from innkeeper.issuer.core.effects import PERSON, Effect, EndSession, PutPerson, RemovePerson
from innkeeper.issuer.core.records import Person
from innkeeper.issuer.core.sign_up import why_no_name
from innkeeper.issuer.desk.admin.house import House, Missing, Seen
from innkeeper.issuer.desk.admin.showing import person_document, person_record
from innkeeper.issuer.desk.factors import factors_of, without_factors
from innkeeper.issuer.desk.open_sessions import ended
from innkeeper.issuer.desk.passwords import hashed
from innkeeper.issuer.desk.realm import random_id
from innkeeper.issuer.desk.registry import judge_password, shutting
from innkeeper.protocol.refusals import UsageError


class NewPerson(msgspec.Struct, frozen=True, kw_only=True):
    """``username`` is what they sign in with, such as an e-mail address; ``claims`` are OpenID's."""

    username: str
    password: str
    claims: Mapping[str, Any] = {}
    roles: Sequence[str] = ()


class PersonChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be otherwise; None leaves it as it is. ``claims`` are all of them; ``roles`` too."""

    username: str | None = None
    claims: Mapping[str, Any] | None = None
    roles: Sequence[str] | None = None


class NewPassword(msgspec.Struct, frozen=True, kw_only=True):
    """The password from now on."""

    password: str


async def add(house: House, _: str, said: NewPerson) -> Plan:
    judge_password(said.password)
    await _judge_name(house, said.username)
    person = Person(
        sub=random_id(),
        username=said.username,
        password=await hashed(said.password),
        claims=dict(said.claims),
        roles=known_roles(said.roles),
        created_at=house.realm.now(),
    )
    return _plan("person.add", None, person, (PutPerson(person),), told={"sub": person.sub})


async def change(house: House, key: str, said: PersonChange) -> Plan:
    before, seen = await _known(house, key)
    if said.username is not None and said.username.casefold() != before.username.casefold():
        await _judge_name(house, said.username)
    after = msgspec.structs.replace(
        before,
        username=before.username if said.username is None else said.username,
        claims=before.claims if said.claims is None else dict(said.claims),
        roles=before.roles if said.roles is None else known_roles(said.roles),
    )
    return _plan("person.change", before, after, (seen.still, PutPerson(after, new=False)), seen.version)


async def password(house: House, key: str, said: NewPassword) -> Plan:
    judge_password(said.password)
    before, seen = await _known(house, key)
    after = msgspec.structs.replace(before, password=await hashed(said.password), development=False)
    out = await ended(house.realm, key)
    plan = _plan("person.password", before, after, (seen.still, PutPerson(after, new=False), *out), seen.version)
    return msgspec.structs.replace(
        plan, after={**(plan.after or {}), "password": "a new one"}, follows=_signed_out(out)
    )


async def lock(house: House, key: str, _: object) -> Plan:
    before, seen = await _known(house, key)
    after = msgspec.structs.replace(before, disabled=True)
    effects = await shutting(house.realm, before)
    follows = (*_signed_out(effects), Sentence("Everything that they allowed applications ends."))
    return _plan("person.lock", before, after, (seen.still, *effects), seen.version, follows=follows, shuts=True)


async def unlock(house: House, key: str, _: object) -> Plan:
    before, seen = await _known(house, key)
    after = msgspec.structs.replace(before, disabled=False)
    follows = (Sentence("What ended when it was locked stays ended."),)
    effects = (seen.still, PutPerson(after, new=False))
    return _plan("person.unlock", before, after, effects, seen.version, follows=follows)


async def reset_factors(house: House, key: str, _: object) -> Plan:
    before, seen = await _known(house, key)
    held = sorted(await factors_of(house.realm, key))
    out = await ended(house.realm, key)
    effects = (seen.still, *await without_factors(house.realm, key), *out)
    plan = _plan("person.reset-factors", before, before, effects, seen.version)
    alone = Sentence("Their password alone signs in then, until they set up a second factor again.")
    return _with(plan, "second_factors", held, [], (*_signed_out(out), alone))


async def sign_out(house: House, key: str, _: object) -> Plan:
    before, seen = await _known(house, key)
    out = await ended(house.realm, key)
    plan = _plan("person.sign-out", before, before, (seen.still, *out), seen.version)
    return _with(plan, "sessions", len(out), 0, _signed_out(out))


async def erase(house: House, key: str, _: object) -> Plan:
    """Sessions end one by one first, so that the clients hear of it."""
    before, seen = await _known(house, key)
    out = await ended(house.realm, key)
    effects = (seen.still, *out, RemovePerson(key, house.realm.now()))
    told = await person_document(house.realm, before)
    plan = _plan("person.erase", before, None, effects, seen.version, shuts=True)
    follows = (
        *_signed_out(out),
        Sentence(
            "Everything remembered of them here goes: passkeys, codes, what they allowed. The audit log keeps their id."
        ),
        Sentence("This cannot be taken back."),
    )
    return msgspec.structs.replace(plan, before=told, follows=follows)


async def _known(house: House, key: str) -> tuple[Person, Seen]:
    person = await house.realm.store.person(key)
    if person is None:
        raise Missing(f"nobody has the id {key!r}; `innkeeper user list` shows who is here")
    return person, await house.seen(PERSON, key)


async def _judge_name(house: House, username: str) -> None:
    if why := why_no_name(username):
        raise UsageError(f"the name {username!r} cannot be taken: {why}")
    if await house.realm.store.person_named(username) is not None:
        raise UsageError(f"somebody named {username!r} is here already; choose another name")


def _signed_out(effects: Sequence[Effect]) -> tuple[Sentence, ...]:
    browsers = sum(isinstance(one, EndSession) for one in effects)
    if browsers == 1:
        return (Sentence("They are signed out of one browser."),)
    return (Sentence("They are signed out of {count} browsers.", {"count": browsers}),) if browsers else ()


def _with(plan: Plan, name: str, before: Any, after: Any, follows: tuple[Sentence, ...]) -> Plan:
    """The plan, with a value that does not stand in the person's own record."""
    said = {"before": {**(plan.before or {}), name: before}, "after": {**(plan.after or {}), name: after}}
    return msgspec.structs.replace(plan, **said, follows=follows)


def _plan(
    action: str,
    before: Person | None,
    after: Person | None,
    effects: tuple[Effect, ...],
    version: str = "",
    *,
    told: dict[str, str] | None = None,
    follows: tuple[Sentence, ...] = (),
    shuts: bool = False,
) -> Plan:
    person = after or before
    if person is None:
        raise ValueError("a plan is of something that is there before or after")
    return Plan(
        action=action,
        what="person",
        key=person.sub,
        name=person.username,
        before=person_record(before) if before else None,
        after=person_record(after) if after else None,
        effects=effects,
        version=version,
        told=told or {},
        follows=follows,
        before_permissions=permissions_of(before.roles if before else ()),
        after_permissions=frozenset() if shuts else permissions_of(after.roles if after else ()),
        sub=person.sub,
        shuts=shuts,
    )
