"""Operations on groups and who is in them."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.cognito.administration import GROUP_CHECKS
from innkeeper.issuer.core.cognito.known import THE_GROUP, Named
from innkeeper.issuer.core.cognito.records import Group, User
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.shelf import Kept
from innkeeper.issuer.desk.cognito.twin import GROUPS, OpenPool, Place, there
from innkeeper.issuer.desk.cognito.users import all_users, put, the_user, with_account
from innkeeper.issuer.dialects.cognito.api.documents import group_document, user_document
from innkeeper.issuer.dialects.cognito.api.operation import OfPool, OfUser, Operation, Output, operation
from innkeeper.issuer.dialects.cognito.api.paging import page


class OfGroup(OfPool, frozen=True, kw_only=True):
    group_name: str


class PutGroup(OfGroup, frozen=True, kw_only=True):
    description: str | None = None
    role_arn: str | None = None
    precedence: int | None = None


async def _known(place: Place, ask: OfGroup) -> tuple[OpenPool, Kept[Group]]:
    pool = await place.pool(ask.user_pool_id)
    kept = await GROUPS.find(pool.store, ask.group_name)
    demand("group", THE_GROUP, Named(ask.group_name, kept is not None))
    return pool, there(kept)


async def create(place: Place, ask: PutGroup) -> Output:
    pool, now = await place.pool(ask.user_pool_id), place.twin.now()
    kept = await GROUPS.find(pool.store, ask.group_name)
    demand("group", GROUP_CHECKS, (ask.group_name, kept is not None))
    group = Group(
        name=ask.group_name,
        created_at=now,
        modified_at=now,
        description=ask.description,
        role=ask.role_arn,
        precedence=ask.precedence,
    )
    await pool.store.commit((GROUPS.put(group.name, group),))
    return {"Group": group_document(pool.pool, group)}


async def describe(place: Place, ask: OfGroup) -> Output:
    pool, kept = await _known(place, ask)
    return {"Group": group_document(pool.pool, kept.record)}


async def update(place: Place, ask: PutGroup) -> Output:
    pool, kept = await _known(place, ask)
    before = kept.record
    changed = msgspec.structs.replace(
        before,
        modified_at=place.twin.now(),
        description=before.description if ask.description is None else ask.description,
        role=before.role if ask.role_arn is None else ask.role_arn,
        precedence=before.precedence if ask.precedence is None else ask.precedence,
    )
    await pool.store.commit((GROUPS.put(kept.key, changed, kept.version),))
    return {"Group": group_document(pool.pool, changed)}


async def delete(place: Place, ask: OfGroup) -> Output:
    pool, kept = await _known(place, ask)
    for user in await all_users(pool):
        if ask.group_name in user.account.groups:
            await _regroup(pool, user, [one for one in user.account.groups if one != ask.group_name])
    await pool.store.commit((GROUPS.drop(kept),))
    return {}


async def _regroup(pool: OpenPool, user: User, groups: list[str]) -> None:
    await pool.store.commit(put(with_account(user, groups=tuple(groups)), user, pool.now()))


class ListGroups(OfPool, frozen=True, kw_only=True):
    limit: int = 0
    next_token: str | None = None


async def list_groups(place: Place, ask: ListGroups) -> Output:
    pool = await place.pool(ask.user_pool_id)
    groups = [one.record for one in await GROUPS.all(pool.store)]
    shown, more = page(groups, lambda one: one.name, ask.limit, 60, ask.next_token)
    return {"Groups": [group_document(pool.pool, one) for one in shown], **({"NextToken": more} if more else {})}


class UserAndGroup(OfUser, frozen=True, kw_only=True):
    group_name: str


async def add_user(place: Place, ask: UserAndGroup) -> Output:
    pool, _ = await _known(place, OfGroup(user_pool_id=ask.user_pool_id, group_name=ask.group_name))
    user = await the_user(pool, ask.username)
    if ask.group_name not in user.account.groups:
        await _regroup(pool, user, [*user.account.groups, ask.group_name])
    return {}


async def remove_user(place: Place, ask: UserAndGroup) -> Output:
    pool, _ = await _known(place, OfGroup(user_pool_id=ask.user_pool_id, group_name=ask.group_name))
    user = await the_user(pool, ask.username)
    if ask.group_name in user.account.groups:
        await _regroup(pool, user, [one for one in user.account.groups if one != ask.group_name])
    return {}


class OfUserPaged(OfUser, frozen=True, kw_only=True):
    limit: int = 0
    next_token: str | None = None


async def groups_of(place: Place, ask: OfUserPaged) -> Output:
    pool = await place.pool(ask.user_pool_id)
    user = await the_user(pool, ask.username)
    kept = [await GROUPS.find(pool.store, name) for name in user.account.groups]
    shown, more = page([one.record for one in kept if one], lambda one: one.name, ask.limit, 60, ask.next_token)
    return {"Groups": [group_document(pool.pool, one) for one in shown], **({"NextToken": more} if more else {})}


class ListUsersInGroup(OfGroup, frozen=True, kw_only=True):
    limit: int = 0
    next_token: str | None = None


async def members(place: Place, ask: ListUsersInGroup) -> Output:
    pool, _ = await _known(place, ask)
    inside = [one for one in await all_users(pool) if ask.group_name in one.account.groups]
    shown, more = page(inside, lambda one: one.username, ask.limit, 60, ask.next_token)
    return {"Users": [user_document(one) for one in shown], **({"NextToken": more} if more else {})}


OPERATIONS: dict[str, Operation] = {
    "CreateGroup": operation(PutGroup, create),
    "GetGroup": operation(OfGroup, describe),
    "UpdateGroup": operation(PutGroup, update),
    "DeleteGroup": operation(OfGroup, delete),
    "ListGroups": operation(ListGroups, list_groups),
    "AdminAddUserToGroup": operation(UserAndGroup, add_user),
    "AdminRemoveUserFromGroup": operation(UserAndGroup, remove_user),
    "AdminListGroupsForUser": operation(OfUserPaged, groups_of),
    "ListUsersInGroup": operation(ListUsersInGroup, members),
}
