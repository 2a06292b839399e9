"""Telling a client's server that a person signed out (OpenID Connect Back-Channel Logout 1.0)."""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client
from innkeeper.protocol.errors import TEMPORARILY_UNAVAILABLE
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, Trail, check, follow

TYPE = "logout+jwt"
EVENT = "http://schemas.openid.net/event/backchannel-logout"

LIFETIME = 120
"""Seconds: two minutes are the most that §4 recommends, and longer than the last try takes to arrive."""

PAUSES = (2, 15)
"""Seconds between the tries. A client that cannot be reached is not told in the end."""

TRIES = len(PAUSES) + 1


class Told(msgspec.Struct, frozen=True):
    """How a try went: ``status`` is the server's answer, None where there was none; ``problem`` says why."""

    uri: str
    status: int | None = None
    problem: str = ""


def claims(client: Client, subject: str, session_id: str, policy: Policy, now: int, jti: str) -> dict[str, Any]:
    """The logout token's claims (§2.4). It has no nonce, so that nobody takes it for an ID token."""
    return {
        "iss": policy.issuer,
        "sub": subject,
        "aud": client.id,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": jti,
        "events": {EVENT: {}},
        "sid": session_id,
    }


def judge(told: Told) -> Trail:
    """Whether the client knows now."""
    return follow("back-channel logout", CHECKS, told)


def wait_before_next(told: Told, tries: int) -> int | None:
    """Seconds to wait before trying again, None for never: after the last, and where the client took it or said no."""
    said_something = told.status is not None and told.status < 500 and told.status not in _LATER
    return None if said_something or tries >= TRIES else PAUSES[tries - 1]


_LATER = frozenset({408, 425, 429})


@check("OpenID Connect Back-Channel Logout §2.8")
def the_client_took_the_news(told: Told) -> Seen | Refusal:
    """The client's server answers that it has ended its own session."""
    if told.status not in (200, 204):
        found = told.problem or f"status {told.status}"
        return Refusal(NOT_TOLD, f"{told.uri} did not take the logout token", "200 or 204", found)
    return Seen(str(told.status), "200 or 204")


CHECKS = (the_client_took_the_news,)

NOT_TOLD = Page(
    "IK145",
    TEMPORARILY_UNAVAILABLE,
    "A client could not be told that its person signed out",
    "The address that the client registered as backchannel_logout_uri could not be reached, or its server refused the "
    "logout token. The person is signed out here all the same.",
    "The client should see to its backchannel_logout_uri: it must be https on a public address, take a form with "
    "logout_token, and answer 200.",
    "The client could not be told of the logout.",
    503,
)
