"""Asking the issuer about a token: one that says nothing by itself, or one that may have been revoked.

The question and how its answer is read; ``Guard`` sends it. The answer may be signed (RFC 9701).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator, Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

import msgspec

from innkeeper.guard.fetching import Outgoing
from innkeeper.guard.keys import KeyShelf, Question, document, told_by
from innkeeper.keys import jws
from innkeeper.protocol.errors import INVALID_TOKEN, TEMPORARILY_UNAVAILABLE
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.refusals import Page, Refusal, Unreachable, UsageError
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.protocol.well_known import why_not_private
from innkeeper.tokens.access import AccessToken, NotWhole, read
from innkeeper.tokens.trail import Check, Seen, check

TYPE = "token-introspection+jwt"


class Introspection(msgspec.Struct, frozen=True, kw_only=True):
    """An issuer that is asked about tokens, with the id and secret this API has there.

    Tokens that are no JWTs are always asked about. ``every``, where given, is for JWTs, too: each is asked about again after
    so many seconds, so that a revoked one is refused within that time. ``remembered`` is for how many seconds an answer
    about an opaque token is believed, never past the token's end. ``endpoint`` is discovered where it is not given.
    ``signed``: the answer has to be a JWT of the issuer. ``most`` questions are asked in one second, 100 unless said otherwise:
    anyone can send texts that nobody knows, and must not be able to have the issuer flooded. What comes beyond is 503.
    """

    issuer: str
    client_id: str
    client_secret: str
    endpoint: str = ""
    remembered: float = 30
    every: float | None = None
    signed: bool = False
    most: int = 100

    def __post_init__(self) -> None:
        """Raises ``UsageError``."""
        if not self.client_id or not self.client_secret:
            raise UsageError("introspection needs client_id and client_secret: issuers answer only whom they know")
        if self.endpoint and (why := why_not_private(self.endpoint)):
            raise UsageError(f"introspection endpoint {self.endpoint!r}: {why}")
        if self.most < 1:
            raise UsageError(f"introspection most of {self.most}: questions in a second, 1 or more")
        for name in ("remembered", "every"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= 3600:
                raise UsageError(f"introspection {name} of {value}: more than 0 s and at most an hour (3600 s)")


class Inquired(msgspec.Struct, frozen=True, gc=False):
    """What came of asking: ``obstacle`` says why there is no answer; ``token`` what a live token says, or why that cannot be
    told. ``only_whether`` it is alive was the question, for a token that speaks for itself."""

    issuer: str
    obstacle: str = ""
    active: bool = False
    token: AccessToken | str = ""
    only_whether: bool = False


Inquiry = Generator["Outgoing | Question", Any, Inquired]


def inquiring(token: str, asked: Introspection, shelf: KeyShelf, now: float, *, only_whether: bool = False) -> Inquiry:
    """Ask about a token: yields what to send and which keys to read, is sent the replies and the time."""
    if not shelf.may_ask(asked.most, now):
        flood = f"more than {asked.most} questions in a second"
        return Inquired(asked.issuer, flood, only_whether=only_whether)
    try:
        endpoint = asked.endpoint or (yield from _discovering(shelf))
        reply = yield _question(token, endpoint, asked)
        said = yield from _answer(reply, asked, shelf, now)
    except (Unreachable, NotStrict, jws.NotAToken) as error:
        return Inquired(asked.issuer, str(error), only_whether=only_whether)
    if said.get("active") is not True:
        return Inquired(asked.issuer, only_whether=only_whether)
    if only_whether:
        return Inquired(asked.issuer, "", True, "", True)
    return Inquired(asked.issuer, "", True, _said(said, asked, now))


def _question(token: str, endpoint: str, asked: Introspection) -> Outgoing:
    pair = f"{quote_plus(asked.client_id)}:{quote_plus(asked.client_secret)}".encode()
    headers = {
        "authorization": f"Basic {b64encode(pair).decode()}",
        "content-type": "application/x-www-form-urlencoded",
        "accept": f"application/{TYPE}" if asked.signed else "application/json",
    }
    body = urlencode({"token": token, "token_type_hint": "access_token"})
    return Outgoing("POST", endpoint, tuple(headers.items()), body.encode())


def _discovering(shelf: KeyShelf) -> Generator[Outgoing, Reply, str]:
    """The issuer's introspection endpoint, noted on its shelf."""
    if not shelf.introspection_endpoint:
        steps = told_by(shelf.preset, "introspection_endpoint")
        try:
            url = next(steps)
            while True:
                url = steps.send((yield Outgoing("GET", url)))
        except StopIteration as end:
            shelf.introspection_endpoint = end.value
    return shelf.introspection_endpoint


