"""Operations on managed login styles: which one an app client's pages have. They are kept, and the twin's pages stay plain."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import msgspec

from innkeeper.issuer.core.cognito import branding as core
from innkeeper.issuer.core.cognito.known import THE_STYLE, Named
from innkeeper.issuer.core.cognito.records import Branding
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.shelf import Kept
from innkeeper.issuer.desk.cognito.twin import BRANDINGS, OpenPool, Place, there
from innkeeper.issuer.dialects.cognito.api.operation import OfPool, Operation, Output, given, operation


class OfStyle(OfPool, frozen=True, kw_only=True):
    managed_login_branding_id: str


class OfClient(OfPool, frozen=True, kw_only=True):
    client_id: str


class Look(OfPool, frozen=True, kw_only=True):
    """How pages look: as Cognito draws them, or by settings and pictures of one's own."""

    use_cognito_provided_values: bool | None = None
    settings: dict[str, Any] | None = None
    assets: list[dict[str, Any]] | None = None


class CreateManagedLoginBranding(Look, frozen=True, kw_only=True):
    client_id: str


class UpdateManagedLoginBranding(Look, frozen=True, kw_only=True):
    managed_login_branding_id: str


async def create(place: Place, ask: CreateManagedLoginBranding) -> Output:
    pool, _ = await place.client_of(ask.user_pool_id, ask.client_id)
    there_already = any(one.record.client_id == ask.client_id for one in await BRANDINGS.all(pool.store))
    demand("managed login style", core.CHECKS, _case(ask, ask.client_id, taken=there_already))
    now = place.twin.now()
    made = Branding(id=str(uuid4()), client_id=ask.client_id, created_at=now, modified_at=now, said=_said(ask))
    await pool.store.commit((BRANDINGS.put(made.id, made),))
    return _answer(pool, made)


async def describe(place: Place, ask: OfStyle) -> Output:
    pool, kept = await _known(place, ask)
    return _answer(pool, kept.record)


async def describe_by_client(place: Place, ask: OfClient) -> Output:
    pool, _ = await place.client_of(ask.user_pool_id, ask.client_id)
    found = [one for one in await BRANDINGS.all(pool.store) if one.record.client_id == ask.client_id]
    demand("managed login style", THE_STYLE, Named(ask.client_id, bool(found)))
    return _answer(pool, found[0].record)


async def update(place: Place, ask: UpdateManagedLoginBranding) -> Output:
    pool, kept = await _known(place, ask)
    demand("managed login style", core.CHECKS, _case(ask, kept.record.client_id, taken=False))
    changed = msgspec.structs.replace(kept.record, modified_at=place.twin.now(), said=_said(ask))
    await pool.store.commit((BRANDINGS.put(kept.key, changed, kept.version),))
    return _answer(pool, changed)


async def delete(place: Place, ask: OfStyle) -> Output:
    pool, kept = await _known(place, ask)
    await pool.store.commit((BRANDINGS.drop(kept),))
    return {}


async def _known(place: Place, ask: OfStyle | UpdateManagedLoginBranding) -> tuple[OpenPool, Kept[Branding]]:
    pool = await place.pool(ask.user_pool_id)
    kept = await BRANDINGS.find(pool.store, ask.managed_login_branding_id)
    demand("managed login style", THE_STYLE, Named(ask.managed_login_branding_id, kept is not None))
    return pool, there(kept)


def _case(ask: Look, client_id: str, *, taken: bool) -> core.Case:
    own = ask.settings is not None or bool(ask.assets)
    return core.Case(client_id, taken, bool(ask.use_cognito_provided_values), own)


def _said(ask: Look) -> dict[str, Any]:
    members = {"Settings": ask.settings, "Assets": ask.assets}
    return {"UseCognitoProvidedValues": bool(ask.use_cognito_provided_values), **given(members)}


def _answer(pool: OpenPool, style: Branding) -> Output:
    own = {"ManagedLoginBrandingId": style.id, "UserPoolId": pool.pool.id}
    dates = {"CreationDate": style.created_at, "LastModifiedDate": style.modified_at}
    return {"ManagedLoginBranding": {**own, **style.said, **dates}}


OPERATIONS: dict[str, Operation] = {
    "CreateManagedLoginBranding": operation(CreateManagedLoginBranding, create),
    "DescribeManagedLoginBranding": operation(OfStyle, describe),
    "DescribeManagedLoginBrandingByClient": operation(OfClient, describe_by_client),
    "UpdateManagedLoginBranding": operation(UpdateManagedLoginBranding, update),
    "DeleteManagedLoginBranding": operation(OfStyle, delete),
}
