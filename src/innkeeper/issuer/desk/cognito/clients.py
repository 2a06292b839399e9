"""App clients and their secrets are kept: as the API describes them, and as a client of the house."""

from __future__ import annotations

import secrets

from innkeeper.issuer.core.cognito.records import AppClient, AppSecret
from innkeeper.issuer.core.effects import RemoveClient
from innkeeper.issuer.desk.cognito.cutting import as_client
from innkeeper.issuer.desk.cognito.shelf import Kept
from innkeeper.issuer.desk.cognito.sign_in import secret_purpose
from innkeeper.issuer.desk.cognito.twin import BRANDINGS, CLIENTS, OpenPool
from innkeeper.issuer.desk.realm import digest


def new_secret(pool: OpenPool, client_id: str, text: str) -> AppSecret:
    """A secret as it is remembered: its hash to compare with, itself sealed for whoever describes the client."""
    sealed = pool.realm.seal.close(text.encode(), secret_purpose(client_id))
    return AppSecret(secrets.token_hex(8), digest(text), sealed, pool.now())


async def save_client(pool: OpenPool, client: AppClient, before: Kept[AppClient] | None = None) -> None:
    """Remember a client, new or as it was read ``before``. Raises ``Lost`` where somebody was faster."""
    await pool.store.put_client(as_client(client))
    record = CLIENTS.put(client.id, client, before.version if before else 0)
    await pool.twin.account.commit((record,))


async def remove_client(pool: OpenPool, kept: Kept[AppClient]) -> None:
    """Forget a client, and end everything it was given."""
    await pool.twin.account.commit((CLIENTS.drop(kept),))
    styles = [one for one in await BRANDINGS.all(pool.store) if one.record.client_id == kept.key]
    await pool.store.commit((RemoveClient(kept.key, pool.now()), *map(BRANDINGS.drop, styles)))
