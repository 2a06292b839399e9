"""A client registers itself with a pool at work."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from innkeeper.issuer.core.cognito import formats
from innkeeper.issuer.core.cognito import registration as core
from innkeeper.issuer.core.cognito.records import REGISTER, AppClient
from innkeeper.issuer.desk.cognito.bearers import claims_of
from innkeeper.issuer.desk.cognito.clients import new_secret, save_client
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.twin import OpenPool


async def register(pool: OpenPool, bearer: str, body: bytes) -> dict[str, Any]:
    """The registered client, as the answer says it. Raises ``Declined``."""
    metadata, problem = _read(body)
    claims = claims_of(pool, bearer)
    alive = int(claims.get("exp", 0)) > pool.now()
    invited = alive and REGISTER in str(claims.get("scope", "")).split()
    case = core.Case(pool.pool, metadata, problem, invited, bool(bearer), await pool.custom_scopes())
    demand("registration", core.CHECKS, case)
    return await _registered(pool, case, metadata or core.Metadata())


def _read(body: bytes) -> tuple[core.Metadata | None, str]:
    try:
        return msgspec.json.decode(body, type=core.Metadata), ""
    except msgspec.DecodeError as error:
        return None, str(error)


async def _registered(pool: OpenPool, case: core.Case, asked: core.Metadata) -> dict[str, Any]:
    now, client_id = pool.now(), formats.client_id(secrets.token_bytes(48))
    secret = "" if asked.token_endpoint_auth_method == "none" else formats.client_secret(secrets.token_bytes(48))
    client = AppClient(
        id=client_id,
        pool_id=pool.pool.id,
        name=asked.client_name or client_id,
        created_at=now,
        modified_at=now,
        said=core.members_of(case),
        secrets=(new_secret(pool, client_id, secret),) if secret else (),
        kind="DCR",
    )
    await save_client(pool, client)
    told = {
        "client_id": client_id,
        "client_id_issued_at": now,
        "client_name": client.name,
        "redirect_uris": list(client.callbacks),
        "grant_types": list(asked.grant_types),
        "response_types": list(asked.response_types),
        "token_endpoint_auth_method": asked.token_endpoint_auth_method,
        "scope": " ".join(client.scopes),
    }
    return {**told, "client_secret": secret, "client_secret_expires_at": 0} if secret else told
