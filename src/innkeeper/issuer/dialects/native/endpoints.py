"""The endpoints that programs call, in the native dialect: each reads a request, asks the desk, words the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from innkeeper.issuer.core import signed_introspection
from innkeeper.issuer.core.userinfo import TOKEN_TWICE
from innkeeper.issuer.core.wrapping import NO_KEY
from innkeeper.issuer.desk.backchannel import ask_person
from innkeeper.issuer.desk.binding import NOBODY_SPECIAL, Sender, nonce
from innkeeper.issuer.desk.device import authorize_device
from innkeeper.issuer.desk.introspect import introspect, revoke, userinfo
from innkeeper.issuer.desk.pushed import push
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.token import decide, hand_out
from innkeeper.issuer.dialects.layout import Endpoint, Endpoints, Layout
from innkeeper.issuer.dialects.native.layout import well_knowns
from innkeeper.issuer.dialects.native.metadata import document
from innkeeper.issuer.dialects.native.wire import (
    accepts,
    device_codes_reply,
    error_reply,
    form_of,
    form_once,
    jwt_reply,
    proof_of,
    shown_certificate,
    tokens_reply,
)
from innkeeper.protocol.exchange import NO_STORE, Reply, Request, json_reply
from innkeeper.protocol.parameters import Parameters
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens import dpop
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
        self._keys = _Published(realm, self._key_set)
        self._metadata = _Published(realm, self.document)
        callable_at = (layout.token, layout.push, layout.device_authorization, layout.backchannel)
        self._audiences = {path: self._names(path) for path in (*callable_at, layout.introspect, layout.revoke)}

    def table(self) -> Endpoints:
        """Paths to endpoints."""
        layout = self._layout
        discovery = Endpoint(self.discovery, GET, cors=True, at_once=True)
        return {
            layout.token: Endpoint(self.token, POST, cors=True),
            layout.introspect: Endpoint(self.introspect, POST),
            layout.push: Endpoint(self.push, POST),
            layout.backchannel: Endpoint(self.backchannel, POST),
            layout.device_authorization: Endpoint(self.device_authorization, POST, cors=True),
            layout.revoke: Endpoint(self.revoke, POST, cors=True),
            layout.userinfo: Endpoint(self.userinfo, GET | POST, cors=True),
            layout.jwks: Endpoint(self.jwks, GET, cors=True, at_once=True),
            **dict.fromkeys(well_knowns(layout.issuer), discovery),
        }

    async def token(self, request: Request) -> Reply:
        form = form_of(request)
        if isinstance(form, Refusal):
            return self._unreadable("token", form)
        sender = self._sender(request, self._layout.token)
        audiences = self._audiences[self._layout.token]
        decided = await decide(self._realm, proof_of(request, form), form, audiences, sender)
        outcome = decided if isinstance(decided, Refusal) else await hand_out(self._realm, decided)
        reply = self._refused(outcome) if isinstance(outcome, Refusal) else tokens_reply(outcome)
        return reply if sender.dpop is None else self._with_nonce(reply)

    async def push(self, request: Request) -> Reply:
        form = form_once(request)
        if isinstance(form, Refusal):
            return self._unreadable("pushed request", form)
        sender = self._sender(request, self._layout.push)
        outcome = await push(self._realm, proof_of(request, form), form, self._audiences[self._layout.push], sender)
        reply = self._refused(outcome) if isinstance(outcome, Refusal) else json_reply(outcome, 201, NO_STORE)
        return reply if sender.dpop is None else self._with_nonce(reply)

    async def device_authorization(self, request: Request) -> Reply:
        form = form_once(request)
        if isinstance(form, Refusal):
            return self._unreadable("device authorization", form)
        audiences = self._audiences[self._layout.device_authorization]
        outcome = await authorize_device(self._realm, proof_of(request, form), form, audiences)
        if isinstance(outcome, Refusal):
            return self._refused(outcome)
        return device_codes_reply(outcome, self._layout.url(self._layout.device))

    async def backchannel(self, request: Request) -> Reply:
        form = form_once(request)
        if isinstance(form, Refusal):
            return self._unreadable("backchannel", form)
        audiences = self._audiences[self._layout.backchannel]
        outcome = await ask_person(self._realm, proof_of(request, form), form, audiences)
        return self._refused(outcome) if isinstance(outcome, Refusal) else json_reply(outcome, headers=NO_STORE)

    async def introspect(self, request: Request) -> Reply:
        form = form_once(request)
        if isinstance(form, Refusal):
            return self._unreadable("introspection", form)
        audiences = self._audiences[self._layout.introspect]
        token, as_jwt = form.get("token", ""), accepts(request, f"application/{signed_introspection.TYPE}")
        outcome = await introspect(self._realm, proof_of(request, form), token, audiences, as_jwt=as_jwt)
        if isinstance(outcome, str):
            return jwt_reply(outcome, signed_introspection.TYPE)
        return self._refused(outcome) if isinstance(outcome, Refusal) else json_reply(outcome, headers=NO_STORE)

    async def revoke(self, request: Request) -> Reply:
        form = form_once(request)
        if isinstance(form, Refusal):
            return self._unreadable("revocation", form)
        audiences = self._audiences[self._layout.revoke]
        outcome = await revoke(self._realm, proof_of(request, form), form.get("token", ""), audiences)
        return self._refused(outcome) if isinstance(outcome, Refusal) else Reply(200, NO_STORE)

    async def userinfo(self, request: Request) -> Reply:
        scheme, sent = _access_tokens(request)
        if len(sent) > 1:
            twice = Refusal(TOKEN_TWICE, "several access tokens came", "one, in one place", f"{len(sent)}")
            self._realm.observe(at_the_door("userinfo", twice, "RFC 6750 §2"))
            return self._challenged(twice, scheme)
        sender = self._sender(request, self._layout.userinfo, scheme=scheme)
        outcome = await userinfo(self._realm, "".join(sent), sender)
        if isinstance(outcome, Refusal):
            return self._challenged(outcome, scheme)
        reply = jwt_reply(outcome) if isinstance(outcome, str) else json_reply(outcome, headers=NO_STORE)
        return reply if sender.dpop is None else self._with_nonce(reply)

    async def jwks(self, _: Request) -> Reply:
        return self._keys.reply()

    def _key_set(self) -> dict[str, Any]:
        return {"keys": self._realm.ring.published(self._realm.now())}

    def document(self) -> dict[str, Any]:
        """The discovery document as it is now."""
        realm = self._realm
        return document(self._layout, realm.policy, realm.ring.opens(realm.now()))

    async def discovery(self, _: Request) -> Reply:
        return self._metadata.reply()

    def _sender(self, request: Request, path: str, *, scheme: str = "") -> Sender:
        """What the request shows of its sender. A token sent in the scheme ``dpop`` comes with a proof; in ``bearer``
        no proof counts."""
        proof = None if scheme == "bearer" else request.headers.get("dpop", "" if scheme == "dpop" else None)
        if proof is None and not request.certificate:
            return NOBODY_SPECIAL
        at_mtls = self._layout.mtls.partition("//")[2] == request.headers.get("host", "")
        url = self._layout.mtls + path if self._layout.mtls and at_mtls else self._layout.url(path)
        return Sender(proof, request.method, url, shown_certificate(request) if request.certificate else None)

    def _names(self, path: str) -> frozenset[str]:
        """What an assertion sent to an endpoint may be addressed to: the issuer, the token endpoint, the endpoint."""
        layout = self._layout
        urls = {layout.url(layout.token), layout.url(path)}
        aliases = {layout.mtls + layout.token, layout.mtls + path} if layout.mtls else set()
        return frozenset({layout.issuer, *urls, *aliases})

    def _challenged(self, refusal: Refusal, scheme: str) -> Reply:
        """A refused call with what it lacks, in the scheme that it used (RFC 6750 §3, RFC 9449 §7.1)."""
        status = 400 if refusal.page in (NO_KEY, TOKEN_TWICE) else max(refusal.page.status, 401)
        reply = Reply(status, (("www-authenticate", _challenge(refusal, scheme)), *NO_STORE))
        return self._with_nonce(reply) if scheme == "dpop" else reply

    def _with_nonce(self, reply: Reply) -> Reply:
        """A caller that proves its key learns the nonce for its next proof (RFC 9449 §8.2)."""
        return Reply(reply.status, (*reply.headers, ("dpop-nonce", nonce(self._realm))), reply.body)

    def _refused(self, refusal: Refusal) -> Reply:
        return error_reply(refusal, self._explain(refusal))

    def _unreadable(self, about: str, refusal: Refusal) -> Reply:
        self._realm.observe(at_the_door(about, refusal, "RFC 6749 §3.2"))
        return self._refused(refusal)


class _Published:
    """A document for everybody: written anew when keys or policy changed, and with each second, for keys come and go."""

    def __init__(self, realm: Realm, document: Callable[[], dict[str, Any]]) -> None:
        self._realm = realm
        self._document = document
        self._of: tuple[Any, ...] = ()
        self._reply = Reply(500)

    def reply(self) -> Reply:
        realm = self._realm
        ring, policy, now = self._of or (None, None, 0)
        if ring is not realm.ring or policy is not realm.policy or now != realm.now():
            self._of = realm.ring, realm.policy, realm.now()
            self._reply = json_reply(self._document(), headers=CACHEABLE)
        return self._reply


def _access_tokens(request: Request) -> tuple[str, list[str]]:
    """The scheme and the access tokens of a request, of which there should be one (RFC 6750 §2.1, §2.2)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    sent = [token.strip()] if scheme.lower() in ("bearer", "dpop") else []
    form = form_of(request) if request.method == "POST" and request.body else None
    if isinstance(form, Parameters):
        return (scheme.lower() if sent else "bearer"), [*sent, *form.many("access_token")]
    return (scheme.lower() if sent else "bearer"), sent


def _challenge(refusal: Refusal, scheme: str) -> str:
    """What a refused call is answered with; a call without a token learns only that it needs one (RFC 6750 §3)."""
    opening = f'DPoP algs="{" ".join(dpop.ALGORITHMS)}"' if scheme == "dpop" else 'Bearer realm="innkeeper"'
    if not refusal.error:
        return opening
    scope = ', scope="openid"' if refusal.page.status == 403 else ""
    return f'{opening}, error="{refusal.error}", error_description="{refusal.page.wire}"{scope}'
