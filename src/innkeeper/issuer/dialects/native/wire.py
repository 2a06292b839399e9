"""Requests read and answers written as the specifications spell them."""

from __future__ import annotations

import re
from binascii import Error as NotBase64
from binascii import a2b_base64
from typing import Any

from innkeeper.issuer.core.client_authentication import (
    JWT_BEARER,
    NOT_AUTHENTICATED,
    Proof,
)
from innkeeper.issuer.core.methods import BASIC, NONE, POST, PRIVATE_KEY_JWT, SECRET_JWT
from innkeeper.issuer.core.token import REPEATED, UNREADABLE
from innkeeper.issuer.desk.device import Codes
from innkeeper.issuer.desk.token import Tokens
from innkeeper.keys import jws
from innkeeper.keys.certificates import Certificate, NotACertificate, read_forwarded
from innkeeper.protocol.exchange import NO_STORE, Reply, Request, json_reply
from innkeeper.protocol.parameters import Malformed, Parameters, form_decode, parse_form
from innkeeper.protocol.refusals import Refusal
from innkeeper.protocol.strict_json import NotStrict, read_object

BASIC_CHALLENGE = (("www-authenticate", 'Basic realm="innkeeper", charset="UTF-8"'),)


def form_of(request: Request) -> Parameters | Refusal:
    """The form in a request's body."""
    try:
        return parse_form(request.body, request.headers.get("content-type", ""))
    except Malformed as error:
        return Refusal(UNREADABLE, str(error))


def form_once(request: Request) -> Parameters | Refusal:
    """The form in a request's body, in which no parameter but ``resource`` is repeated (RFC 6749 §3.2)."""
    form = form_of(request)
    if isinstance(form, Parameters) and form.repeated and (repeated := form.repeated - {"resource"}):
        return Refusal(REPEATED, f"{min(repeated)!r} was sent more than once", "once", "more than once")
    return form


def accepts(request: Request, kind: str) -> bool:
    """Whether a request names this very content type as welcome (RFC 9110 §12.5.1)."""
    for part in request.headers.get("accept", "").split(","):
        named, *parameters = (one.strip().lower() for one in part.split(";"))
        if named == kind:
            return not any(_NEVER.fullmatch(one) for one in parameters)
    return False


_NEVER = re.compile(r"q=0(\.0*)?")


def proof_of(request: Request, form: Parameters) -> Proof:
    """How the request authenticates its client (RFC 6749 §2.3, RFC 7521 §4.2)."""
    try:
        return _proof(request.headers.get("authorization", ""), form, certificate_of(request))
    except (Malformed, NotACertificate) as error:
        return Proof((), problem=str(error))


def certificate_of(request: Request) -> Certificate | None:
    """The TLS certificate of the caller, where a proxy told us of one. Raises ``NotACertificate``."""
    return read_forwarded(request.certificate) if request.certificate else None


def shown_certificate(request: Request) -> Certificate | None:
    """The same, where one that cannot be read is none: its bearer fails to prove what a token is bound to."""
    try:
        return certificate_of(request)
    except NotACertificate:
        return None


def _proof(authorization: str, form: Parameters, certificate: Certificate | None) -> Proof:
    client_id, secret, assertion = form.get("client_id"), form.get("client_secret"), form.get("client_assertion")
    methods: list[str] = []
    named, basic_secret = _basic(authorization[6:]) if authorization[:6].lower() == "basic " else (None, None)
    if named is not None:
        if client_id is not None and client_id != named:
            raise Malformed("the Authorization header and client_id name different clients")
        methods.append(BASIC)
        client_id = named
    if secret is not None:
        methods.append(POST)
    if assertion is not None:
        if form.get("client_assertion_type") != JWT_BEARER:
            raise Malformed(f"client_assertion needs client_assertion_type={JWT_BEARER}")
        methods.append(_kind_of(assertion))
        client_id = client_id or _speaker(assertion)
    secret = basic_secret if named is not None else secret
    return Proof(tuple(methods) or (NONE,), client_id, secret, assertion, certificate=certificate)