def _answer(
    reply: Reply, asked: Introspection, shelf: KeyShelf, now: float
) -> Generator[Question, float, Mapping[str, Any]]:
    """What the issuer says. Raises where it says nothing that can be believed."""
    if not asked.signed:
        said: Mapping[str, Any] = document(reply)
    else:
        said = yield from _signed(reply, asked, shelf, now)
    named = said.get("iss", asked.issuer)
    if named != asked.issuer:
        raise NotStrict(f"the answer is about a token of {str(named)[:80]!r}")
    return said


def _signed(
    reply: Reply, asked: Introspection, shelf: KeyShelf, now: float
) -> Generator[Question, float, Mapping[str, Any]]:
    if reply.status != 200:
        raise NotStrict(f"status {reply.status}")
    parsed = jws.parse(reply.body.strip(), limit=1 << 17)
    kid, alg = parsed.header.get("kid"), str(parsed.header.get("alg"))
    if str(parsed.header.get("typ", "")).lower().removeprefix("application/") != TYPE:
        raise NotStrict(f"the answer's typ is {str(parsed.header.get('typ'))[:40]!r}, not {TYPE}")
    if alg not in shelf.preset.expected.algorithms:
        raise NotStrict(f"the answer is signed with {alg[:40]!r}")
    if shelf.should_fetch(kid, alg, now):
        now = yield Question(shelf, shelf.tried_at)
    usable = shelf.usable(now)
    if usable is None or not any(jws.verify(parsed, one.key, alg) for one in usable.fitting(kid, alg)):
        raise NotStrict(shelf.failure or "the answer's signature is not the issuer's")
    claims = read_object(parsed.claims)
    audience = claims.get("aud")
    if claims.get("iss") != asked.issuer or asked.client_id not in (
        audience if isinstance(audience, list) else [audience]
    ):
        raise NotStrict("the answer is from another issuer, or for somebody else")
    inner = claims.get("token_introspection")
    if not isinstance(inner, dict):
        raise NotStrict("the answer holds no token_introspection")
    return inner


def _said(said: Mapping[str, Any], asked: Introspection, now: float) -> AccessToken | str:
    """What a live token says. Without ``exp`` it is believed for as long as an answer is remembered."""
    whole = {"iss": asked.issuer, "exp": int(now + asked.remembered), **said}
    try:
        return read(whole, ("aud",), sent=said)
    except NotWhole as error:
        return str(error)


@check("RFC 7662 §2.2")
def issuer_answered(case: Inquired) -> Seen | Refusal:
    """The issuer must have answered, and its answer be one that can be believed."""
    if case.obstacle:
        return Refusal(NO_ANSWER, case.obstacle, f"an answer of {case.issuer}", "none")
    return Seen(case.issuer)


@check("RFC 7662 §2.2")
def token_is_active(case: Inquired) -> Seen | Refusal:
    """The issuer must say that the token is alive: known, not expired, not revoked."""
    if not case.active:
        return Refusal(NOT_ACTIVE, "the issuer says the token is not active", "active", "not active")
    return _ACTIVE


@check("RFC 7662 §2.2")
def answer_names_an_audience(case: Inquired) -> Seen | Refusal:
    """The answer must say whom the token is for, and each claim must be of the right kind."""
    if type(case.token) is str and not case.only_whether:
        return Refusal(ANSWER_NOT_WHOLE, case.token, "aud, and claims of the right kind")
    return Seen("for this API only" if case.only_whether else "all there")


INQUIRY_CHECKS: tuple[Check[Inquired], ...] = (issuer_answered, token_is_active, answer_names_an_audience)

_ACTIVE = Seen("active")
_WIRE = "The access token is malformed, expired, revoked, or not meant for this resource."

NOT_ACTIVE = Page(
    "IK572",
    INVALID_TOKEN,
    "The issuer says the token is not active",
    "It was revoked, expired, or made by somebody else; the issuer does not say which.",
    "Get a new token.",
    _WIRE,
    401,
)
NO_ANSWER = Page(
    "IK573",
    TEMPORARILY_UNAVAILABLE,
    "The issuer could not be asked about the token",
    "The introspection endpoint did not answer, or not with something to believe: another status than 200 (often a wrong "
    "client_secret), no JSON object, a signature that is not the issuer's. Or too many tokens came that nobody knows.",
    "Check introspection's client_id, client_secret and endpoint, and that the API can reach the issuer.",
    "The issuer cannot be reached; try again.",
    503,
)
ANSWER_NOT_WHOLE = Page(
    "IK574",
    INVALID_TOKEN,
    "The issuer does not say whom the token is for",
    "The answer to introspection has no aud, or a claim of the wrong kind. Without an audience every token of the issuer "
    "would be good here.",
    "Let the issuer put aud into introspection answers; clients name the API with resource= when they ask for the token.",
    _WIRE,
    401,
)
