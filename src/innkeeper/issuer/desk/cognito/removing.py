"""A pool is taken away: users, groups, clients, resource servers, domains and messages go with it."""

from __future__ import annotations

from innkeeper.issuer.desk.cognito.clients import remove_client
from innkeeper.issuer.desk.cognito.outbox import MESSAGES
from innkeeper.issuer.desk.cognito.twin import CLIENTS, DOMAINS, GROUPS, POOLS, SERVERS, OpenPool, Place
from innkeeper.issuer.desk.cognito.users import all_users, removed


async def _empty(pool: OpenPool) -> None:
    account, name = pool.twin.account, pool.pool.id
    for client in await CLIENTS.all(account):
        if client.record.pool_id == name:
            await remove_client(pool, client)
    for user in await all_users(pool):
        await pool.store.commit(await removed(pool, user))
    await account.commit([SERVERS.drop(one) for one in await SERVERS.all(account, f"{name}|")])
    await account.commit([DOMAINS.drop(one) for one in await DOMAINS.all(account) if one.record.pool_id == name])
    await pool.store.commit([GROUPS.drop(one) for one in await GROUPS.all(pool.store)])
    await pool.store.commit([MESSAGES.drop(one) for one in await MESSAGES.all(pool.store)])


async def remove(place: Place, pool_id: str) -> None:
    """Take a pool away with all that is in it. Its keys and its secret stay, for a pool that gets the id again."""
    pool = await place.pool(pool_id)
    await _empty(pool)
    await place.twin.account.commit((POOLS.drop(pool.kept),))
    place.twin.forget(pool.pool)