def _basic(encoded: str) -> tuple[str, str]:
    """Id and secret of a Basic header: base64 of two form-encoded halves (RFC 6749 §2.3.1)."""
    try:
        text = a2b_base64(encoded.strip(), strict_mode=True).decode("utf-8")
    except (NotBase64, ValueError):
        raise Malformed("the Authorization header is not base64 of id:secret") from None
    client_id, colon, secret = text.partition(":")
    if not colon:
        raise Malformed("the Authorization header has no colon between id and secret")
    return form_decode(client_id), form_decode(secret)


def _kind_of(assertion: str) -> str:
    """A MAC by a secret or a signature by a key; the two are verified by different hands, with nothing in common."""
    try:
        return SECRET_JWT if str(jws.parse(assertion).header.get("alg")).startswith("HS") else PRIVATE_KEY_JWT
    except jws.NotAToken:
        return PRIVATE_KEY_JWT


def _speaker(assertion: str) -> str | None:
    """Whom an assertion claims to speak for; believed only once its signature is verified."""
    try:
        subject = read_object(jws.parse(assertion).claims).get("sub")
    except (jws.NotAToken, NotStrict):
        return None
    return subject if isinstance(subject, str) else None


def tokens_reply(tokens: Tokens) -> Reply:
    """A successful token response (RFC 6749 §5.1)."""
    body: dict[str, Any] = {
        "access_token": tokens.access_token,
        "token_type": tokens.token_type,
        "expires_in": tokens.expires_in,
    }
    if tokens.details:
        body["authorization_details"] = tokens.details
    if tokens.issued_type:
        body["issued_token_type"] = tokens.issued_type
    if tokens.scopes:
        body["scope"] = " ".join(sorted(tokens.scopes))
    if tokens.refresh_token is not None:
        body["refresh_token"] = tokens.refresh_token
    if tokens.id_token is not None:
        body["id_token"] = tokens.id_token
    return json_reply(body, headers=NO_STORE)


def jwt_reply(token: str, kind: str = "jwt") -> Reply:
    """A signed or encrypted answer, of content type ``application/jwt`` or a more telling one."""
    return Reply(200, (("content-type", f"application/{kind}"), *NO_STORE), token.encode("ascii"))


def device_codes_reply(codes: Codes, page: str) -> Reply:
    """A successful device authorization response (RFC 8628 §3.2). ``page`` is where a person enters the code."""
    body = {
        "device_code": codes.device_code,
        "user_code": codes.user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={codes.user_code}",
        "expires_in": codes.expires_in,
        "interval": codes.interval,
    }
    return json_reply(body, headers=NO_STORE)


def error_reply(refusal: Refusal, more: str | None) -> Reply:
    """An error response (RFC 6749 §5.2). ``more`` is where a developer can read the reason, in development."""
    body = {"error": refusal.error, "error_description": refusal.page.wire, **refusal.told}
    if more:
        body["error_uri"] = more
    ask = BASIC_CHALLENGE if refusal.page.status == NOT_AUTHENTICATED.status else ()
    return json_reply(body, refusal.page.status, (*NO_STORE, *ask))


def authorization_parameters(
    issuer: str, state: str | None, *, code: str = "", refusal: Refusal | None = None, more: str | None = None
) -> list[tuple[str, str]]:
    """What travels back to the redirect URI: a code or an error, ``state`` where sent, ``iss`` always (RFC 9207 §2)."""
    fields = [("code", code)] if code else []
    if refusal is not None:
        fields = [("error", refusal.error), ("error_description", refusal.page.wire)]
        if more:
            fields.append(("error_uri", more))
    if state is not None:
        fields.append(("state", state))
    return [*fields, ("iss", issuer)]
