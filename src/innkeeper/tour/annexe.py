"""The hotel's old annexe, for the chapters on history: doors that take a password, an API key, or OAuth 1.0 (RFC 5849).

Real locks of former times, with secrets drawn anew each time the house opens. They decide by checks as everything
here does; the signature of OAuth 1.0 is verified by oauthlib.
"""

from __future__ import annotations

import secrets
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hmac import compare_digest
from types import MappingProxyType, SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from oauthlib.oauth1.rfc5849.signature import collect_parameters, verify_hmac_sha1
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from innkeeper.protocol.errors import INVALID_REQUEST, INVALID_TOKEN
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Check, Observer, Seen, check, follow

NO_WAY_IN = Page(
    "IK710",
    INVALID_REQUEST,
    "Nothing was shown that an old lock reads",
    "The annexe takes a password, an API key or an OAuth 1.0 signature, and none of them came.",
    "Play the chapters on API keys and on history: they show each of them.",
    "Show a password, a key or a signature.",
    401,
)
WRONG_SECRET = Page(
    "IK711",
    INVALID_TOKEN,
    "The password or API key is another",
    "The text that was shown is not the one this lock knows; that is all that such a lock can say.",
    "Take the secret of this run: it is drawn anew each time the house opens.",
    "The password or key is wrong.",
    401,
)
WRONG_SIGNATURE = Page(
    "IK712",
    INVALID_TOKEN,
    "The OAuth 1.0 signature does not fit the request",
    "The signature is over method, address and every parameter; one of them, or a secret, is not as it was signed.",
    "Sign the request again exactly as it is sent, with the consumer's secret and the token's.",
    "The signature does not fit the request.",
    401,
)
SEEN_BEFORE = Page(
    "IK713",
    INVALID_TOKEN,
    "The OAuth 1.0 request came a second time",
    "The nonce with this timestamp was used before: somebody sends a recorded request again.",
    "Draw a new nonce and sign again.",
    "This request was sent before.",
    401,
)

REMEMBERED = 1000


class Shown(msgspec.Struct, frozen=True):
    """What came with a request: a password, a key, the parameters of a signature, beside what the lock knows."""

    known: Mapping[str, str]
    method: str
    url: str
    query: tuple[tuple[str, str], ...]
    basic: str = ""
    key: str = ""
    old: Mapping[str, str] = MappingProxyType({})
    seen: bool = False


@check("RFC 7617 §2")
def something_was_shown(case: Shown) -> Seen | Refusal:
    """A password, an API key or an OAuth 1.0 signature came with the request."""
    how = "a password" if case.basic else "an API key" if case.key else "a signature" if case.old else ""
    return Seen(how) if how else Refusal(NO_WAY_IN, "no header that an old lock reads")


@check("RFC 7617 §2")
def the_password_is_right(case: Shown) -> Seen | Refusal:
    """The password is the guest's own: whoever knows it is the guest, for everything, for ever."""
    expected = f"{case.known['annexe_guest']}:{case.known['annexe_guest_secret']}"
    return Seen("the guest's password") if _same(case.basic, expected) else Refusal(WRONG_SECRET, "another password")


@check("House rules §7")
def the_key_is_known(case: Shown) -> Seen | Refusal:
    """The API key is the one that was handed out. Nothing on it says to whom, for what, or until when."""
    return Seen("the key") if _same(case.key, case.known["api_key"]) else Refusal(WRONG_SECRET, "another key")


@check("RFC 5849 §3.2")
def the_request_is_fresh(case: Shown) -> Seen | Refusal:
    """The nonce has not been seen with this timestamp before."""
    nonce = case.old.get("oauth_nonce", "")
    return Refusal(SEEN_BEFORE, "the nonce was used before", found=nonce) if case.seen else Seen(nonce)


@check("RFC 5849 §3.4")
def the_signature_fits(case: Shown) -> Seen | Refusal:
    """The signature, made anew with both secrets over method, address and parameters, is the one that came."""
    signature = case.old.get("oauth_signature", "")
    signed = [(name, value) for name, value in case.old.items() if name != "oauth_signature"]
    sent: Any = SimpleNamespace(
        uri=case.url, http_method=case.method, params=[*signed, *case.query], signature=signature
    )
    if verify_hmac_sha1(sent, case.known["consumer_secret"], case.known["old_token_secret"]):
        return Seen("HMAC-SHA1 over the whole request")
    return Refusal(WRONG_SIGNATURE, "the request is not the one that was signed", found=f"{signature[:8]}…")


PASSWORD_CHECKS = (something_was_shown, the_password_is_right)
KEY_CHECKS = (something_was_shown, the_key_is_known)
OLD_CHECKS = (something_was_shown, the_signature_fits, the_request_is_fresh)


class Annexe:
    """The annexe. ``known`` are its secrets, for the acts of a chapter to use."""

    def __init__(self, observe: Observer) -> None:
        self._observe = observe
        self._nonces: OrderedDict[tuple[str, str], None] = OrderedDict()
        self.known = drawn(secrets.token_urlsafe)

    async def door(self, request: Request) -> Response:
        """Any door of the annexe: whoever gets in gets in everywhere."""
        case = self._case(request)
        trail = follow("old lock", _checks(case), case)
        self._observe(trail)
        if trail.refusal:
            page = trail.refusal.page
            return JSONResponse({"error": page.error, "message": page.wire}, page.status, {"cache-control": "no-store"})
        if case.old:
            self.remember(case.old)
        door = request.path_params["door"]
        return JSONResponse({"door": door, "open": True, "message": f"The {door} opens."})

    def remember(self, old: Mapping[str, str]) -> None:
        """Note that the nonce of a signed request is used; the oldest is forgotten when there are too many."""
        self._nonces[_nonce(old)] = None
        while len(self._nonces) > REMEMBERED:
            self._nonces.popitem(last=False)

    def _case(self, request: Request) -> Shown:
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        old = _old(request.headers.get("authorization", "")) if scheme.lower() == "oauth" else {}
        return Shown(
            known=self.known,
            method=request.method,
            url=str(request.url).partition("?")[0],
            query=tuple(parse_qsl(request.url.query, keep_blank_values=True)),
            basic=_decoded(rest) if scheme.lower() == "basic" else "",
            key=request.headers.get("x-api-key", ""),
            old=old,
            seen=_nonce(old) in self._nonces,
        )


def drawn(chance: Callable[[int], str]) -> dict[str, str]:
    """The annexe's secrets: a guest's password, an API key, the two pairs of OAuth 1.0."""
    return {
        "annexe_guest": "ada",
        "annexe_guest_secret": chance(9),
        "api_key": f"ik_live_{chance(18)}",
        "consumer_key": "photo-printer",
        "consumer_secret": chance(18),
        "old_token": chance(9),
        "old_token_secret": chance(18),
    }


def _checks(case: Shown) -> tuple[Check[Shown], ...]:
    return PASSWORD_CHECKS if case.basic else KEY_CHECKS if case.key else OLD_CHECKS


def _old(header: str) -> dict[str, str]:
    try:
        return dict(collect_parameters(headers={"Authorization": header}, exclude_oauth_signature=False))
    except ValueError:
        return {}


def _nonce(old: Mapping[str, Any]) -> tuple[str, str]:
    return str(old.get("oauth_timestamp", "")), str(old.get("oauth_nonce", ""))


def _decoded(text: str) -> str:
    try:
        return b64decode(text, validate=True).decode()
    except ValueError:
        return ""


def _same(one: str, other: str) -> bool:
    return compare_digest(one.encode(), other.encode())
