"""Operations on app clients and their secrets."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from innkeeper.issuer.core.cognito import administration as core
from innkeeper.issuer.core.cognito import formats
from innkeeper.issuer.core.cognito.known import THE_SECRET, Named
from innkeeper.issuer.core.cognito.records import AppClient
from innkeeper.issuer.desk.cognito.clients import new_secret, remove_client, save_client
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.sign_in import opened
from innkeeper.issuer.desk.cognito.twin import CLIENTS, OpenPool, Place
from innkeeper.issuer.dialects.cognito.api.documents import client_document
from innkeeper.issuer.dialects.cognito.api.operation import OfPool, Operation, Output, operation
from innkeeper.issuer.dialects.cognito.api.paging import page

_NO_SETTING = (
    "UserPoolId",
    "ClientId",
    "ClientName",
    "GenerateSecret",
    "ClientSecret",
    "PublishSecretsInAWSSecretsManager",
)


class CreateUserPoolClient(OfPool, frozen=True, kw_only=True):
    client_name: str
    generate_secret: bool = False
    client_secret: str = ""
    everything: dict[str, Any] = {}


class OfClient(OfPool, frozen=True, kw_only=True):
    client_id: str


class UpdateUserPoolClient(OfClient, frozen=True, kw_only=True):
    client_name: str = ""
    everything: dict[str, Any] = {}


async def create(place: Place, ask: CreateUserPoolClient) -> Output:
    pool, now = await place.pool(ask.user_pool_id), place.twin.now()
    said = {name: value for name, value in ask.everything.items() if name not in _NO_SETTING}
    text = ask.client_secret or (formats.client_secret(secrets.token_bytes(48)) if ask.generate_secret else "")
    known = await pool.custom_scopes()
    case = core.ClientCase(ask.client_name, said, bool(text), known, ask.client_secret, ask.generate_secret)
    demand("app client", core.CLIENT_CHECKS, case)
    client_id = formats.client_id(secrets.token_bytes(48))
    client = AppClient(
        id=client_id,
        pool_id=pool.pool.id,
        name=ask.client_name,
        created_at=now,
        modified_at=now,
        said=said,
        secrets=(new_secret(pool, client_id, text),) if text else (),
    )
    await save_client(pool, client)
    return _told(pool, client)


def _told(pool: OpenPool, client: AppClient) -> Output:
    own = opened(pool, client)
    return {"UserPoolClient": client_document(client, own[0] if own else None)}


async def describe(place: Place, ask: OfClient) -> Output:
    pool, kept = await place.client_of(ask.user_pool_id, ask.client_id)
    return _told(pool, kept.record)


async def update(place: Place, ask: UpdateUserPoolClient) -> Output:
    """What is left out goes back to its default, as in the cloud."""
    pool, kept = await place.client_of(ask.user_pool_id, ask.client_id)
    client = kept.record
    said = {name: value for name, value in ask.everything.items() if name not in _NO_SETTING}
    name = ask.client_name or client.name
    known = frozenset((*await pool.custom_scopes(), *client.scopes))
    demand("app client", core.CLIENT_CHECKS, core.ClientCase(name, said, client.confidential, known))
    changed = msgspec.structs.replace(client, name=name, said=said, modified_at=place.twin.now())
    await save_client(pool, changed, kept)
    return _told(pool, changed)


async def delete(place: Place, ask: OfClient) -> Output:
    pool, kept = await place.client_of(ask.user_pool_id, ask.client_id)
    await remove_client(pool, kept)
    return {}


class ListUserPoolClients(OfPool, frozen=True, kw_only=True):
    max_results: int = 0
    next_token: str | None = None


async def list_clients(place: Place, ask: ListUserPoolClients) -> Output:
    pool = await place.pool(ask.user_pool_id)
    mine = [one.record for one in await CLIENTS.all(place.twin.account) if one.record.pool_id == pool.pool.id]
    shown, more = page(mine, lambda one: one.id, ask.max_results, 60, ask.next_token)
    told = [{"ClientId": one.id, "UserPoolId": one.pool_id, "ClientName": one.name} for one in shown]
    return {"UserPoolClients": told, **({"NextToken": more} if more else {})}


class AddUserPoolClientSecret(OfClient, frozen=True, kw_only=True):
    client_secret: str = ""


async def add_secret(place: Place, ask: AddUserPoolClientSecret) -> Output:
    pool, kept = await place.client_of(ask.user_pool_id, ask.client_id)
    client = kept.record
    demand("client secret", core.SECRET_CHECKS, core.SecretsCase(len(client.secrets), adding=True, kind=client.kind))
    text = ask.client_secret or formats.client_secret(secrets.token_bytes(48))
    given = core.ClientCase(client.name, {}, True, frozenset(), ask.client_secret)
    demand("client secret", core.CLIENT_CHECKS, given)
    fresh = new_secret(pool, client.id, text)
    await save_client(pool, msgspec.structs.replace(client, secrets=(*client.secrets, fresh)), kept)
    described = {"ClientSecretId": fresh.id, "ClientSecretCreateDate": fresh.created_at}
    return {"ClientSecretDescriptor": {**described, "ClientSecretValue": text}}


async def list_secrets(place: Place, ask: OfClient) -> Output:
    _, kept = await place.client_of(ask.user_pool_id, ask.client_id)
    told = [{"ClientSecretId": one.id, "ClientSecretCreateDate": one.created_at} for one in kept.record.secrets]
    return {"ClientSecrets": told}


class DeleteUserPoolClientSecret(OfClient, frozen=True, kw_only=True):
    client_secret_id: str


async def delete_secret(place: Place, ask: DeleteUserPoolClientSecret) -> Output:
    pool, kept = await place.client_of(ask.user_pool_id, ask.client_id)
    client = kept.record
    left = tuple(one for one in client.secrets if one.id != ask.client_secret_id)
    demand("client secret", THE_SECRET, Named(ask.client_secret_id, len(left) < len(client.secrets)))
    demand("client secret", core.SECRET_CHECKS, core.SecretsCase(len(client.secrets), adding=False, kind=client.kind))
    await save_client(pool, msgspec.structs.replace(client, secrets=left), kept)
    return {}


OPERATIONS: dict[str, Operation] = {
    "CreateUserPoolClient": operation(CreateUserPoolClient, create),
    "DescribeUserPoolClient": operation(OfClient, describe),
    "UpdateUserPoolClient": operation(UpdateUserPoolClient, update),
    "DeleteUserPoolClient": operation(OfClient, delete),
    "ListUserPoolClients": operation(ListUserPoolClients, list_clients),
    "AddUserPoolClientSecret": operation(AddUserPoolClientSecret, add_secret),
    "ListUserPoolClientSecrets": operation(OfClient, list_secrets),
    "DeleteUserPoolClientSecret": operation(DeleteUserPoolClientSecret, delete_secret),
}
