"""Who may administer: the token or the session that asks, the permission that it needs, how fresh the sign-in has to be."""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core import assurance
from innkeeper.issuer.core.account import RECENT
from innkeeper.issuer.core.admin.permissions import PERMISSIONS, ROLES
from innkeeper.issuer.core.introspect import Found, not_alive
from innkeeper.issuer.core.mutual_tls import not_the_holder
from innkeeper.issuer.core.records import Client, Person
from innkeeper.keys.certificates import Certificate
from innkeeper.protocol.errors import ACCESS_DENIED, INSUFFICIENT_SCOPE, INVALID_TOKEN
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check

INSUFFICIENT_AUTHENTICATION = "insufficient_user_authentication"


class Arrival(msgspec.Struct, frozen=True):
    """A call of the admin API: its token, what that turned out to be, whom it stands for. ``sub`` is the person's, "" for
    a program's own token."""

    token: str
    found: Found
    audience: str
    now: int
    sub: str = ""
    person: Person | None = None
    client: Client | None = None
    certificate: Certificate | None = None

    @property
    def claims(self) -> dict[str, Any]:
        return self.found.claims or {}


class Wish(msgspec.Struct, frozen=True):
    """Somebody wants to do what needs the permission ``needs``.

    ``who`` is them in words; ``scopes`` what their token was cut for, ``held`` what they may do by their roles, or by
    their registration where they are a program. ``signed_in_at`` None stands for a program; ``factors`` are what the
    person has beside the password.
    """

    needs: str
    writes: bool
    who: str
    scopes: frozenset[str]
    held: frozenset[str]
    now: int
    signed_in_at: int | None = None
    acr: str = ""
    factors: frozenset[str] = frozenset()


@check("RFC 6750 §2.1")
def a_token_came(call: Arrival) -> Seen | Refusal:
    """The request carries an access token."""
    if not call.token:
        return Refusal(NO_TOKEN, "no access token came", "Authorization: Bearer …", "nothing")
    return Seen("a token")


@check("RFC 6750 §3.1")
def the_token_is_of_this_issuer_and_alive(call: Arrival) -> Seen | Refusal:
    """The token was cut by this very issuer, has not expired, neither it nor its grant was revoked, and no agent behind it stopped."""
    return not_alive(call.found, call.now, TOKEN_REFUSED) or Seen(f"{call.claims['exp'] - call.now} s left")


@check("RFC 8705 §3")
def the_certificate_is_the_one_it_is_bound_to(call: Arrival) -> Seen | Refusal:
    """A token that is bound to a TLS certificate comes over a connection made with it."""
    return not_the_holder(call.claims.get("cnf") or {}, call.certificate) or Seen("the holder's, or not bound")


@check("RFC 9068 §4")
def the_token_is_for_administration(call: Arrival) -> Seen | Refusal:
    """The token's audience is the admin API; a token for another API opens that one only."""
    audience = call.claims.get("aud", ())
    named = (audience,) if isinstance(audience, str) else tuple(audience)
    if call.audience not in named:
        hint = f"Ask for a token with resource={call.audience}."
        return Refusal(TOKEN_REFUSED, "the token is for another resource", call.audience, " ".join(named), hint)
    return Seen(call.audience)


@check("RFC 9700 §2.3")
def whoever_it_stands_for_is_still_here(call: Arrival) -> Seen | Refusal:
    """The client is registered, and where the token stands for a person, their account is there and open."""
    if call.client is None:
        return Refusal(TOKEN_REFUSED, "the client is no longer registered", "a client", "none")
    if call.sub and (call.person is None or call.person.disabled):
        return Refusal(TOKEN_REFUSED, "the person is gone or locked", "an open account", "none")
    return Seen(call.sub or call.client.id)


ARRIVAL_CHECKS = (
    a_token_came,
    the_token_is_of_this_issuer_and_alive,
    the_certificate_is_the_one_it_is_bound_to,
    the_token_is_for_administration,
    whoever_it_stands_for_is_still_here,
)


