"""Requests read and answers written as a pool's domain spells them."""

from __future__ import annotations

from binascii import Error as NotBase64
from binascii import a2b_base64
from typing import Any
from uuid import uuid4

import msgspec

from innkeeper.issuer.core.cognito.exchange import ACCESS_TOKEN
from innkeeper.issuer.core.cognito.token import Ask
from innkeeper.issuer.desk.cognito.cutting import Tokens
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.parameters import Malformed, Parameters, form_decode, parse_form
from innkeeper.protocol.refusals import Refusal

JSON = ("content-type", "application/json;charset=UTF-8")
FRESH = (
    ("cache-control", "no-cache, no-store, max-age=0, must-revalidate"),
    ("pragma", "no-cache"),
    ("expires", "0"),
)


def ask_of(request: Request) -> Ask:
    """A form with its client's credentials: from a Basic header, else from the body."""
    try:
        sent = parse_form(request.body, request.headers.get("content-type", ""))
        named, secret = _basic(request.headers.get("authorization", ""))
    except Malformed as error:
        return Ask(Parameters([]), problem=str(error))
    if sent.repeated - {"resource", "audience"}:
        return Ask(Parameters([]), problem=f"{min(sent.repeated)!r} was sent more than once")
    if named:
        return Ask(sent, named, secret)
    return Ask(sent, sent.get("client_id", ""), sent.get("client_secret"))


def _basic(authorization: str) -> tuple[str, str | None]:
    """Id and secret of a Basic header; AWS's own samples send them as they are, others form-encoded."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", None
    try:
        text = a2b_base64(encoded.strip(), strict_mode=True).decode("utf-8")
    except (NotBase64, ValueError):
        raise Malformed("the Authorization header is not base64 of id:secret") from None
    named, colon, secret = text.partition(":")
    if not colon:
        raise Malformed("the Authorization header has no colon between id and secret")
    return form_decode(named), form_decode(secret)


def bearer_of(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def json_answer(body: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    named = ("x-amz-cognito-request-id", str(uuid4()))
    return Reply(status, (JSON, *FRESH, named, *headers), msgspec.json.encode(body))


def tokens_answer(tokens: Tokens, *, exchanged: bool = False) -> Reply:
    """A successful answer: no scope in it, and only what was cut."""
    body: dict[str, Any] = {"id_token": tokens.identity} if tokens.identity else {}
    body["access_token"] = tokens.access
    if tokens.refresh:
        body["refresh_token"] = tokens.refresh
    if exchanged:
        body["issued_token_type"] = ACCESS_TOKEN
    return json_answer({**body, "expires_in": tokens.expires_in, "token_type": "Bearer"})


def refused(refusal: Refusal) -> Reply:
    """An error: its code, and a description only where Cognito is known to give one."""
    body = {"error": refusal.error}
    if refusal.page.wire and refusal.error == "unauthorized_client":
        body["error_description"] = refusal.wire
    return json_answer(body, refusal.page.status)
