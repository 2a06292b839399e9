"""Requests to the token endpoint and its neighbours, one flow each, and what their answers mean."""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec

from innkeeper.client.asking import Ask, Flow, ask, now, post
from innkeeper.client.credentials import Client, Form, proof
from innkeeper.client.discovery import Metadata
from innkeeper.client.dpop import proven
from innkeeper.client.refused import Refused, Waits, quoted, refuse
from innkeeper.client.token import Access, Token
from innkeeper.protocol import errors
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.refusals import Page, Unreachable
from innkeeper.protocol.strict_json import NotStrict, read_object

REFUSED_REQUEST = Page(
    "IK620",
    error=errors.INVALID_REQUEST,
    title="The token endpoint refused",
    cause="The issuer answered the token request with an error.",
    remedy="Read the issuer's words above; its log knows more.",
    wire="",
)
REFUSED_CLIENT = Page(
    "IK621",
    error=errors.INVALID_CLIENT,
    title="The issuer does not know this client, or not by this proof",
    cause="The client id is unknown there, the secret is wrong or expired, or the way of proving it is not the registered one.",
    remedy="Check client id and secret for this very issuer; a client registered with a secret must send it, a public one must not.",
    wire="",
)
REFUSED_GRANT = Page(
    "IK622",
    error=errors.INVALID_GRANT,
    title="The code or refresh token is no longer good",
    cause="It was used before, has expired, was revoked, or belongs to another client or redirect URI.",
    remedy="Sign in again.",
    wire="",
)
REFUSED_SCOPE = Page(
    "IK623",
    error=errors.INVALID_SCOPE,
    title="The issuer does not give this scope",
    cause="A scope is unknown to the issuer, not allowed for this client, or does not belong to this resource.",
    remedy="Ask for scopes that the client is registered for; some clouds want them prefixed with the API's identifier.",
    wire="",
)
REFUSED_USE = Page(
    "IK624",
    error=errors.UNAUTHORIZED_CLIENT,
    title="The client may not use this grant",
    cause="The client is registered, but not for this grant type.",
    remedy="Register the client for the grant: client_credentials for machines, authorization_code for people.",
    wire="",
)
REFUSED_TARGET = Page(
    "IK625",
    error=errors.INVALID_TARGET,
    title="The issuer does not know this resource",
    cause="The resource is not one that the issuer makes tokens for, or not for this client.",
    remedy="Use the resource's identifier as the issuer registered it, or leave it out where the issuer knows none.",
    wire="",
)
REDIRECTED = Page(
    "IK626",
    error=errors.SERVER_ERROR,
    title="An endpoint sent the request elsewhere",
    cause="The endpoint answered with a redirect. It is never followed: the request carries what only that endpoint may see.",
    remedy="Use the address the issuer's own document gives; an http address that moves to https is the usual cause.",
    wire="",
)
UNREADABLE_ANSWER = Page(
    "IK627",
    error=errors.SERVER_ERROR,
    title="The token answer cannot be used",
    cause="The answer is not JSON, has no access token, or the token is of a type that was not asked for.",
    remedy="Check that the address is a token endpoint; tell whoever runs it what is wrong with its answer.",
    wire="",
)

UNBOUND = Page(
    "IK880",
    error=errors.SERVER_ERROR,
    title="The issuer gave a token that is not bound to the key",
    cause="The request carried a DPoP proof, and the answer is no DPoP token: whoever copies it can use it.",
    remedy="The issuer does not speak DPoP, or not for this client. Turn it on there, or ask without a proof key.",
    wire="",
)

_PAGES = {
    page.error: page
    for page in (REFUSED_REQUEST, REFUSED_CLIENT, REFUSED_GRANT, REFUSED_SCOPE, REFUSED_USE, REFUSED_TARGET)
} | {errors.UNSUPPORTED_GRANT_TYPE: REFUSED_USE}
_PASSING = frozenset({errors.SERVER_ERROR, errors.TEMPORARILY_UNAVAILABLE})
_ACCESS_TOKEN = re.compile(r"[\x21-\x7e]+")
_INTERVAL = 5  # seconds between two looks, where the issuer names none
_LONGEST = 10 * 365 * 86400  # seconds; an issuer that promises more is not taken at its word


DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def client_credentials(metadata: Metadata, client: Client, access: Access) -> Flow[Token]:
    """A token for the client itself (RFC 6749 §4.4)."""
    token = yield from token_for(metadata, client, access, [("grant_type", "client_credentials"), *access.form()])
    return msgspec.structs.replace(token, id_token=None)


def refresh(metadata: Metadata, client: Client, token: Token) -> Flow[Token]:
    """The successor of ``token`` (RFC 6749 §6), which keeps the old refresh token where the issuer sends no new one.

    Raises ``Refused`` with error ``invalid_grant`` where someone has to sign in again.
    """
    if not token.refresh_token:
        raise refuse(REFUSED_GRANT, "the issuer gave no refresh token", error=errors.INVALID_GRANT)
    form = [("grant_type", "refresh_token"), ("refresh_token", token.refresh_token)]
    access = Access(token.scope, token.resource)
    resource = [("resource", token.resource)] if token.resource else []
    successor = yield from token_for(metadata, client, access, form + resource, kept=token.refresh_token)
    return msgspec.structs.replace(successor, id_token=token.id_token)


def redeem(
    metadata: Metadata, client: Client, access: Access, *, code: str, verifier: str, redirect_uri: str
) -> Flow[Token]:
    """The token behind an authorization code (RFC 6749 §4.1.3, RFC 7636 §4.5). Its ID token is not checked yet."""
    form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)]
    resource = [("resource", access.resource)] if access.resource else []
    return (yield from token_for(metadata, client, access, [*form, ("code_verifier", verifier), *resource]))


def device_token(metadata: Metadata, client: Client, access: Access, device_code: str) -> Flow[Token]:
    """The token behind a device code, if somebody has entered it by now (RFC 8628 §3.4)."""
    form = [("grant_type", DEVICE_CODE), ("device_code", device_code)]
    resource = [("resource", access.resource)] if access.resource else []
    token = yield from token_for(metadata, client, access, form + resource)
    return msgspec.structs.replace(token, id_token=None)


def push(metadata: Metadata, client: Client, parameters: Form) -> Flow[str]:
    """Hand the issuer an authorization request beforehand; the reference to it is returned (RFC 9126 §2)."""

    def request() -> Flow[Ask]:
        headers, shown = yield from proof(client, metadata)
        own = [pair for pair in shown if pair[0] != "client_id"]
        endpoint = metadata.endpoint("pushed_authorization_request")
        return post(endpoint, "the pushed authorization request endpoint", parameters + own, headers)

    reply = yield from proven(request, client.proving)
    if reply.status not in {200, 201}:
        raise refusal(reply, "the pushed authorization request endpoint")
    try:
        reference = read_object(reply.body).get("request_uri")
    except NotStrict:
        reference = None
    if not isinstance(reference, str) or not reference:
        raise refuse(UNREADABLE_ANSWER, "the answer to the pushed request holds no request_uri")
    return reference


def revoke(metadata: Metadata, client: Client, token: Token) -> Flow[None]:
    """Take a token back: its refresh token where there is one, else its access token (RFC 7009 §2.1)."""
    value, kind = (
        (token.refresh_token, "refresh_token") if token.refresh_token else (token.access_token, "access_token")
    )
    headers, form = yield from proof(client, metadata)
    pairs = [("token", value), ("token_type_hint", kind), *form]
    reply = yield from ask(post(metadata.endpoint("revocation"), "the revocation endpoint", pairs, headers))
    if reply.status != 200:
        raise refusal(reply, "the revocation endpoint")


