"""A client asks for somebody who is not at its door: they are asked on a device of theirs (OpenID CIBA Core)."""

from __future__ import annotations

import re

import msgspec

from innkeeper.issuer.core import details
from innkeeper.issuer.core.agents import at_rest
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client, Person
from innkeeper.issuer.core.scopes import permitted, unknown_scope, unknown_target
from innkeeper.issuer.core.token import CIBA, GRANT_NOT_ALLOWED
from innkeeper.issuer.core.waiting import Waiting
from innkeeper.protocol.errors import (
    ACCESS_DENIED,
    INVALID_BINDING_MESSAGE,
    INVALID_REQUEST,
    INVALID_SCOPE,
    TEMPORARILY_UNAVAILABLE,
    UNKNOWN_USER_ID,
)
from innkeeper.protocol.parameters import Parameters, scopes
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, Trail, check, follow

POLL, PING = "poll", "ping"
MODES = (POLL, PING)

HINTS = ("login_hint", "id_token_hint", "login_hint_token")
LONGEST_MESSAGE = 100
"""Characters of a binding message: it stands on a small screen and is compared by eye."""

_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it waits for its person, ``sub``. ``sealed`` is what the client is told with, in ping mode. ``acting``
    are the agents that come to act by a token exchange, the one who asks first; such a request gives no tokens by itself."""

    sub: str
    binding_message: str
    waiting: Waiting
    sealed: bytes = b""
    acting: tuple[str, ...] = ()


class Facts(msgspec.Struct, frozen=True):
    """What the desk found: whom the hint names, or why it is no good, and how many of the client's requests wait
    for that person already."""

    person: Person | None = None
    hint_problem: str = ""
    waiting: int = 0


class Case(msgspec.Struct, frozen=True):
    ask: Parameters
    client: Client
    facts: Facts
    policy: Policy


class Told(msgspec.Struct, frozen=True):
    """How telling the client went; ``problem`` is empty where it was told."""

    endpoint: str
    problem: str


def told(case: Told) -> Trail:
    """The trail of telling a client that its answer is there."""
    return follow("ping", PING_CHECKS, case)


def decide(ask: Parameters, client: Client, facts: Facts, policy: Policy, now: int) -> Decision[Asked]:
    """The request, to wait for its person."""
    trail = follow("backchannel", CHECKS, Case(ask, client, facts, policy))
    if trail.refusal or facts.person is None:
        return Decision(trail.refusal or Refusal(PERSON_UNKNOWN, "nobody"), trail)
    wished = permitted(scopes(ask.get("scope")), client, policy)
    text, resources = ask.get(details.PARAMETER), ask.many("resource")
    opened, found = details.reached(text, wished, frozenset(), resources, client, policy)
    lifetime = min(int(ask.get("requested_expiry", policy.backchannel_lifetime)), policy.backchannel_longest)
    waiting = Waiting(
        client_id=client.id,
        scopes=opened.scopes,
        audience=opened.audience,
        details=found,
        started_at=now,
        expires_at=now + lifetime,
        interval=policy.poll_interval,
    )
    asked = Asked(sub=facts.person.sub, binding_message=ask.get("binding_message", ""), waiting=waiting)
    return Decision(asked, trail)


@check("CIBA §4")
def the_client_may_use_the_grant(case: Case) -> Seen | Refusal:
    """The client is registered for the grant and proved who it is."""
    allowed = " ".join(sorted(case.client.grants))
    if CIBA not in case.client.grants:
        return Refusal(GRANT_NOT_ALLOWED, f"client {case.client.id!r} may not use the grant", allowed, CIBA)
    if case.client.public:
        return Refusal(
            GRANT_NOT_ALLOWED, "a public client cannot prove itself", "a confidential client", "a public one"
        )
    return Seen(CIBA, allowed)


@check("CIBA §7.1")
def a_sign_in_is_asked_for(case: Case) -> Seen | Refusal:
    """The scope holds openid: what is asked for is that a person signs in."""
    asked = scopes(case.ask.get("scope"))
    if "openid" not in asked:
        return Refusal(NO_OPENID, "the scope lacks openid", "openid", " ".join(sorted(asked)) or "no scope")
    return Seen(" ".join(sorted(asked)), "openid")


@check("RFC 6749 §5.2")
def an_agent_is_at_work(case: Case) -> Seen | Refusal:
    """An agent that is paused or revoked asks nobody."""
    return at_rest(case.client) or Seen("no agent" if case.client.agent is None else "an active agent")


@check("RFC 6749 §3.3")
def the_scopes_are_the_clients(case: Case) -> Seen | Refusal:
    """Every scope asked for is one the client may have."""
    asked = permitted(scopes(case.ask.get("scope")), case.client, case.policy)
    return unknown_scope(asked, case.client, case.policy) or Seen(" ".join(sorted(asked)))


@check("RFC 8707 §2.1")
def the_resources_are_the_clients(case: Case) -> Seen | Refusal:
    """A resource that is named is registered and has a scope the client may have."""
    sent = case.ask.many("resource")
    return unknown_target(sent, case.client, case.policy) or Seen(" ".join(sent) or "none named")


@check("RFC 9396 §5")
def the_details_are_ones_the_client_may_have(case: Case) -> Seen | Refusal:
    """Authorization details are of types that a resource of the client takes, with the fields that these have."""
    return details.judged(case.ask.get(details.PARAMETER), case.client, case.policy, case.ask.many("resource"))


@check("CIBA §7.1")
def one_hint_says_who_is_meant(case: Case) -> Seen | Refusal:
    """Exactly one hint names the person: a user name, or an ID token that the client was given."""
    sent = [name for name in HINTS if name in case.ask]
    if len(sent) != 1:
        return Refusal(REQUEST_WRONG, "not exactly one hint was sent", "login_hint or id_token_hint", ", ".join(sent))
    if sent[0] == "login_hint_token":
        return Refusal(REQUEST_WRONG, "login_hint_token is not taken here", "login_hint or id_token_hint", sent[0])
    if case.facts.hint_problem:
        return Refusal(REQUEST_WRONG, "the id_token_hint is no good", "an ID token of yours", case.facts.hint_problem)
    return Seen(sent[0])


@check("CIBA §7.1")
def the_binding_message_can_be_shown(case: Case) -> Seen | Refusal:
    """The message is short, has nothing in it that a screen would hide or turn around, and is there where it must be."""
    message = case.ask.get("binding_message", "")
    if not message and case.policy.profile_for(case.client).binding_message:
        return Refusal(REQUEST_WRONG, "no binding_message came, and the profile asks for one", "a message", "none")
    if len(message) > LONGEST_MESSAGE or not message.isprintable():
        reason = "the message is too long, or has characters that cannot be seen"
        return Refusal(MESSAGE_STRANGE, reason, f"at most {LONGEST_MESSAGE} that can", f"{len(message)} characters")
    return Seen(message or "none")


@check("CIBA §7.1")
def the_expiry_asked_for_is_a_time(case: Case) -> Seen | Refusal:
    """A requested_expiry is a whole number of seconds, at least one."""
    sent = case.ask.get("requested_expiry", "1")
    if not (sent.isascii() and sent.isdigit() and len(sent) < 10 and int(sent) > 0):
        return Refusal(REQUEST_WRONG, "requested_expiry is no number of seconds", "a positive number", sent[:20])
    return Seen(sent)


@check("CIBA §7.1")
def the_client_can_be_told(case: Case) -> Seen | Refusal:
    """A client that wants to be told sends the token that we shall show it, and has registered where."""
    if case.client.backchannel_token_delivery_mode != PING:
        return Seen("the client asks by itself")
    sent = case.ask.get("client_notification_token", "")
    if not case.client.backchannel_client_notification_endpoint:
        return Refusal(REQUEST_WRONG, "the client registered nowhere to be told", "an endpoint", "none")
    if not 22 <= len(sent) <= 1024 or not _BEARER.fullmatch(sent):
        expected = "22 to 1024 characters of a bearer token"
        return Refusal(REQUEST_WRONG, "client_notification_token is missing or too easy", expected, f"{len(sent)}")
    return Seen(f"{len(sent)} characters")


@check("CIBA §13")
def the_person_is_known(case: Case) -> Seen | Refusal:
    """The hint names somebody with an account here."""
    if case.facts.person is None or case.facts.person.disabled:
        return Refusal(PERSON_UNKNOWN, "the hint names nobody here", "a person with an account", "nobody")
    return Seen(case.facts.person.sub)


@check("CIBA §13")
def the_person_is_not_pestered(case: Case) -> Seen | Refusal:
    """Only a few requests of one client wait for one person: somebody asked too often says yes to be left alone."""
    most, found = case.policy.backchannel_most, case.facts.waiting
    if found >= most:
        return Refusal(PESTERED, f"{found} requests of this client wait already", f"fewer than {most}", str(found))
    return Seen(f"{found} waiting")


@check("CIBA §10.2")
def the_client_was_told(case: Told) -> Seen | Refusal:
    """The client's endpoint took the news, with 200 or 204."""
    if case.problem:
        return Refusal(NOT_TOLD, "the client's endpoint did not take the news", "200 or 204", case.problem)
    return Seen(case.endpoint)


