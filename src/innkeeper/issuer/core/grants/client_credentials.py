"""A client asks for itself, with nobody behind it (RFC 6749 §4.4)."""

from __future__ import annotations

from innkeeper.issuer.core import details
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.policy import OPENID_SCOPES, Policy
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.core.scopes import nothing_there, permitted, reach, unknown_scope, unknown_target
from innkeeper.issuer.core.token import Issue, TokenRequest
from innkeeper.protocol.errors import INVALID_SCOPE
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.values import Value
from innkeeper.tokens.trail import Seen, check, follow


class Case(Value, frozen=True, gc=False):
    ask: TokenRequest
    client: Client
    policy: Policy
    scopes: frozenset[str]


def decide(ask: TokenRequest, client: Client, policy: Policy) -> Decision[Issue]:
    """An access token for the client itself; no refresh token (§4.4.3). No scope asked means all it has."""
    asked = permitted(ask.scopes, client, policy)
    usual, text = client.scopes.difference(OPENID_SCOPES), ask.sent.get(details.PARAMETER)
    scopes = asked if asked or text else usual
    trail = follow("client credentials", CHECKS, Case(ask, client, policy, scopes))
    if trail.refusal:
        return Decision(trail.refusal, trail)
    opened, found = details.reached(text, asked, usual, ask.resources, client, policy)
    issue = Issue(
        client=client,
        subject=client.id,
        scopes=opened.scopes,
        audience=opened.audience,
        confirmation=ask.confirmation,
        details=found,
    )
    return Decision(issue, trail)


@check("RFC 6749 §4.4.2")
def the_scopes_are_the_clients(case: Case) -> Seen | Refusal:
    """Every scope asked for is one the client may have."""
    refusal = unknown_scope(case.scopes, case.client, case.policy)
    return refusal or Seen(case.scopes)


@check("OpenID Connect Core §3.1.2.1")
def no_person_is_asked_about(case: Case) -> Seen | Refusal:
    """Scopes that speak of a person make no sense where nobody signed in."""
    if not case.scopes.isdisjoint(OPENID_SCOPES):
        personal = case.scopes.intersection(OPENID_SCOPES)
        return Refusal(NOBODY_SIGNED_IN, "nobody has signed in", "scopes of an API", " ".join(sorted(personal)))
    return Seen("scopes of an API only")


@check("RFC 8707 §2.2")
def the_resource_is_one_for_the_client(case: Case) -> Seen | Refusal:
    """A resource that is named is registered and has a scope the client may have."""
    refusal = unknown_target(case.ask.resources, case.client, case.policy)
    if refusal is None and case.ask.resources:
        opened = reach(case.scopes, case.ask.resources, case.client, case.policy)
        refusal = nothing_there(case.ask.scopes, case.ask.resources, opened)
    return refusal or Seen(case.ask.resources or "none named")


@check("RFC 9396 §5")
def the_details_are_ones_the_client_may_have_by_itself(case: Case) -> Seen | Refusal:
    """Authorization details are of types that the client is registered for by name: nobody is asked about them."""
    sent, client = case.ask.sent.get(details.PARAMETER), case.client
    if sent is None:
        return Seen("none")
    if not client.authorization_details_types:
        reason = "the client is registered for no authorization details of its own"
        return Refusal(details.DETAILS_WRONG, reason, "authorization_details_types", "none")
    return details.judged(sent, client, case.policy, case.ask.resources)


CHECKS = (
    the_scopes_are_the_clients,
    no_person_is_asked_about,
    the_resource_is_one_for_the_client,
    the_details_are_ones_the_client_may_have_by_itself,
)

NOBODY_SIGNED_IN = Page(
    "IK226",
    INVALID_SCOPE,
    "A scope about a person, but nobody signed in",
    "Client credentials are for a program on its own behalf; openid, profile and offline_access need a person.",
    "Leave these scopes out, or use the authorization code grant.",
    "The requested scope needs a person to sign in.",
)
