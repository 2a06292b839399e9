"""Users of a pool: found by any of their names, changed with person, account and names in one commit."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec

from innkeeper.issuer.core.cognito import known, srp
from innkeeper.issuer.core.cognito.attributes import VERIFIED_OF
from innkeeper.issuer.core.cognito.records import CONFIRMED, Account, Pool, User
from innkeeper.issuer.core.effects import Effect, PutPerson, RemovePerson
from innkeeper.issuer.core.records import Person
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.shelf import Shelf
from innkeeper.issuer.desk.cognito.twin import OpenPool, there
from innkeeper.issuer.desk.passwords import hashed
from innkeeper.issuer.store.port import RealmStore


class Alias(msgspec.Struct, frozen=True):
    """Whose name an e-mail address, telephone number or preferred user name is."""

    sub: str


ACCOUNTS, ALIASES = Shelf("account", Account), Shelf("alias", Alias)


async def find_user(pool: OpenPool, name: str) -> User | None:
    """The user by that user name, alias or ``sub``."""
    person = await pool.store.person_named(name)
    for attribute in (*pool.pool.named_by, *pool.pool.aliases):
        if person is None and (alias := await ALIASES.find(pool.store, _alias_key(attribute, name))):
            person = await pool.store.person(alias.record.sub)
    person = person or await pool.store.person(name)
    return await _with_account(pool.store, person) if person else None


async def user_by_sub(pool: OpenPool, sub: str) -> User | None:
    person = await pool.store.person(sub)
    return await _with_account(pool.store, person) if person else None


async def the_user(pool: OpenPool, name: str) -> User:
    """The user by that name. Raises ``Declined``."""
    found = await find_user(pool, name)
    demand("user", known.THE_USER, known.Named(name, found is not None))
    return there(found)


async def all_users(pool: OpenPool) -> list[User]:
    return [await _with_account(pool.store, one) for one in await pool.store.people()]


async def _with_account(store: RealmStore, person: Person) -> User:
    kept = await ACCOUNTS.find(store, person.sub)
    if kept is None:
        return User(person, Account(status=CONFIRMED, modified_at=person.created_at))
    return User(person, kept.record, kept.version)


def put(user: User, before: User | None, now: int) -> list[Effect]:
    """What makes a user stand as given. ``before`` is what was read, None for a new user. Lost where somebody was faster."""
    account = msgspec.structs.replace(user.account, modified_at=now)
    record = ACCOUNTS.put(user.sub, account, before.version if before else 0)
    return [PutPerson(user.person, new=before is None), record]


async def aliases(pool: OpenPool, user: User, before: User | None) -> list[Effect]:
    """What gives a user the aliases that their attributes stand for, and takes back the ones they stood for before."""
    now, then = _aliases_of(pool.pool, user), _aliases_of(pool.pool, before) if before else set()
    gone = [await ALIASES.find(pool.store, key) for key in sorted(then - now)]
    fresh = [ALIASES.put(key, Alias(user.sub)) for key in sorted(now - then)]
    return [*(ALIASES.drop(one) for one in gone if one), *fresh]


async def taken_alias(pool: OpenPool, user: User) -> str:
    """An alias of a user's that is somebody else's already; "" where none is."""
    for key in sorted(_aliases_of(pool.pool, user)):
        held = await ALIASES.find(pool.store, key)
        if held is not None and held.record.sub != user.sub:
            return key.partition("|")[0]
    return ""


async def removed(pool: OpenPool, user: User) -> list[Effect]:
    """What takes a user out of the pool with everything that is theirs."""
    own = [await ALIASES.find(pool.store, key) for key in sorted(_aliases_of(pool.pool, user))]
    account = await ACCOUNTS.find(pool.store, user.sub)
    return [
        *(ALIASES.drop(one) for one in own if one),
        *((ACCOUNTS.drop(account),) if account else ()),
        RemovePerson(user.sub, pool.now()),
    ]


async def with_password(pool: OpenPool, user: User, password: str) -> User:
    """The user with a new password: its argon2 hash, and the verifier by which it is proved without being sent."""
    salt = secrets.token_hex(16)
    kept = srp.verifier(pool.pool.short_name, user.username, password, salt)
    person = msgspec.structs.replace(user.person, password=await hashed(password))
    account = msgspec.structs.replace(
        user.account,
        salt=salt,
        verifier=pool.realm.seal.close(kept, _verifier_of(user.sub)),
        verifier_of=password_mark(person),
    )
    return User(person, account, user.version)


def verifier_of(pool: OpenPool, user: User) -> bytes | None:
    """What is remembered for proofs of the password; None where the password was set without it."""
    if not user.account.verifier or user.account.verifier_of != password_mark(user.person):
        return None
    return pool.realm.seal.open(user.account.verifier, _verifier_of(user.sub))


def password_mark(person: Person) -> str:
    """What tells one stored password from the next."""
    return sha256(person.password.encode()).hexdigest()[:16]


def with_attributes(user: User, changed: Mapping[str, str], removed: Sequence[str] = ()) -> User:
    """The user with attributes set and taken away. A changed address is not verified, unless it is said to be."""
    lapsed = [
        flag
        for name, flag in VERIFIED_OF.items()
        if name in changed and flag not in changed and user.attributes.get(name) != changed[name]
    ]
    kept = {name: value for name, value in user.person.claims.items() if name not in (*removed, *lapsed)}
    unverified = {flag: "false" for flag in lapsed if flag in user.person.claims}
    claims = {**kept, **unverified, **changed}
    return User(msgspec.structs.replace(user.person, claims=claims), user.account, user.version)


def with_account(user: User, **changes: object) -> User:
    return User(user.person, msgspec.structs.replace(user.account, **changes), user.version)


def _aliases_of(pool: Pool, user: User) -> set[str]:
    """Names that the user may sign in with beside the user name: those of a pool that is named by attributes, and verified
    aliases."""
    said = user.attributes
    own = {_alias_key(one, said[one]) for one in pool.named_by if said.get(one)}
    for one in pool.aliases:
        flag = VERIFIED_OF.get(one)
        if said.get(one) and (flag is None or said.get(flag, "").lower() == "true"):
            own.add(_alias_key(one, said[one]))
    return own


def _alias_key(attribute: str, value: str) -> str:
    return f"{attribute}|{value.casefold()}"


def _verifier_of(sub: str) -> str:
    return f"cognito verifier of {sub}"
