"""Accounts of a pool at work: signing up, confirming, forgetting and changing passwords, being made by an administrator."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from innkeeper.issuer.core.cognito import accounts as core
from innkeeper.issuer.core.cognito import formats
from innkeeper.issuer.core.cognito.attributes import VERIFIED_OF
from innkeeper.issuer.core.cognito.passwords import CHECKS as PASSWORD_CHECKS
from innkeeper.issuer.core.cognito.passwords import Case as PasswordCase
from innkeeper.issuer.core.cognito.records import (
    CONFIRMED,
    FORCE_CHANGE_PASSWORD,
    UNCONFIRMED,
    Account,
    AppClient,
    User,
)
from innkeeper.issuer.core.effects import Effect, Lost
from innkeeper.issuer.core.records import Person
from innkeeper.issuer.desk.cognito import codes, outbox
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.outbox import Letter
from innkeeper.issuer.desk.cognito.triggers import Event, call
from innkeeper.issuer.desk.cognito.twin import OpenPool, random_uuid, there
from innkeeper.issuer.desk.cognito.users import (
    aliases,
    find_user,
    put,
    taken_alias,
    the_user,
    with_account,
    with_attributes,
    with_password,
)


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to be made: by themselves with a client, or by an administrator (``client`` None)."""

    username: str
    password: str
    attributes: Mapping[str, str]
    client: AppClient | None = None
    status: str = UNCONFIRMED
    temporary_until: int = 0
    confirmed: bool = False
    verified: tuple[str, ...] = ()


class SignedUp(msgspec.Struct, frozen=True):
    user: User
    sent_to: str = ""


def demand_password(pool: OpenPool, password: str) -> None:
    """Demand that a password meets the pool's policy. Raises ``Declined``."""
    demand("password", PASSWORD_CHECKS, PasswordCase(password, pool.pool.password_rules))


async def make(pool: OpenPool, new: NewUser, more: list[Effect] | None = None) -> User:
    """Make a user. Raises ``Declined``."""
    while True:
        user, attributes = await _drafted(pool, new)
        asked = core.NewUser(pool.pool, new.username, attributes, new.client, taken=False)
        demand("new user", core.NAME_CHECKS, asked)
        demand("attributes", core.CHANGE_CHECKS, core.Change(pool.pool, attributes, new.client))
        if new.password:
            demand_password(pool, new.password)
        taken, alias = await find_user(pool, new.username), await taken_alias(pool, user)
        free = msgspec.structs.replace(asked, taken=taken is not None, alias=alias)
        demand("new user", core.FREE_CHECKS, free)
        ready = await with_password(pool, user, new.password) if new.password else user
        try:
            await pool.store.commit([*put(ready, None, pool.now()), *await aliases(pool, ready, None), *(more or [])])
        except Lost:
            continue
        return User(ready.person, ready.account, 1)


async def _drafted(pool: OpenPool, new: NewUser) -> tuple[User, dict[str, str]]:
    """The user as they will be. In a pool that is named by an attribute, the name becomes that attribute."""
    sub, attributes, username = random_uuid(), dict(new.attributes), new.username
    kinds = pool.pool.named_by
    if kinds:
        kind = "email" if "@" in username and "email" in kinds else kinds[-1]
        attributes.setdefault(kind, username)
        username = sub
    verified = {flag: "true" for name, flag in VERIFIED_OF.items() if name in new.verified and name in attributes}
    claims = {**attributes, **verified}
    person = Person(sub=sub, username=username, claims=claims, created_at=pool.now())
    return User(person, Account(status=new.status, temporary_until=new.temporary_until)), attributes


