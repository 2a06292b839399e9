"""Azure's resource manager, as far as signing in asks for it: which tenants there are, and that they have no subscriptions."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core.entra import graph as core
from innkeeper.issuer.desk.entra.cloud import Cloud, Desk
from innkeeper.issuer.desk.entra.signing import read_managements
from innkeeper.issuer.dialects.entra.graph import odata
from innkeeper.issuer.dialects.layout import Handler
from innkeeper.keys.ring import NotOurs
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.refusals import Refusal


class Management:
    """The calls that the Azure command line makes when it signs in."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def fixed(self) -> dict[str, Handler]:
        """Paths, at the resource manager's own host and below the twin's."""
        calls = {"/subscriptions": self.subscriptions, "/tenants": self.tenants}
        return {f"{start}{path}": handler for start in ("", "/management") for path, handler in calls.items()}

    async def subscriptions(self, request: Request) -> Reply:
        _, refusal = self._entered(request)
        empty = {"value": [], "count": {"type": "Total", "value": 0}}
        return self._refused(refusal, request) if refusal else odata.reply(empty)

    async def tenants(self, request: Request) -> Reply:
        desk, refusal = self._entered(request)
        if refusal or desk is None:
            return self._refused(refusal or Refusal(core.TOKEN_UNREADABLE, "no tenant"), request)
        told = {"id": f"/tenants/{desk.id}", "tenantId": desk.id, "displayName": desk.name, "domains": [*desk.domains]}
        return odata.reply({"value": [{**told, "tenantType": "AAD", "defaultDomain": desk.domains[-1]}]})

    def _entered(self, request: Request) -> tuple[Desk | None, Refusal | None]:
        """The tenant whose token it is, or why there is no way in."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None, Refusal(core.NO_TOKEN_SENT, "no bearer token", "a bearer token", scheme)
        desk, claims = self._read(token.strip())
        if desk is None:
            return None, Refusal(core.TOKEN_UNREADABLE, "it is no token of a tenant here")
        if str(claims.get("aud")).rstrip("/") not in self._cloud.names.managements:
            return None, Refusal(
                core.WRONG_AUDIENCE, "another audience", self._cloud.names.managements[0], str(claims["aud"])
            )
        if int(claims.get("exp", 0)) <= desk.realm.now():
            return None, Refusal(
                core.TOKEN_EXPIRED, "it has expired", f"after {desk.realm.now()}", str(claims.get("exp"))
            )
        return desk, None

    def _read(self, token: str) -> tuple[Desk | None, dict[str, Any]]:
        for desk in self._cloud:
            try:
                return desk, read_managements(desk, token)
            except NotOurs:
                continue
        return None, {}

    def _refused(self, refusal: Refusal, request: Request) -> Reply:
        return odata.refused(refusal, request, self._cloud.first.realm.now())
