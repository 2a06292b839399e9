"""A request that waits for its person somewhere else, while its client asks again and again."""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core import details
from innkeeper.issuer.core.binding import kept
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import AddGrant, AddRefreshToken, Effect
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client, Grant, RefreshToken
from innkeeper.issuer.core.scopes import Reach, narrow, outside_grant
from innkeeper.issuer.core.token import REFRESH_TOKEN, Fresh, Issue, TokenRequest
from innkeeper.protocol.errors import (
    ACCESS_DENIED,
    AUTHORIZATION_PENDING,
    EXPIRED_TOKEN,
    INVALID_GRANT,
    SLOW_DOWN,
)
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, Trail, check, follow

SLOWER = 5
"""Seconds by which a client that asks too soon must wait longer from then on (RFC 8628 §3.5)."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What waits: for which client, what it would open, ``details`` included, until when. ``interval`` and times in seconds.

    ``asked_at`` is when the client last asked. ``denied`` or ``grant`` is the person's answer; ``redeemed_at`` is
    when the tokens were handed out, which happens once.
    """

    client_id: str
    scopes: frozenset[str]
    audience: tuple[str, ...]
    details: tuple[dict[str, Any], ...] = ()
    started_at: int
    expires_at: int
    interval: int
    asked_at: int | None = None
    denied: bool = False
    grant: Grant | None = None
    redeemed_at: int | None = None

    @property
    def answered(self) -> bool:
        return self.denied or self.grant is not None


class Case(msgspec.Struct, frozen=True):
    ask: TokenRequest
    client: Client
    waiting: Waiting | None
    policy: Policy
    now: int


def decide(
    ask: TokenRequest, client: Client, waiting: Waiting | None, fresh: Fresh, policy: Policy, now: int
) -> Decision[Issue]:
    """Tokens where the person has said yes, once; else what the client shall do."""
    trail = follow("waiting request", CHECKS, Case(ask, client, waiting, policy, now))
    if trail.refusal or waiting is None or waiting.grant is None:
        return Decision(trail.refusal or Refusal(PENDING, "nobody answered"), trail)
    return _tokens(ask, client, waiting.grant, fresh, policy, now, trail)


def after(waiting: Waiting, outcome: Issue | Refusal, now: int) -> Waiting:
    """What is remembered once the client was answered."""
    if isinstance(outcome, Issue):
        return msgspec.structs.replace(waiting, redeemed_at=now)
    if outcome.page is TOO_SOON:
        return msgspec.structs.replace(waiting, interval=waiting.interval + SLOWER, asked_at=now)
    if outcome.page is PENDING:
        return msgspec.structs.replace(waiting, asked_at=now)
    return waiting


@check("RFC 6749 §5.2")
def the_request_is_one_of_ours(case: Case) -> Seen | Refusal:
    """The code names a request that was made here, not too long ago."""
    if case.waiting is None:
        return Refusal(WAIT_UNUSABLE, "no request waits under that code, or it is long gone", "one of ours", "none")
    return Seen("made here")


@check("RFC 8628 §3.4")
def the_request_is_this_clients(case: Case) -> Seen | Refusal:
    """Only the client that made the request may ask how it stands."""
    owner = case.waiting.client_id if case.waiting else ""
    if owner != case.client.id:
        return Refusal(WAIT_UNUSABLE, "another client made the request", owner, case.client.id)
    return Seen(case.client.id)


@check("RFC 6749 §10.5")
def nothing_was_handed_out_yet(case: Case) -> Seen | Refusal:
    """A request leads to tokens once."""
    redeemed = case.waiting.redeemed_at if case.waiting else None
    if redeemed is not None:
        return Refusal(WAIT_UNUSABLE, f"the tokens were handed out {case.now - redeemed} s ago", "once", "again")
    return Seen("not yet")


@check("RFC 8628 §3.5")
def the_request_is_fresh(case: Case) -> Seen | Refusal:
    """A request waits for some minutes only."""
    late = case.now - (case.waiting.expires_at if case.waiting else 0)
    if late >= 0:
        return Refusal(WAITED_TOO_LONG, f"the request expired {late} s ago", "not expired", f"{late} s too late")
    return Seen(f"{-late} s left")


@check("RFC 8628 §3.5")
def the_person_did_not_say_no(case: Case) -> Seen | Refusal:
    """The person was not asked yet, or did not decline."""
    if case.waiting is not None and case.waiting.denied:
        return Refusal(DECLINED, "the person declined", "allowed", "declined")
    return Seen("not declined")