async def sign_up(pool: OpenPool, client: AppClient, username: str, password: str, said: Mapping[str, str]) -> SignedUp:
    """Somebody signs up; a code is sent where the pool verifies an address. Raises ``Declined``."""
    event = Event(
        trigger="PreSignUp",
        source="PreSignUp_SignUp",
        client_id=client.id,
        username=username,
        request={"userAttributes": dict(said), "validationData": {}},
        response={"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False},
    )
    answer = await call(pool, event) or {}
    confirmed = bool(answer.get("autoConfirmUser", False))
    verified = [("email", "autoVerifyEmail"), ("phone_number", "autoVerifyPhone")]
    new = NewUser(
        username=username,
        password=password,
        attributes=said,
        client=client,
        status=CONFIRMED if confirmed else UNCONFIRMED,
        verified=tuple(name for name, flag in verified if answer.get(flag, False)),
    )
    user = await make(pool, new)
    if confirmed:
        await confirmed_now(pool, client.id, user, "PostConfirmation_ConfirmSignUp")
        return SignedUp(user)
    return SignedUp(user, await send_confirmation(pool, client, user, "CustomMessage_SignUp"))


async def send_confirmation(pool: OpenPool, client: AppClient, user: User, source: str) -> str:
    """Send the code of a sign-up to the address that the pool verifies; the attribute, "" where there is none."""
    attribute = next(
        (one for one in ("phone_number", "email") if one in pool.pool.verifies and user.attributes.get(one)), ""
    )
    if attribute:
        await _send(pool, user, codes.SIGN_UP, attribute, client.id, source)
    return attribute


async def _send(pool: OpenPool, user: User, purpose: str, attribute: str, client_id: str, source: str) -> None:
    code = codes.new_code()
    letter = Letter(source=source, user=user, attribute=attribute, client_id=client_id, code=code)
    await pool.store.commit([await codes.remember(pool, user, purpose, code), await outbox.send(pool, letter)])


async def confirm(pool: OpenPool, client_id: str, user: User, code: str | None) -> None:
    """Confirm a sign-up, by its code or (None) by an administrator. Raises ``Declined``."""
    demand("confirmation", core.CONFIRM_CHECKS, user)
    used = await codes.demand_code(pool, user, codes.SIGN_UP, code) if code is not None else []
    proved = next(
        (one for one in ("phone_number", "email") if one in pool.pool.verifies and user.attributes.get(one)), ""
    )
    flags = {VERIFIED_OF[proved]: "true"} if proved and code is not None else {}
    changed = with_account(with_attributes(user, flags), status=CONFIRMED)
    clash = await taken_alias(pool, changed)
    demand("alias", core.ALIAS_CHECKS, core.NewUser(pool.pool, user.username, {}, None, taken=False, alias=clash))
    await pool.store.commit([*put(changed, user, pool.now()), *await aliases(pool, changed, user), *used])
    await confirmed_now(pool, client_id, changed, "PostConfirmation_ConfirmSignUp")


async def confirmed_now(pool: OpenPool, client_id: str, user: User, source: str) -> None:
    await call(pool, Event(trigger="PostConfirmation", source=source, client_id=client_id, user=user))


async def forget_password(pool: OpenPool, client_id: str, user: User) -> str:
    """Send a code with which a password is set anew; to which attribute it went. Raises ``Declined``."""
    said = user.attributes
    able = (
        one for one in ("email", "phone_number") if said.get(one) and said.get(VERIFIED_OF[one], "").lower() == "true"
    )
    attribute = next(able, "")
    demand("recovery", core.REACH_CHECKS, core.ReachCase(user, attribute))
    await _send(pool, user, codes.FORGOTTEN, attribute, client_id, "CustomMessage_ForgotPassword")
    return attribute


async def set_forgotten_password(pool: OpenPool, client: AppClient, name: str, code: str, password: str) -> None:
    """Set a password with the code that was sent. Raises ``Declined``."""
    user = await find_user(pool, name)
    used = await codes.demand_code(pool, user, codes.FORGOTTEN, code)
    await set_password(pool, there(user), password, CONFIRMED, used)
    event = Event(
        trigger="PostConfirmation", source="PostConfirmation_ConfirmForgotPassword", client_id=client.id, user=user
    )
    await call(pool, event)


async def set_password(
    pool: OpenPool, user: User, password: str, status: str, used: list[Effect] | None = None, until: int = 0
) -> User:
    """Give a user a password. ``until`` is when a temporary one expires. Raises ``Declined`` where the policy refuses it."""
    demand_password(pool, password)
    changed = with_account(await with_password(pool, user, password), status=status, temporary_until=until)
    await pool.store.commit([*put(changed, user, pool.now()), *(used or [])])
    return changed


async def create_by_admin(
    pool: OpenPool, username: str, said: Mapping[str, str], password: str, *, silent: bool
) -> User:
    """A user whom an administrator makes, with a temporary password and an invitation. Raises ``Declined``."""
    await call(
        pool,
        Event(
            trigger="PreSignUp",
            source="PreSignUp_AdminCreateUser",
            client_id="CLIENT_ID_NOT_APPLICABLE",
            username=username,
            request={"userAttributes": dict(said)},
        ),
    )
    given = password or temporary_password()
    new = NewUser(
        username=username,
        password=given,
        attributes=said,
        status=FORCE_CHANGE_PASSWORD,
        temporary_until=temporary_until(pool),
    )
    user = await make(pool, new)
    if not silent:
        await invite(pool, user, given)
    return user


async def invite(pool: OpenPool, user: User, password: str) -> None:
    """Send an invitation with a temporary password, where there is an address to send it to."""
    attribute = next((one for one in ("email", "phone_number") if user.attributes.get(one)), "")
    if attribute:
        letter = Letter(
            source="CustomMessage_AdminCreateUser",
            user=user,
            attribute=attribute,
            client_id="CLIENT_ID_NOT_APPLICABLE",
            code=password,
            subject="Your temporary password",
            text="Your username is {username} and temporary password is {####}.",
        )
        await pool.store.commit((await outbox.send(pool, letter),))


def temporary_password() -> str:
    return formats.temporary_password(secrets.token_bytes(48))


def temporary_until(pool: OpenPool) -> int:
    return pool.now() + int(pool.pool.password_rules["TemporaryPasswordValidityDays"]) * 86400


async def migrate(pool: OpenPool, client: AppClient, username: str, password: str) -> User | None:
    """Take in somebody whom the pool's migration function knows by that name and password."""
    event = Event(
        trigger="UserMigration",
        source="UserMigration_Authentication",
        client_id=client.id,
        username=username,
        request={"password": password, "validationData": None},
        response={"userAttributes": None, "finalUserStatus": None, "messageAction": None},
    )
    answer: Mapping[str, Any] = await call(pool, event) or {}
    told = answer.get("userAttributes")
    if not told:
        return None
    said = {name: str(value) for name, value in told.items() if name not in ("username", "sub")}
    status = str(answer.get("finalUserStatus") or CONFIRMED)
    await make(pool, NewUser(username=username, password=password, attributes=said, status=status))
    return await the_user(pool, username)
