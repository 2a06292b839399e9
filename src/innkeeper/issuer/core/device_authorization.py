"""A device without a keyboard asks for a code to show; its person enters it elsewhere (RFC 8628)."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core import details
from innkeeper.issuer.core.agents import at_rest
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.core.scopes import permitted, unknown_scope, unknown_target
from innkeeper.issuer.core.token import DEVICE_CODE, GRANT_NOT_ALLOWED
from innkeeper.issuer.core.waiting import Waiting
from innkeeper.protocol.errors import ACCESS_DENIED, TEMPORARILY_UNAVAILABLE
from innkeeper.protocol.parameters import Parameters, scopes
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check, follow

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that no word comes out, and nothing that looks like something else (§6.1)."""

CODE_LENGTH = 8


class Case(msgspec.Struct, frozen=True):
    ask: Parameters
    client: Client
    policy: Policy


class Entered(msgspec.Struct, frozen=True):
    """A user code as a person typed it. ``waiting`` is what it leads to; ``wait`` seconds left to pause."""

    typed: str
    waiting: Waiting | None
    now: int
    wait: int = 0


def decide(ask: Parameters, client: Client, policy: Policy, now: int) -> Decision[Waiting]:
    """The device's request, to wait for its person. No scope asked means all that the client has."""
    trail = follow("device authorization", CHECKS, Case(ask, client, policy))
    if trail.refusal:
        return Decision(trail.refusal, trail)
    asked, text = permitted(scopes(ask.get("scope")), client, policy), ask.get(details.PARAMETER)
    opened, found = details.reached(text, asked, client.usual, ask.many("resource"), client, policy)
    waiting = Waiting(
        client_id=client.id,
        scopes=opened.scopes,
        audience=opened.audience,
        details=found,
        started_at=now,
        expires_at=now + policy.device_lifetime,
        interval=policy.poll_interval,
    )
    return Decision(waiting, trail)


def find(entered: Entered) -> Decision[Waiting]:
    """The request behind a code that a person typed."""
    trail = follow("device", ENTRY_CHECKS, entered)
    if trail.refusal or entered.waiting is None:
        return Decision(trail.refusal or Refusal(CODE_UNKNOWN, "no request"), trail)
    return Decision(entered.waiting, trail)


def canonical(typed: str) -> str:
    """A user code as it is stored: case, dashes and spaces make no difference (§6.1)."""
    return "".join(one for one in typed.upper() if one in ALPHABET or one.isalnum())


def shown(code: str) -> str:
    """A user code as people read it: ``XXXX-XXXX``."""
    return f"{code[:4]}-{code[4:]}"


@check("RFC 8628 §3.1")
def the_client_may_use_the_grant(case: Case) -> Seen | Refusal:
    """The client is registered for the device grant."""
    allowed = " ".join(sorted(case.client.grants))
    if DEVICE_CODE not in case.client.grants:
        reason = f"client {case.client.id!r} may not use the device grant"
        return Refusal(GRANT_NOT_ALLOWED, reason, allowed, DEVICE_CODE)
    profile = case.policy.profile_for(case.client)
    if not profile.device_grant:
        return Refusal(
            GRANT_NOT_ALLOWED, f"the profile {profile.name} has no device grant", "another grant", DEVICE_CODE
        )
    return Seen(DEVICE_CODE, allowed)


@check("RFC 6749 §5.2")
def an_agent_is_at_work(case: Case) -> Seen | Refusal:
    """An agent that is paused or revoked asks nobody."""
    return at_rest(case.client) or Seen("no agent" if case.client.agent is None else "an active agent")


@check("RFC 6749 §3.3")
def the_scopes_are_the_clients(case: Case) -> Seen | Refusal:
    """Every scope asked for is one the client may have."""
    asked = permitted(scopes(case.ask.get("scope")), case.client, case.policy)
    return unknown_scope(asked, case.client, case.policy) or Seen(" ".join(sorted(asked)) or "all it has")


@check("RFC 8707 §2.1")
def the_resources_are_the_clients(case: Case) -> Seen | Refusal:
    """A resource that is named is registered and has a scope the client may have."""
    sent = case.ask.many("resource")
    return unknown_target(sent, case.client, case.policy) or Seen(" ".join(sent) or "none named")


@check("RFC 9396 §5")
def the_details_are_ones_the_client_may_have(case: Case) -> Seen | Refusal:
    """Authorization details are of types that a resource of the client takes, with the fields that these have."""
    return details.judged(case.ask.get(details.PARAMETER), case.client, case.policy, case.ask.many("resource"))


@check("RFC 8628 §5.1")
def there_were_not_too_many_tries(case: Entered) -> Seen | Refusal:
    """After several codes that lead nowhere, this person pauses, or codes could be found by trying."""
    if case.wait:
        return Refusal(TOO_MANY_CODES, "too many wrong codes", "a pause", f"{case.wait} s to wait")
    return Seen("few tries")


@check("RFC 8628 §3.3")
def the_code_leads_to_a_request(case: Entered) -> Seen | Refusal:
    """A device shows this code and waits; nobody learns whether a code that leads nowhere ever did."""
    if case.waiting is None:
        return Refusal(CODE_UNKNOWN, "no device waits with this code", "a code that a device shows", "another")
    return Seen(case.waiting.client_id)


@check("RFC 8628 §3.3")
def the_request_still_waits(case: Entered) -> Seen | Refusal:
    """The request has not expired and nobody has answered it."""
    waiting = case.waiting
    if waiting is None or waiting.answered:
        return Refusal(CODE_UNKNOWN, "the request was answered already", "waiting", "answered")
    late = case.now - waiting.expires_at
    if late >= 0:
        return Refusal(CODE_UNKNOWN, f"the code expired {late} s ago", "not expired", f"{late} s too late")
    return Seen(f"{-late} s left")


CHECKS = (
    the_client_may_use_the_grant,
    an_agent_is_at_work,
    the_scopes_are_the_clients,
    the_resources_are_the_clients,
    the_details_are_ones_the_client_may_have,
)
ENTRY_CHECKS = (there_were_not_too_many_tries, the_code_leads_to_a_request, the_request_still_waits)

CODE_UNKNOWN = Page(
    "IK160",
    ACCESS_DENIED,
    "No device waits with this code",
    "The code is misspelt, expired, or was used before; the page does not say which.",
    "Compare it with the one on the device, letter by letter. If the device shows a new code, use that.",
    "No device is waiting with this code. Please compare it with the one your device shows.",
    400,
)
TOO_MANY_CODES = Page(
    "IK161",
    TEMPORARILY_UNAVAILABLE,
    "Too many codes that lead nowhere",
    "This person entered several codes in a short time, and no device waits with any of them.",
    "Wait a minute. Other people are not held up by it.",
    "Too many wrong codes. Please wait a minute.",
    429,
)