PING_CHECKS = (the_client_was_told,)
CHECKS = (
    the_client_may_use_the_grant,
    an_agent_is_at_work,
    a_sign_in_is_asked_for,
    the_scopes_are_the_clients,
    the_resources_are_the_clients,
    the_details_are_ones_the_client_may_have,
    one_hint_says_who_is_meant,
    the_binding_message_can_be_shown,
    the_expiry_asked_for_is_a_time,
    the_client_can_be_told,
    the_person_is_known,
    the_person_is_not_pestered,
)

REQUEST_WRONG = Page(
    "IK290",
    INVALID_REQUEST,
    "The backchannel request is not well formed",
    "Not exactly one hint was sent, the hint is no good, requested_expiry is no number, a binding message is missing "
    "that the profile asks for, or a client in ping mode sent no client_notification_token.",
    "Send scope, one of login_hint and id_token_hint, and for ping a token of 22 characters or more.",
    "The backchannel authentication request is not valid.",
)
NO_OPENID = Page(
    "IK291",
    INVALID_SCOPE,
    "A backchannel request without openid",
    "Backchannel authentication asks a person to sign in, which is what the scope openid says.",
    "Add openid to the scope.",
    "The scope openid is needed.",
)
MESSAGE_STRANGE = Page(
    "IK292",
    INVALID_BINDING_MESSAGE,
    "The binding message cannot be shown",
    "People compare the message on two screens, so it is short and holds only what can be seen.",
    "Send at most 100 printable characters: a few letters and digits serve best.",
    "The binding message is too long or has characters that cannot be shown.",
)
PERSON_UNKNOWN = Page(
    "IK293",
    UNKNOWN_USER_ID,
    "The hint names nobody here",
    "No account has the user name in login_hint, or the person of the id_token_hint is gone or disabled.",
    "Send the name that the person signs in with.",
    "The hint does not name a known person.",
)
PESTERED = Page(
    "IK294",
    ACCESS_DENIED,
    "Too many requests wait for this person",
    "Several requests of this client wait for the same person, who has not answered them.",
    "Wait until they are answered or have expired.",
    "Too many requests are waiting for this person.",
    403,
)
NOT_TOLD = Page(
    "IK295",
    TEMPORARILY_UNAVAILABLE,
    "The client could not be told that its answer is there",
    "The client's notification endpoint did not answer with 200 or 204, or could not be reached. The answer stands: "
    "the client learns of it when it asks.",
    "Look at backchannel_client_notification_endpoint: https, a public address, and quick to answer.",
    "The client could not be notified.",
    502,
)
