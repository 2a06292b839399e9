"""Operations on user pools: create, describe, change, delete; second factors, custom attributes, tags."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from innkeeper.issuer.core.cognito import administration as core
from innkeeper.issuer.core.cognito import formats
from innkeeper.issuer.core.cognito.attributes import STANDARD, attribute_of
from innkeeper.issuer.core.cognito.known import THE_POOL, Named
from innkeeper.issuer.core.cognito.records import Pool
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.removing import remove
from innkeeper.issuer.desk.cognito.twin import POOLS, OpenPool, Place
from innkeeper.issuer.dialects.cognito.api.documents import pool_document
from innkeeper.issuer.dialects.cognito.api.operation import Input, OfPool, Operation, Output, operation
from innkeeper.issuer.dialects.cognito.api.paging import page

KEPT_FROM_CREATION = ("AliasAttributes", "UsernameAttributes", "UsernameConfiguration")
"""What is said of a pool once, when it is made."""

_NO_SETTING = ("UserPoolId", "PoolName", "Schema", "UserPoolTags")


class CreateUserPool(Input, frozen=True, kw_only=True):
    """The members that are read; all others are kept as they were sent."""

    pool_name: str
    schema: list[dict[str, Any]] = []
    user_pool_tags: dict[str, str] = {}
    policies: dict[str, Any] = {}
    lambda_config: dict[str, Any] = {}
    auto_verified_attributes: list[str] = []
    alias_attributes: list[str] = []
    username_attributes: list[str] = []
    everything: dict[str, Any] = {}


async def create(place: Place, ask: CreateUserPool) -> Output:
    now, custom = place.twin.now(), [attribute_of(one, custom=_is_custom(one)) for one in ask.schema]
    pool = Pool(
        id=formats.pool_id(place.region, secrets.token_bytes(48)),
        name=ask.pool_name,
        created_at=now,
        modified_at=now,
        said=_said(ask.everything),
        attributes=tuple(custom),
        tags=ask.user_pool_tags,
    )
    await place.twin.account.commit((POOLS.put(pool.id, pool),))
    await place.pool(pool.id)
    return {"UserPool": pool_document(place, pool)}


def _is_custom(said: Mapping[str, Any]) -> bool:
    return said["Name"] not in STANDARD


def _said(everything: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in everything.items() if name not in _NO_SETTING}


async def describe(place: Place, ask: OfPool) -> Output:
    opened = await place.pool(ask.user_pool_id)
    return {"UserPool": pool_document(place, opened.pool, len(await opened.store.people()))}


class UpdateUserPool(OfPool, frozen=True, kw_only=True):
    pool_name: str = ""
    user_pool_tags: dict[str, str] | None = None
    policies: dict[str, Any] = {}
    lambda_config: dict[str, Any] = {}
    auto_verified_attributes: list[str] = []
    everything: dict[str, Any] = {}


async def update(place: Place, ask: UpdateUserPool) -> Output:
    """What is left out goes back to its default, as in the cloud."""
    opened = await place.pool(ask.user_pool_id)
    pool = opened.pool
    kept = {name: pool.said[name] for name in KEPT_FROM_CREATION if name in pool.said}
    changed = msgspec.structs.replace(
        pool,
        name=ask.pool_name or pool.name,
        modified_at=place.twin.now(),
        said={**_said(ask.everything), **kept},
        tags=pool.tags if ask.user_pool_tags is None else ask.user_pool_tags,
        mfa=_follow(pool, ask.everything),
    )
    await save(opened, changed)
    return {}


def _follow(pool: Pool, said: Mapping[str, Any]) -> dict[str, Any]:
    mode = said.get("MfaConfiguration")
    return {**pool.mfa, "MfaConfiguration": mode} if mode and pool.mfa else pool.mfa


async def save(opened: OpenPool, changed: Pool) -> None:
    """Remember a changed pool. Raises ``Lost`` where somebody was faster."""
    await opened.twin.account.commit((POOLS.put(changed.id, changed, opened.kept.version),))


async def delete(place: Place, ask: OfPool) -> Output:
    opened = await place.pool(ask.user_pool_id)
    demand("delete user pool", core.DELETE_POOL_CHECKS, opened.pool)
    await remove(place, opened.pool.id)
    return {}


class ListUserPools(Input, frozen=True, kw_only=True):
    max_results: int
    next_token: str | None = None


async def list_pools(place: Place, ask: ListUserPools) -> Output:
    kept = [one.record for one in await POOLS.all(place.twin.account) if one.record.region == place.region]
    shown, more = page(kept, lambda one: one.id, ask.max_results, 60, ask.next_token)
    told = [
        {
            "Id": one.id,
            "Name": one.name,
            "LambdaConfig": one.said.get("LambdaConfig") or {},
            "LastModifiedDate": one.modified_at,
            "CreationDate": one.created_at,
        }
        for one in shown
    ]
    return {"UserPools": told, **({"NextToken": more} if more else {})}


class SetUserPoolMfaConfig(OfPool, frozen=True, kw_only=True):
    mfa_configuration: str = ""
    everything: dict[str, Any] = {}


async def set_mfa(place: Place, ask: SetUserPoolMfaConfig) -> Output:
    opened = await place.pool(ask.user_pool_id)
    told = {name: value for name, value in ask.everything.items() if name != "UserPoolId"}
    said = {**opened.pool.said, "MfaConfiguration": ask.mfa_configuration or opened.pool.mfa_mode}
    await save(opened, msgspec.structs.replace(opened.pool, mfa={**opened.pool.mfa, **told}, said=said))
    return await get_mfa(place, ask)


async def get_mfa(place: Place, ask: OfPool) -> Output:
    pool = (await place.pool(ask.user_pool_id)).pool
    return {**pool.mfa, "MfaConfiguration": pool.mfa_mode}


class AddCustomAttributes(OfPool, frozen=True, kw_only=True):
    custom_attributes: list[dict[str, Any]]


async def add_attributes(place: Place, ask: AddCustomAttributes) -> Output:
    opened = await place.pool(ask.user_pool_id)
    added = [attribute_of(one, custom=True) for one in ask.custom_attributes]
    names = (tuple(one.name for one in added), tuple(one.name for one in opened.pool.attributes))
    demand("custom attributes", core.ATTRIBUTE_CHECKS, names)
    await save(opened, msgspec.structs.replace(opened.pool, attributes=(*opened.pool.attributes, *added)))
    return {}


class OfResource(Input, frozen=True, kw_only=True):
    resource_arn: str


class TagResource(OfResource, frozen=True, kw_only=True):
    tags: dict[str, str]


class UntagResource(OfResource, frozen=True, kw_only=True):
    tag_keys: list[str]


async def _tagged(place: Place, ask: OfResource) -> OpenPool:
    named = ask.resource_arn.rpartition("/")[2]
    found = await place.find(named)
    demand("user pool", THE_POOL, Named(named, found is not None))
    return await place.pool(named)


async def tag(place: Place, ask: TagResource) -> Output:
    opened = await _tagged(place, ask)
    await save(opened, msgspec.structs.replace(opened.pool, tags={**opened.pool.tags, **ask.tags}))
    return {}


async def untag(place: Place, ask: UntagResource) -> Output:
    opened = await _tagged(place, ask)
    kept = {name: text for name, text in opened.pool.tags.items() if name not in ask.tag_keys}
    await save(opened, msgspec.structs.replace(opened.pool, tags=kept))
    return {}


async def list_tags(place: Place, ask: OfResource) -> Output:
    return {"Tags": (await _tagged(place, ask)).pool.tags}


OPERATIONS: dict[str, Operation] = {
    "CreateUserPool": operation(CreateUserPool, create),
    "DescribeUserPool": operation(OfPool, describe),
    "UpdateUserPool": operation(UpdateUserPool, update),
    "DeleteUserPool": operation(OfPool, delete),
    "ListUserPools": operation(ListUserPools, list_pools),
    "SetUserPoolMfaConfig": operation(SetUserPoolMfaConfig, set_mfa),
    "GetUserPoolMfaConfig": operation(OfPool, get_mfa),
    "AddCustomAttributes": operation(AddCustomAttributes, add_attributes),
    "TagResource": operation(TagResource, tag),
    "UntagResource": operation(UntagResource, untag),
    "ListTagsForResource": operation(OfResource, list_tags),
}