def token_for(
    metadata: Metadata,
    client: Client,
    access: Access,
    form: Form,
    *,
    kept: str | None = None,
    kinds: tuple[str, ...] = (),
) -> Flow[Token]:
    """What the token endpoint gives for a grant. ``kept`` is the refresh token that stays where none comes; ``kinds`` are
    the types of token that are taken, by default Bearer, or DPoP where the client has a proof key."""
    proving = client.proving

    def request() -> Flow[Ask]:
        headers, shown = yield from proof(client, metadata)
        return post(metadata.endpoint("token"), "the token endpoint", form + shown, headers)

    reply = yield from proven(request, proving)
    if reply.status != 200:
        raise refusal(reply, "the token endpoint")
    moment = yield from now()
    answer = answered(reply, *(kinds or ("DPoP" if proving else "Bearer",)))
    return Token(
        access_token=answer["access_token"],
        issuer=metadata.issuer,
        client_id=client.id,
        scope=_text(answer, "scope") or access.scope,
        resource=access.resource,
        expires_at=_end(answer.get("expires_in"), moment),
        refresh_token=_text(answer, "refresh_token") or kept,
        id_token=_text(answer, "id_token"),
        kind="DPoP" if proving else "Bearer",
        jkt=proving.thumbprint if proving else "",
    )


def answered(reply: Reply, *kinds: str) -> dict[str, Any]:
    """The answer of a token endpoint, with a token of one of these kinds in it for certain (RFC 6749 §5.1)."""
    try:
        answer = read_object(reply.body)
    except NotStrict as error:
        raise refuse(UNREADABLE_ANSWER, f"the token endpoint answered 200 with something else: {error}") from None
    token, kind = answer.get("access_token"), answer.get("token_type")
    if not isinstance(token, str) or not _ACCESS_TOKEN.fullmatch(token):
        raise refuse(UNREADABLE_ANSWER, "the token endpoint's answer holds no access_token that a header can carry")
    if not isinstance(kind, str) or kind.lower() not in {one.lower() for one in kinds}:
        wanted = " or ".join(kinds)
        reason = f"the token is of type {quoted(kind, 40)}, not {wanted}"
        page = UNBOUND if "DPoP" in kinds else UNREADABLE_ANSWER
        raise refuse(page, reason, expected=wanted, found=quoted(kind, 40))
    return answer


def refusal(reply: Reply, purpose: str) -> Refused | Unreachable:
    """What an answer other than 200 means (RFC 6749 §5.2). The issuer's words are shown as its words."""
    if 300 <= reply.status < 400:
        location = quoted(reply.header("location") or "nowhere", 120)
        return refuse(REDIRECTED, f"{purpose} answered {reply.status} to {location}")
    code, said = _said(reply)
    if reply.status >= 500 or reply.status == 429 or code in _PASSING:
        wait = reply.header("retry-after")
        later = f"; it asks to wait {quoted(wait, 40)} s" if wait else ""
        return Unreachable(f"{purpose} cannot answer now ({reply.status}){said}{later}")
    reason = f"{purpose} refused: {code}{said}" if code else f"{purpose} answered {reply.status} and no error code"
    refused = refuse(_PAGES.get(code, REFUSED_REQUEST), reason, found=str(reply.status), error=code)
    return _waiting(reply, refused) if code == errors.AUTHORIZATION_PENDING else refused


def _waiting(reply: Reply, refused: Refused) -> Refused:
    """The same, with what to ask again with, where the issuer asked the person just now."""
    answer = read_object(reply.body)
    name, ends, every = (answer.get(one) for one in ("auth_req_id", "expires_in", "interval"))
    if not isinstance(name, str) or not name or type(ends) is not int:
        return refused
    pace = every if type(every) is int and every > 0 else _INTERVAL
    return Waits(refused.refusal, refused.error, name, ends, pace)


def _said(reply: Reply) -> tuple[str, str]:
    """The error code and the rest in words, both made safe to print."""
    try:
        answer = read_object(reply.body)
    except NotStrict:
        return "", ""
    code = quoted(answer.get("error") or "", 60)
    description = answer.get("error_description")
    return code, f" (“{quoted(description)}”)" if description else ""


def _text(answer: dict[str, Any], name: str) -> str | None:
    value = answer.get(name)
    return value if isinstance(value, str) and value else None


def _end(expires_in: object, moment: float) -> int | None:
    """When the token ends; a number in a string is read too, as some clouds send it."""
    try:
        seconds = float(expires_in)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return int(moment + min(max(seconds, 0), _LONGEST)) if math.isfinite(seconds) else None
