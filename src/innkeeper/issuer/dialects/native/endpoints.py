"""The endpoints that programs call, in the native dialect: each reads a request, asks the desk, words the answer."""

from __future__ import annotations

from collections.abc import Callable

from innkeeper.issuer.desk.introspect import introspect, revoke, userinfo
from innkeeper.issuer.desk.pushed import push
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.token import token
from innkeeper.issuer.dialects.layout import Endpoint, Endpoints, Layout
from innkeeper.issuer.dialects.native.layout import well_knowns
from innkeeper.issuer.dialects.native.metadata import document
from innkeeper.issuer.dialects.native.wire import error_reply, form_of, proof_of, tokens_reply
from innkeeper.protocol.exchange import NO_STORE, Reply, Request, json_reply
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import at_the_door

Explain = Callable[[Refusal], str | None]
"""Where the reason of a refusal can be read; None outside development."""

CACHEABLE = (("cache-control", "public, max-age=300"),)

GET = frozenset({"GET", "HEAD"})
POST = frozenset({"POST"})


class NativeEndpoints:
    """A realm's endpoints for programs."""

    def __init__(self, realm: Realm, layout: Layout, explain: Explain) -> None:
        self._realm = realm
        self._layout = layout
        self._explain = explain
        self._audiences = frozenset({layout.issuer, layout.url(layout.token)})

    def table(self) -> Endpoints:
        """Paths to endpoints."""
        layout = self._layout
        discovery = Endpoint(self.discovery, GET, cors=True)
        return {
            layout.token: Endpoint(self.token, POST, cors=True),
            layout.introspect: Endpoint(self.introspect, POST),
            layout.push: Endpoint(self.push, POST),
            layout.revoke: Endpoint(self.revoke, POST, cors=True),
            layout.userinfo: Endpoint(self.userinfo, GET | POST, cors=True),
            layout.jwks: Endpoint(self.jwks, GET, cors=True),
            **dict.fromkeys(well_knowns(layout.issuer), discovery),
        }

    async def token(self, request: Request) -> Reply:
        form = form_of(request)
        if isinstance(form, Refusal):
            return self._unreadable("token", form)
        outcome = await token(self._realm, proof_of(request, form), form, self._audiences)
        return self._refused(outcome) if isinstance(outcome, Refusal) else tokens_reply(outcome)

    async def push(self, request: Request) -> Reply:
        form = form_of(request)
        if isinstance(form, Refusal):
            return self._unreadable("pushed request", form)
        outcome = await push(self._realm, proof_of(request, form), form, self._audiences)
        return self._refused(outcome) if isinstance(outcome, Refusal) else json_reply(outcome, 201, NO_STORE)

    async def introspect(self, request: Request) -> Reply:
        form = form_of(request)
        if isinstance(form, Refusal):
            return self._unreadable("introspection", form)
        sent = "" if "token" in form.repeated else form.get("token", "")
        outcome = await introspect(self._realm, proof_of(request, form), sent, self._audiences)
        return self._refused(outcome) if isinstance(outcome, Refusal) else json_reply(outcome, headers=NO_STORE)

    async def revoke(self, request: Request) -> Reply:
        form = form_of(request)
        if isinstance(form, Refusal):
            return self._unreadable("revocation", form)
        sent = "" if "token" in form.repeated else form.get("token", "")
        outcome = await revoke(self._realm, proof_of(request, form), sent, self._audiences)
        return self._refused(outcome) if isinstance(outcome, Refusal) else Reply(200, NO_STORE)

    async def userinfo(self, request: Request) -> Reply:
        outcome = await userinfo(self._realm, _bearer(request))
        if isinstance(outcome, Refusal):
            return Reply(outcome.page.status, (("www-authenticate", _challenge(outcome)), *NO_STORE))
        return json_reply(outcome, headers=NO_STORE)

    async def jwks(self, _: Request) -> Reply:
        return json_reply({"keys": self._realm.ring.published(self._realm.now())}, headers=CACHEABLE)

    async def discovery(self, _: Request) -> Reply:
        realm = self._realm
        return json_reply(document(self._layout, realm.policy, realm.ring.algorithms()), headers=CACHEABLE)

    def _refused(self, refusal: Refusal) -> Reply:
        return error_reply(refusal, self._explain(refusal))

    def _unreadable(self, about: str, refusal: Refusal) -> Reply:
        self._realm.observe(at_the_door(about, refusal, "RFC 6749 §3.2"))
        return self._refused(refusal)


def _bearer(request: Request) -> str:
    """The access token of a request: from its header, or from a form body (RFC 6750 §2.1, §2.2)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    if request.method == "POST":
        form = form_of(request)
        if not isinstance(form, Refusal) and "access_token" not in form.repeated:
            return form.get("access_token", "")
    return ""


def _challenge(refusal: Refusal) -> str:
    """What a refused call is answered with; a call without a token learns only that it needs one (RFC 6750 §3)."""
    if not refusal.error:
        return 'Bearer realm="innkeeper"'
    scope = ', scope="openid"' if refusal.page.status == 403 else ""
    return f'Bearer realm="innkeeper", error="{refusal.error}", error_description="{refusal.page.wire}"{scope}'
