"""The client asks that the person be signed out (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import EndSession
from innkeeper.issuer.core.records import Client, Session
from innkeeper.protocol.errors import INVALID_REQUEST
from innkeeper.protocol.redirects import registered_for
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check, follow


class LogoutRequest(msgspec.Struct, frozen=True):
    """``hint`` are the claims of an ID token of ours (expired or not), ``hint_problem`` why there are none."""

    client_id: str = ""
    redirect_uri: str = ""
    state: str = ""
    hint: dict[str, Any] | None = None
    hint_problem: str = ""
    confirmed: bool = False


class SignedOut(msgspec.Struct, frozen=True):
    """The session, if there was one, is over; the browser goes to ``redirect_uri`` where that is set."""

    session: Session | None
    redirect_uri: str | None


class AskFirst(msgspec.Struct, frozen=True):
    """Nothing proves that the client signed this person in: ask the person."""

    client: Client | None


class Case(msgspec.Struct, frozen=True):
    ask: LogoutRequest
    client: Client | None


def decide(
    ask: LogoutRequest, client: Client | None, session: Session | None, now: int
) -> Decision[SignedOut | AskFirst]:
    """Sign out at once where the hint is of this very session or the person confirmed; else ask."""
    trail = follow("logout", CHECKS, Case(ask, client))
    if trail.refusal:
        return Decision(trail.refusal, trail)
    hinted = session is not None and ask.hint is not None and ask.hint.get("sid") == session.id
    if session is not None and not hinted and not ask.confirmed:
        return Decision(AskFirst(client), trail)
    effects = (EndSession(session.id, now),) if session else ()
    return Decision(SignedOut(session, ask.redirect_uri or None), trail, effects)


@check("RP-Initiated Logout §2")
def the_hint_is_an_id_token_of_ours(case: Case) -> Seen | Refusal:
    """An id_token_hint, where sent, carries our signature; that it has expired does no harm."""
    if case.ask.hint_problem:
        return Refusal(LOGOUT_WRONG, "the id_token_hint is not ours", "an ID token cut here", case.ask.hint_problem)
    return Seen("ours" if case.ask.hint else "none sent")


@check("RP-Initiated Logout §2")
def client_and_hint_agree(case: Case) -> Seen | Refusal:
    """A client_id beside a hint is the one the ID token was cut for."""
    audience = (case.ask.hint or {}).get("aud")
    if case.ask.hint and case.ask.client_id and audience != case.ask.client_id:
        return Refusal(LOGOUT_WRONG, "client_id and id_token_hint disagree", str(audience), case.ask.client_id)
    return Seen(case.ask.client_id or str(audience or "none named"))


@check("RP-Initiated Logout §3")
def the_way_back_is_registered(case: Case) -> Seen | Refusal:
    """A post_logout_redirect_uri is registered, to the character, for the client that is named."""
    sent = case.ask.redirect_uri
    if not sent:
        return Seen("none sent")
    if case.client is None:
        return Refusal(WAY_BACK, "no client is named, by client_id or id_token_hint", "a client", "none")
    registered = case.client.post_logout_redirect_uris
    if registered_for(sent, registered, any_loopback_port=case.client.native) is None:
        expected = " or ".join(registered) or "none is registered"
        return Refusal(WAY_BACK, "the post_logout_redirect_uri is not registered", expected, sent)
    return Seen(sent)


CHECKS = (the_hint_is_an_id_token_of_ours, client_and_hint_agree, the_way_back_is_registered)

LOGOUT_WRONG = Page(
    "IK140",
    INVALID_REQUEST,
    "The sign-out request contradicts itself",
    "The id_token_hint was not cut here, or names another client than client_id does.",
    "Send the ID token that this issuer gave you, and the client_id it was given to or none.",
    "The sign-out request is not valid.",
)
WAY_BACK = Page(
    "IK141",
    INVALID_REQUEST,
    "The way back after signing out is not registered",
    "post_logout_redirect_uri is compared character by character with those registered for the client.",
    "Register it: `innkeeper client add --post-logout-redirect-uri`.",
    "The post_logout_redirect_uri is not registered for this client.",
)
