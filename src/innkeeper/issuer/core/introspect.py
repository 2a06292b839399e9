"""Is this token good, and what does it say? Asked by an API that cannot or will not verify itself (RFC 7662)."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.grants.refresh_token import Held
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client, Grant
from innkeeper.protocol.errors import INVALID_CLIENT, INVALID_REQUEST, INVALID_TOKEN
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.values import Value
from innkeeper.tokens.trail import Seen, check, follow


class Found(Value, frozen=True, gc=False):
    """What a presented token turned out to be.

    ``claims`` are those of an access token whose signature is ours; ``refresh`` what is remembered of a
    refresh token. ``grant`` is the access token's grant where it has one. ``subject`` is the person behind a refresh
    token, as its client is told. ``stopped`` says why an agent behind the token may not act any more.
    """

    claims: dict[str, Any] | None = None
    revoked: bool = False
    grant: Grant | None = None
    refresh: Held | None = None
    subject: str = ""
    stopped: Refusal | None = None


def not_alive(found: Found, now: int, page: Page) -> Refusal | None:
    """Why an access token opens nothing of this issuer's own any more: told by ``page``, or None."""
    said, grant = found.claims, found.grant
    if said is None:
        return Refusal(page, "not an access token of this issuer", "a token cut here", "another")
    if said["exp"] <= now:
        return Refusal(page, f"it expired {now - said['exp']} s ago", "not expired", "expired")
    if found.revoked or (grant is not None and grant.revoked_at is not None):
        return Refusal(page, "the token or its grant was revoked", "standing", "revoked")
    if found.stopped is not None:
        return Refusal(page, found.stopped.reason, found.stopped.expected, found.stopped.found)
    return None


class Case(Value, frozen=True, gc=False):
    token: str
    client: Client
    found: Found
    policy: Policy
    now: int


def decide(token: str, client: Client, found: Found, policy: Policy, now: int) -> Decision[dict[str, Any]]:
    """The claims of a live token with ``active`` true. A dead or foreign token is an answer, not an error (§2.2)."""
    case = Case(token, client, found, policy, now)
    trail = follow("introspection", CHECKS, case)
    refusal = trail.refusal
    if refusal is not None:
        return Decision({"active": False} if refusal.page is TOKEN_DEAD else refusal, trail)
    return Decision(_describe(found, policy), trail)


@check("RFC 7662 §2.1")
def the_caller_is_confidential(case: Case) -> Seen | Refusal:
    """Only a client that can prove who it is may ask, or anyone could try tokens out."""
    if case.client.public:
        return Refusal(CALLER_PUBLIC, "a public client asked", "a confidential client", case.client.id)
    return Seen(case.client.id)


@check("RFC 7662 §2.1")
def a_token_was_sent(case: Case) -> Seen | Refusal:
    """The request has the token to look at."""
    if not case.token:
        return Refusal(TOKEN_MISSING, "the parameter token is missing", "token", "nothing")
    return Seen("a token")


@check("RFC 7662 §4")
def the_token_is_ours(case: Case) -> Seen | Refusal:
    """The token was cut by this issuer, and a refresh token is shown to nobody but its own client."""
    held = case.found.refresh
    if held is not None and held.grant.client_id != case.client.id:
        return Refusal(TOKEN_DEAD, "another client's refresh token", case.client.id, held.grant.client_id)
    if case.found.claims is None and held is None:
        return Refusal(TOKEN_DEAD, "not a token of this issuer", "a token cut here", "another")
    return Seen("a refresh token" if held else "an access token")


@check("RFC 7662 §4")
def the_token_is_alive(case: Case) -> Seen | Refusal:
    """The token has not expired, was not spent, neither it nor its grant was revoked, and no agent behind it stopped."""
    held, found = case.found.refresh, case.found
    expires = held.token.expires_at if held else int((found.claims or {}).get("exp", 0))
    grant = held.grant if held else found.grant
    if expires <= case.now:
        return Refusal(TOKEN_DEAD, f"it expired {case.now - expires} s ago", "not expired", "expired")
    if held is not None and held.token.spent_at is not None:
        return Refusal(TOKEN_DEAD, "the refresh token was spent", "unspent", "spent")
    if found.revoked or (grant is not None and grant.revoked_at is not None) or (held is not None and held.disabled):
        return Refusal(TOKEN_DEAD, "the token or its grant was revoked", "standing", "revoked")
    if found.stopped is not None:
        return Refusal(TOKEN_DEAD, found.stopped.reason, found.stopped.expected, found.stopped.found)
    return Seen(f"{expires - case.now} s left")


@check("RFC 9701 §5")
def the_token_is_for_the_caller(case: Case) -> Seen | Refusal:
    """A caller that was registered for certain resources is told of tokens for those, and of its own."""
    claims, resources = case.found.claims or {}, case.client.resources
    if not resources or case.found.refresh is not None or claims.get("client_id") == case.client.id:
        return Seen("its own" if resources else "for any resource")
    audience = claims.get("aud", ())
    named = (audience,) if isinstance(audience, str) else tuple(audience)
    if not set(resources).intersection(named):
        return Refusal(TOKEN_DEAD, "the token is for another resource", " or ".join(resources), " ".join(named))
    return Seen(" ".join(named))


CHECKS = (
    the_caller_is_confidential,
    a_token_was_sent,
    the_token_is_ours,
    the_token_is_alive,
    the_token_is_for_the_caller,
)


def _describe(found: Found, policy: Policy) -> dict[str, Any]:
    if found.refresh is None:
        claims = found.claims or {}
        kind = "DPoP" if "jkt" in (claims.get("cnf") or {}) else "Bearer"
        return {"active": True, "token_type": kind, **claims}
    held = found.refresh
    details = {"authorization_details": list(held.grant.details)} if held.grant.details else {}
    return {
        **details,
        "active": True,
        "iss": policy.issuer,
        "client_id": held.grant.client_id,
        "sub": found.subject or held.grant.sub,
        "scope": " ".join(sorted(held.grant.scopes)),
        "exp": held.token.expires_at,
        "iat": held.grant.created_at,
    }


CALLER_PUBLIC = Page(
    "IK301",
    INVALID_CLIENT,
    "A public client cannot introspect",
    "Introspection answers whether a token is good; asked by anyone, it would help whoever tries tokens out.",
    "Call it as a confidential client, for example the API's own.",
    "The client could not be authenticated.",
    401,
)
TOKEN_MISSING = Page(
    "IK302",
    INVALID_REQUEST,
    "The token is missing",
    "The form body has no parameter token.",
    "Send token in the form body.",
    "The parameter token is missing.",
)
TOKEN_DEAD = Page(
    "IK303",
    INVALID_TOKEN,
    "The token is not active",
    "It is not a token of this issuer, or it expired, was spent or revoked. The answer is 200 with active false.",
    "Get a new token.",
    "The token is not active.",
    200,
)