@check("RFC 6750 §3.1")
def the_token_has_the_scope(wish: Wish) -> Seen | Refusal:
    """The token was cut for the permission that the call needs."""
    if wish.needs and wish.needs not in wish.scopes:
        return Refusal(SCOPE_MISSING, f"the token lacks {wish.needs}", wish.needs, _words(wish.scopes))
    return Seen(wish.needs or "none needed")


@check("RFC 9700 §2.3")
def they_may_do_it_by_their_role(wish: Wish) -> Seen | Refusal:
    """A person may do what their roles allow, a program what it is registered for, whatever a token says."""
    if wish.needs and wish.needs not in wish.held:
        able = ", ".join(name for name, role in ROLES.items() if wish.needs in role.permissions)
        hint = f"Have somebody with the role {able} do it, or ask for the role: `innkeeper admin grant`."
        says = PERMISSIONS.get(wish.needs, wish.needs)
        return Refusal(ROLE_MISSING, f"{wish.who} may not do this: {says}", wish.needs, _words(wish.held), hint)
    return Seen(wish.needs or "none needed")


@check("RFC 9470 §3")
def whoever_changes_something_signed_in_just_now(wish: Wish) -> Seen | Refusal:
    """A change is made only soon after signing in, so that a browser left open changes nothing."""
    if not wish.writes or wish.signed_in_at is None:
        return Seen("nothing changes" if not wish.writes else "a program")
    age = wish.now - wish.signed_in_at
    if age > RECENT:
        return Refusal(SIGN_IN_AGAIN, "the sign-in is too old for a change", f"at most {RECENT} s", f"{age} s")
    return Seen(f"{age} s ago")


@check("RFC 9470 §3")
def whoever_changes_something_used_their_second_factor(wish: Wish) -> Seen | Refusal:
    """Where the person has a second factor, a change needs a sign-in with it."""
    if not wish.writes or wish.signed_in_at is None or not wish.factors:
        return Seen("none needed")
    if not assurance.meets(wish.acr, assurance.MFA):
        return Refusal(SIGN_IN_AGAIN, "the sign-in was by password alone", assurance.MFA, wish.acr)
    return Seen(wish.acr)


RIGHTS_CHECKS = (
    the_token_has_the_scope,
    they_may_do_it_by_their_role,
    whoever_changes_something_signed_in_just_now,
    whoever_changes_something_used_their_second_factor,
)


def _words(names: frozenset[str]) -> str:
    return " ".join(sorted(names)) or "none"


NO_TOKEN = Page(
    "IK1600",
    "",
    "No access token came to the admin API",
    "The request has no Authorization header with an access token.",
    "Send Authorization: Bearer and a token that was cut for the admin API.",
    "",
    401,
)
TOKEN_REFUSED = Page(
    "IK1601",
    INVALID_TOKEN,
    "The access token does not open the admin API",
    "It expired, was revoked, was cut by another issuer or realm or for another resource, or whoever it stands for is gone.",
    "Get a new token with the address of the admin API as its resource.",
    "The access token is expired, revoked or not meant for administration.",
    401,
)
SCOPE_MISSING = Page(
    "IK1602",
    INSUFFICIENT_SCOPE,
    "The access token lacks the scope for this",
    "Each part of the admin API has a scope of its own for reading and one for changing.",
    "Ask for a token with the scope that is named; the client has to be registered for it.",
    "The access token lacks a scope that this needs.",
    403,
)
ROLE_MISSING = Page(
    "IK1603",
    ACCESS_DENIED,
    "No role allows this",
    "A person administers by the roles they have, and a program by the scopes it is registered for now; neither has this one.",
    "Give the role: `innkeeper admin grant NAME --role ROLE`, or have somebody do it who may.",
    "You may not do this.",
    403,
)
SIGN_IN_AGAIN = Page(
    "IK1604",
    INSUFFICIENT_AUTHENTICATION,
    "Sign in again to change something",
    "Changes are made within ten minutes after signing in, and with the second factor where the person has one.",
    "Sign in again, with max_age or acr_values where a program asks; then make the change.",
    "A more recent or a stronger sign-in is needed.",
    401,
)