@check("RFC 8628 §3.5")
def the_client_waited_its_interval(case: Case) -> Seen | Refusal:
    """Between two questions the client lets the interval pass; each time it does not, the interval grows."""
    waiting = case.waiting
    if waiting is None or waiting.answered or waiting.asked_at is None:
        return Seen("nothing to wait for")
    waited = case.now - waiting.asked_at
    expected = f"{waiting.interval} s between two questions"
    if waited < waiting.interval:
        return Refusal(TOO_SOON, f"the client asked again after {waited} s", expected, f"{waited} s")
    return Seen(f"{waited} s", expected)


@check("RFC 8628 §3.5")
def the_person_has_answered(case: Case) -> Seen | Refusal:
    """Somebody has signed in and said yes."""
    if case.waiting is None or case.waiting.grant is None:
        return Refusal(PENDING, "nobody has answered yet", "an answer", "none yet")
    return Seen(case.waiting.grant.sub)


@check("RFC 8707 §2.2")
def the_resource_is_within_the_grant(case: Case) -> Seen | Refusal:
    """A resource named here is one that the person was asked about."""
    granted = case.waiting.audience if case.waiting else ()
    return outside_grant(case.ask.resources, granted) or Seen(" ".join(case.ask.resources) or "as granted")


@check("RFC 9396 §6")
def the_details_are_within_the_grant(case: Case) -> Seen | Refusal:
    """Authorization details named here are within those that the person allowed."""
    granted = case.waiting.details if case.waiting else ()
    return details.judged_within(case.ask.sent.get(details.PARAMETER), granted, case.policy)


ANSWER_CHECKS = (
    the_request_is_one_of_ours,
    the_request_is_this_clients,
    nothing_was_handed_out_yet,
    the_request_is_fresh,
    the_person_did_not_say_no,
    the_client_waited_its_interval,
    the_person_has_answered,
)
CHECKS = (
    *ANSWER_CHECKS,
    the_resource_is_within_the_grant,
    the_details_are_within_the_grant,
)

WAIT_UNUSABLE = Page(
    "IK260",
    INVALID_GRANT,
    "No request waits under this code",
    "The device_code or auth_req_id is unknown, belongs to another client, or has led to its tokens already.",
    "Begin anew, and ask with the code that the answer holds, as the same client. Stop asking once tokens came.",
    "The code is not valid.",
)
WAITED_TOO_LONG = Page(
    "IK261",
    EXPIRED_TOKEN,
    "The request waited too long for its person",
    "Nobody answered before the request expired. expires_in of the first answer says how long that is.",
    "Begin anew once the person is there, and show the new code.",
    "The request has expired.",
)
DECLINED = Page(
    "IK262",
    ACCESS_DENIED,
    "The person declined",
    "Whoever was asked said no.",
    "Stop asking. Begin anew only if the person wants it.",
    "The person declined the request.",
)
TOO_SOON = Page(
    "IK263",
    SLOW_DOWN,
    "The client asks too often",
    "The client asked again before the interval had passed. From now on it must wait five seconds longer.",
    "Add five seconds to the interval each time slow_down comes, and keep to it.",
    "The client asks too often; it must wait five seconds longer from now on.",
)
PENDING = Page(
    "IK264",
    AUTHORIZATION_PENDING,
    "Nobody has answered yet",
    "The person has not signed in yet, or has not decided. This is how every wait begins.",
    "Wait for the interval, then ask again.",
    "The person has not answered yet.",
)


def _tokens(
    ask: TokenRequest, client: Client, allowed: Grant, fresh: Fresh, policy: Policy, now: int, trail: Trail
) -> Decision[Issue]:
    opened = narrow(frozenset(), ask.resources, Reach(allowed.scopes, allowed.audience), policy)
    grant = msgspec.structs.replace(allowed, created_at=now, confirmation=kept(client, ask.confirmation))
    effects: list[Effect] = [AddGrant(grant)]
    refresh = REFRESH_TOKEN in client.grants
    if refresh:
        expires = now + policy.refresh_lifetime
        effects.append(
            AddRefreshToken(RefreshToken(digest=fresh.refresh_digest, grant_id=grant.id, expires_at=expires))
        )
    issue = Issue(
        client=client,
        subject=grant.sub,
        scopes=opened.scopes,
        audience=opened.audience,
        grant=grant,
        id_token="openid" in grant.scopes,
        refresh=refresh,
        confirmation=ask.confirmation,
        details=details.narrowed(ask.sent.get(details.PARAMETER), grant.details, opened.audience, policy),
    )
    return Decision(issue, trail, tuple(effects))
