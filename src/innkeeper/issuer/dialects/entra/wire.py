"""Requests read and answers written as Entra spells them."""

from __future__ import annotations

import uuid
from binascii import Error as NotBase64
from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from innkeeper.issuer.core.entra.aadsts import Aadsts
from innkeeper.issuer.core.entra.asking import Ask
from innkeeper.issuer.core.entra.names import V1
from innkeeper.issuer.core.entra.tokens import client_info
from innkeeper.issuer.desk.entra.token import Tokens
from innkeeper.protocol import base64url
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.parameters import Malformed, Parameters, form_decode, parse_form, parse_query
from innkeeper.protocol.refusals import Refusal

JSON = ("content-type", "application/json; charset=utf-8")
NO_STORE = (("cache-control", "no-store, no-cache"), ("pragma", "no-cache"), ("expires", "-1"))
SERVER = "2.1.24000.1 - INN ProdSlices"
"""What x-ms-ests-server says: a version, and where."""


def ask_of(request: Request, authority: str, version: int) -> Ask:
    """A form that was posted to an endpoint; credentials of a Basic header count as if they stood in it."""
    ask = Ask(
        version=version,
        authority=authority,
        method=request.method,
        origin=request.headers.get("origin", ""),
        address=request.remote,
    )
    try:
        form = parse_form(request.body, request.headers.get("content-type", "")) if request.body else Parameters([])
        sent = {**dict(form.pairs()), **_basic(request)}
    except Malformed as error:
        return msgspec.structs.replace(ask, problem=str(error))
    repeated = min(form.repeated, default="")
    return msgspec.structs.replace(ask, sent={name: value for name, value in sent.items() if value}, repeated=repeated)


def _basic(request: Request) -> dict[str, str]:
    """Id and secret of a Basic header, each encoded as in a form first."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        halves = a2b_base64(text.strip()).decode("utf-8")
    except (NotBase64, ValueError):
        raise Malformed("the Authorization header is not base64 of id:secret") from None
    client, _, secret = halves.partition(":")
    return {"client_id": form_decode(client), "client_secret": form_decode(secret)}


def correlation_of(request: Request, sent: Mapping[str, str] = {}) -> str:
    """The caller's id of this request, from header, form or query; a fresh one where it sent none."""
    found = request.headers.get("client-request-id") or sent.get("client-request-id")
    if not found and request.query:
        try:
            found = parse_query(request.query).get("client-request-id")
        except Malformed:
            found = None
    return found if found and len(found) <= _LONGEST_ID else str(uuid.uuid4())


_LONGEST_ID = 100


def tokens_reply(tokens: Tokens, ask: Ask, request: Request) -> Reply:
    """A successful answer of the token endpoint."""
    body = _version_1(tokens) if ask.version == V1 else _version_2(tokens)
    if tokens.refresh is not None:
        body["refresh_token"] = tokens.refresh
    if tokens.identity is not None:
        body["id_token"] = tokens.identity
    if ask.get("client_info") and tokens.issue.person is not None:
        body["client_info"] = client_info(tokens.issue.person.sub, tokens.issue.tenant.id)
    return json_reply(body, headers=_headers(request, ask.sent, None))


def _version_2(tokens: Tokens) -> dict[str, Any]:
    told = tokens.access.lifetime - 1
    body: dict[str, Any] = {"token_type": "Bearer"}
    if tokens.issue.person is not None:
        body["scope"] = " ".join(tokens.issue.told)
    body |= {"expires_in": told, "ext_expires_in": told}
    if tokens.access.long:
        body["refresh_in"] = told // 2
    return body | {"access_token": tokens.access.token}


def _version_1(tokens: Tokens) -> dict[str, Any]:
    """Version 1 writes its numbers as texts, and says from when until when."""
    told, claims = tokens.access.lifetime - 1, _claims(tokens.access.token)
    body: dict[str, Any] = {"token_type": "Bearer"}
    if tokens.issue.person is not None:
        body["scope"] = " ".join(tokens.issue.scopes)
    return body | {
        "expires_in": str(told),
        "ext_expires_in": str(told),
        "expires_on": str(claims["exp"]),
        "not_before": str(claims["nbf"]),
        "resource": tokens.issue.audience,
        "access_token": tokens.access.token,
    }


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = msgspec.json.decode(base64url.decode(token.split(".")[1]))
    return claims


def json_reply(document: object, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> Reply:
    return Reply(status, (JSON, *headers), msgspec.json.encode(document))


def error_reply(refusal: Refusal, request: Request, now: int, login: str, sent: Mapping[str, str] = {}) -> Reply:
    """An error answer: the code of OAuth, the cloud's own, and three ids to ask its support with."""
    body = error_body(refusal, correlation_of(request, sent), now, login)
    if refusal.page.error == "interaction_required":
        body["claims"] = '{"access_token":{"capolids":{"essential":true,"values":["twin"]}}}'
    headers = _headers(request, sent, body)
    return json_reply(body, refusal.page.status, headers)


def error_body(refusal: Refusal, correlation: str, now: int, login: str) -> dict[str, Any]:
    page, trace = refusal.page, str(uuid.uuid4())
    code = page.code if isinstance(page, Aadsts) else 0
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    body: dict[str, Any] = {
        "error": page.error,
        "error_description": described(refusal, trace, correlation, moment),
        "error_codes": [code],
        "timestamp": moment,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"{login}/error?code={code}",
    }
    if isinstance(page, Aadsts) and page.suberror:
        body["suberror"] = page.suberror
    return body


def described(refusal: Refusal, trace: str, correlation: str, moment: str) -> str:
    """The sentence, with the number before it and the ids behind it."""
    code = refusal.page.code if isinstance(refusal.page, Aadsts) else 0
    sentence = f"AADSTS{code}: {refusal.wire}" if code else refusal.wire
    return f"{sentence} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {moment}"


def _headers(request: Request, sent: Mapping[str, str], error: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
    trace = str(error["trace_id"]) if error else str(uuid.uuid4())
    code = error["error_codes"][0] if error else 0
    found = (
        *NO_STORE,
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ("x-content-type-options", "nosniff"),
        ("x-ms-request-id", trace),
        ("x-ms-ests-server", SERVER),
        ("x-ms-clitelem", f"1,{code},0,,"),
    )
    if request.headers.get("return-client-request-id", "").lower() == "true":
        return (*found, ("client-request-id", correlation_of(request, sent)))
    return found
