"""A user signs in to a pool at work: the password tried and counted, the secret hash compared."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from innkeeper.issuer.core.cognito import sign_in as core
from innkeeper.issuer.core.cognito.records import AppClient, User
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.triggers import Event, call
from innkeeper.issuer.desk.cognito.twin import OpenPool, there
from innkeeper.issuer.desk.cognito.users import find_user, user_by_sub
from innkeeper.issuer.desk.passwords import matches
from innkeeper.issuer.desk.throttle import give_back, take

Migrate = Callable[[OpenPool, AppClient, str, str], Awaitable[User | None]]
"""Takes in somebody whom the pool's migration function knows by that name and password."""


async def with_password(
    pool: OpenPool, client: AppClient, name: str, password: str, migrate: Migrate | None = None
) -> User:
    """The user whose name and password these are. Raises ``Declined``."""
    lanes = core.lanes(name)
    wait = await take(pool.realm, lanes)
    user = await find_user(pool, name)
    if not wait and user is None and migrate:
        user = await migrate(pool, client, name, password)
    right = not wait and await matches(user.person.password if user else None, password)
    user, right = await _by_now(pool, user, right)
    demand("sign-in", core.CHECKS, core.Case(client, name, user, right, wait, pool.now()))
    await give_back(pool.realm, lanes)
    await before_sign_in(pool, client, there(user))
    return there(user)


async def _by_now(pool: OpenPool, before: User | None, right: bool) -> tuple[User | None, bool]:
    """The user after the time that comparing took: nobody gets in with a password that was changed meanwhile."""
    now = await user_by_sub(pool, before.sub) if before else None
    return now, bool(right and before and now and now.person.password == before.person.password)


async def before_sign_in(pool: OpenPool, client: AppClient, user: User) -> None:
    event = Event(
        trigger="PreAuthentication", source="PreAuthentication_Authentication", client_id=client.id, user=user
    )
    await call(pool, event)


async def after_sign_in(pool: OpenPool, client: AppClient, user: User) -> None:
    event = Event(
        trigger="PostAuthentication", source="PostAuthentication_Authentication", client_id=client.id, user=user
    )
    await call(pool, event)


def demand_hash(pool: OpenPool, client: AppClient, sent: str | None, *names: str) -> None:
    """Demand the secret hash over one of the names of a user. Raises ``Declined``."""
    secrets = tuple(opened(pool, client))
    demand("secret hash", core.HASH_CHECKS, core.HashCase(client.id, secrets, names, sent))


def opened(pool: OpenPool, client: AppClient) -> list[str]:
    """The client's secrets as they are."""
    return [pool.realm.seal.open(one.sealed, secret_purpose(client.id)).decode() for one in client.secrets]


def secret_purpose(client_id: str) -> str:
    return f"cognito secret of {client_id}"
