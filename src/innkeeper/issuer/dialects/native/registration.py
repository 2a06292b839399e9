"""The registration endpoints in the native dialect: JSON in, JSON out, a token of its own for each registration."""

from __future__ import annotations

from collections.abc import Callable

from innkeeper.issuer.core.client_metadata import describe
from innkeeper.issuer.core.registration import OFF
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.registration import EVERY, Registered, Sent, change, look_up, register, remove
from innkeeper.issuer.dialects.layout import Endpoint, Endpoints, Layout
from innkeeper.protocol.exchange import NO_STORE, Reply, Request, json_reply
from innkeeper.protocol.refusals import Refusal

READ_CHANGE_REMOVE = frozenset({"GET", "HEAD", "PUT", "DELETE"})


class RegistrationEndpoints:
    """A realm's doors for clients that look after themselves."""

    def __init__(self, realm: Realm, layout: Layout, explain: Callable[[Refusal], str | None]) -> None:
        self._realm = realm
        self._layout = layout
        self._explain = explain

    def table(self) -> Endpoints:
        """Paths to endpoints: one to register at, and one below it for each registration."""
        path = self._layout.register
        if self._realm.policy.registration == OFF:
            return {}
        return {
            path: Endpoint(self.register, frozenset({"POST"}), cors=True),
            f"{path}/*": Endpoint(self.registration, READ_CHANGE_REMOVE, cors=True),
        }

    async def register(self, request: Request) -> Reply:
        outcome = await register(self._realm, _sent(request))
        return self._refused(outcome) if isinstance(outcome, Refusal) else self._reply(outcome, 201)

    async def registration(self, request: Request) -> Reply:
        client_id, sent = request.path.rpartition("/")[2], _sent(request)
        if request.method == "DELETE":
            refusal = await remove(self._realm, client_id, sent.bearer)
            return self._refused(refusal) if refusal else Reply(204, NO_STORE)
        if request.method == "PUT":
            outcome = await change(self._realm, client_id, sent)
        else:
            outcome = await look_up(self._realm, client_id, sent.bearer)
        return self._refused(outcome) if isinstance(outcome, Refusal) else self._reply(outcome, 200)

    def _reply(self, registered: Registered, status: int) -> Reply:
        """What is registered, and how to come back for it (RFC 7591 §3.2.1, RFC 7592 §3)."""
        client = registered.client
        body = {
            **describe(client),
            "registration_access_token": registered.token,
            "registration_client_uri": self._layout.url(f"{self._layout.register}/{client.id}"),
        }
        if registered.secret is not None:
            body["client_secret"] = registered.secret
        if client.secrets:
            body["client_secret_expires_at"] = 0
        return json_reply(body, status, NO_STORE)

    def _refused(self, refusal: Refusal) -> Reply:
        status, body = refusal.page.status, {"error": refusal.error, "error_description": refusal.page.wire}
        if more := self._explain(refusal):
            body["error_uri"] = more
        challenge = (("www-authenticate", f'Bearer error="{refusal.error}"'),) if status == 401 else ()
        pause = (("retry-after", str(EVERY)),) if status == 429 else ()
        return json_reply(body, status, (*NO_STORE, *challenge, *pause))


def _sent(request: Request) -> Sent:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return Sent(request.body, request.headers.get("content-type", ""), bearer, request.remote)
