"""What an outside client is told of a house, and a client of it that signs its assertions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx2
from joserfc.jwk import ECKey
from msgspec import structs

from innkeeper.issuer.store.sqlite import SqliteStore
from tests.inn import Inn

SCOPES = "openid profile email offline_access room:enter gym:enter"


class Registered(NamedTuple):
    """A client as its developer knows it. ``key`` is a private JWK; ``way`` names how it authenticates."""

    client_id: str
    way: str = "none"
    secret: str = ""
    key: Mapping[str, Any] = MappingProxyType({})
    redirect_uri: str = "http://127.0.0.1:8765/callback"
    after_logout: str = "http://127.0.0.1:8765/"

    def told(self, house: Inn) -> str:
        """Everything that a client needs, as JSON."""
        return json.dumps(
            {
                **self._asdict(),
                "key": dict(self.key),
                "issuer": house.url,
                "resource": f"{house.url}/hotel",
                "scope": SCOPES,
            }
        )


GUEST_APP = Registered(
    "guest-app", redirect_uri="http://127.0.0.1:55555/callback", after_logout="http://127.0.0.1:55555/"
)
CONCIERGE = Registered("concierge", "client_secret_basic", "concierge-secret")
CONCIERGE_POST = CONCIERGE._replace(way="client_secret_post")


def register_signer(house: Inn, client_id: str = "signer", **changes: Any) -> Registered:
    """The concierge's twin, which authenticates with signed assertions: put into the state of a house that runs."""
    httpx2.get(f"{house.url}/jwks").raise_for_status()  # it answers: the state is there
    key = ECKey.generate_key("P-256", {"kid": f"{client_id}-1", "alg": "ES256", "use": "sig"})
    asyncio.run(_put_signer(house, client_id, key, changes))
    return Registered(client_id, "private_key_jwt", key=dict(key.as_dict(private=True)))


async def _put_signer(house: Inn, client_id: str, key: ECKey, changes: Mapping[str, Any]) -> None:
    store = SqliteStore(house.folder / ".innkeeper" / "innkeeper.db")
    try:
        realm = store.realm("native")
        concierge = await realm.client("concierge")
        assert concierge is not None
        twin = structs.replace(
            concierge,
            id=client_id,
            name=client_id.title(),
            auth_methods=frozenset({"private_key_jwt"}),
            secrets=(),
            jwks=(dict(key.as_dict(private=False)),),
            **changes,
        )
        await realm.put_client(twin)
    finally:
        store.close()
