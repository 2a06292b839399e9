"""This issuer vouches for one of its people at another authorization server (draft-ietf-oauth-identity-assertion-authz-grant).

Leg one of enterprise-managed authorization: an agent that a person signed in to exchanges their ID token for an assertion,
bound to that server, the agent's client there and one resource. Redeeming one is ``core.grants.jwt_bearer``'s work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import AssertionTarget, Client
from innkeeper.issuer.core.token import Issue, TokenRequest
from innkeeper.protocol.errors import INVALID_REQUEST, INVALID_SCOPE, INVALID_TARGET, UNAUTHORIZED_CLIENT
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.resources import registered_spelling
from innkeeper.tokens.trail import Check, Seen, check, follow

ID_JAG = "urn:ietf:params:oauth:token-type:id-jag"
TYPE = "oauth-id-jag+jwt"
"""The header ``typ`` of an identity assertion."""

ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
_TOLD = ("auth_time", "acr", "amr", "email")
"""What the ID token says of the sign-in that the other server may want to know."""


class Case(msgspec.Struct, frozen=True):
    """A request for an assertion. ``claims`` are the ID token's, None where it is none of ours that is good; ``subject`` is its
    person, ``gone`` that they have no account any more. ``audience`` are the servers named."""

    ask: TokenRequest
    client: Client
    policy: Policy
    claims: Mapping[str, Any] | None = None
    subject: str = ""
    gone: bool = False
    audience: tuple[str, ...] = ()

    @property
    def target(self) -> AssertionTarget | None:
        """The server that the assertion is for."""
        return self.policy.assertion_targets.get(self.audience[0]) if len(self.audience) == 1 else None

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes asked for as far as the target's allow; all of these where none are."""
        most = self.target.scopes if self.target else frozenset[str]()
        return self.ask.scopes & most if self.ask.scopes else most


def decide(case: Case) -> Decision[Issue]:
    """An assertion in the place of an access token."""
    trail = follow("vouching", CHECKS, case)
    if trail.refusal or case.target is None:
        return Decision(trail.refusal or Refusal(NO_TARGET, "no target"), trail)
    issue = Issue(
        client=case.client,
        subject=case.subject,
        scopes=case.scopes,
        audience=(case.target.issuer,),
        lifetime=case.target.lifetime,
        issued_type=ID_JAG,
        assertion=_claims(case, case.target),
    )
    return Decision(issue, trail)


def _claims(case: Case, target: AssertionTarget) -> dict[str, Any]:
    """What the assertion says, but for its times and its id."""
    resources = [registered_spelling(one, target.resources) for one in case.ask.resources]
    said = {name: value for name, value in (case.claims or {}).items() if name in _TOLD}
    return {
        "iss": case.policy.issuer,
        "sub": (case.claims or {}).get("sub", case.subject),
        "aud": target.issuer,
        "client_id": target.clients[case.client.id],
        "resource": resources[0] if len(resources) == 1 else resources,
        "scope": " ".join(sorted(case.scopes)),
        **said,
    }


@check("RFC 8693 §2.1")
def the_subject_is_an_id_token_of_ours(case: Case) -> Seen | Refusal:
    """People are vouched for on the word of an ID token that was cut here and is still good."""
    sent = case.ask.sent.get("subject_token_type", "")
    if sent != ID_TOKEN:
        return Refusal(NOT_VOUCHED, "the subject token is of another type", ID_TOKEN, sent)
    if case.claims is None:
        return Refusal(NOT_VOUCHED, "the ID token is none of ours, or has expired", "a good ID token", "none")
    return Seen(case.subject)


@check("draft-ietf-oauth-identity-assertion-authz-grant §4.3")
def the_id_token_is_the_clients(case: Case) -> Seen | Refusal:
    """It was cut for the client that shows it, and for nobody besides."""
    found = (case.claims or {}).get("aud")
    if found not in (case.client.id, [case.client.id]):
        return Refusal(NOT_VOUCHED, "the ID token was cut for another client", case.client.id, repr(found))
    return Seen(case.client.id)


@check("RFC 8693 §5")
def the_person_is_still_here(case: Case) -> Seen | Refusal:
    """Nobody is vouched for who has no account any more, and nobody acts behind the request."""
    if case.gone:
        return Refusal(NOT_VOUCHED, "the person is gone or disabled", "an account", "none")
    if "actor_token" in case.ask.sent:
        return Refusal(NOT_VOUCHED, "an actor token was sent", "no actor", "actor_token")
    return Seen(case.subject)


@check("draft-ietf-oauth-identity-assertion-authz-grant §4.3")
def the_server_is_one_we_vouch_to(case: Case) -> Seen | Refusal:
    """``audience`` is one authorization server that the operator listed."""
    known = " or ".join(case.policy.assertion_targets) or "none: no [[assertion_target]] is set"
    if case.target is None:
        return Refusal(
            NO_TARGET, "audience is not one server that we vouch to", known, " ".join(case.audience) or "none"
        )
    return Seen(case.target.issuer)


@check("draft-ietf-oauth-identity-assertion-authz-grant §4.3")
def the_client_is_known_there(case: Case) -> Seen | Refusal:
    """The operator says which client of that server this one is; a client that cannot prove itself is none."""
    known = case.target.clients if case.target else {}
    if case.client.id not in known or case.client.public:
        found = "a public client" if case.client.public else case.client.id
        return Refusal(NOT_MAPPED, "the client is not mapped to one there", " or ".join(known), found)
    return Seen(known[case.client.id])


@check("draft-ietf-oauth-identity-assertion-authz-grant §4.3")
def the_person_may_go_there(case: Case) -> Seen | Refusal:
    """Where the operator says for whom the server is, it is for this person."""
    people = case.target.people if case.target else frozenset[str]()
    if people and case.subject not in people:
        return Refusal(NOT_VOUCHED, "the server is not for this person", "one of its people", case.subject)
    return Seen(case.subject)


@check("RFC 8707 §2.2")
def the_resource_is_behind_that_server(case: Case) -> Seen | Refusal:
    """``resource`` names at least one of its APIs, and nothing else, so that the assertion opens no other."""
    there = case.target.resources if case.target else ()
    sent = case.ask.resources
    strange = next((one for one in sent if registered_spelling(one, there) is None), None)
    if strange is not None or not sent:
        return Refusal(NOT_THERE, "resource is none of that server's", " or ".join(there), strange or "none")
    return Seen(" ".join(sent))


@check("RFC 6749 §3.3")
def some_scope_is_left(case: Case) -> Seen | Refusal:
    """Scopes are cut to what the operator allows there; one at least is left."""
    if not case.scopes:
        most = " ".join(sorted(case.target.scopes)) if case.target else ""
        return Refusal(NOTHING_LEFT, "none of the scopes is allowed there", most, " ".join(sorted(case.ask.scopes)))
    return Seen(" ".join(sorted(case.scopes)))


CHECKS: tuple[Check[Case], ...] = (
    the_subject_is_an_id_token_of_ours,
    the_id_token_is_the_clients,
    the_person_is_still_here,
    the_server_is_one_we_vouch_to,
    the_client_is_known_there,
    the_person_may_go_there,
    the_resource_is_behind_that_server,
    some_scope_is_left,
)

NOT_VOUCHED = Page(
    "IK1400",
    INVALID_REQUEST,
    "Nobody is vouched for on this token",
    "An identity assertion is cut for the person of an ID token that this issuer cut for the very client that asks, that has not "
    "expired, and whose person still has an account and may use the server.",
    "Sign the person in anew with scope openid, and send the ID token with its type.",
    "The subject token is not valid for this.",
)
NO_TARGET = Page(
    "IK1401",
    INVALID_TARGET,
    "This issuer does not vouch to that server",
    "audience is missing, is several, or is no authorization server that the operator listed.",
    "List it as [[assertion_target]] with its issuer to the character, and send that as audience.",
    "The audience is unknown.",
)
NOT_MAPPED = Page(
    "IK1402",
    UNAUTHORIZED_CLIENT,
    "The client is not known at that server",
    "An assertion names the client as the other server knows it, and the operator has said nothing of this one; or the "
    "client cannot prove who it is.",
    "Add the client to [assertion_target.clients], with its id at that server.",
    "The client is not allowed to ask for this.",
)
NOT_THERE = Page(
    "IK1403",
    INVALID_TARGET,
    "The resource is not behind that server",
    "resource is missing, or names an API that the operator did not list for the server in audience.",
    "Send the API's identifier as its metadata spell it, or add it to the resources of [[assertion_target]].",
    "The resource is unknown.",
)
NOTHING_LEFT = Page(
    "IK1404",
    INVALID_SCOPE,
    "No scope is left for that server",
    "None of the scopes asked for is among those that the operator allows there.",
    "Ask for one of the scopes of [[assertion_target]], or for none to get them all.",
    "The requested scope is not allowed there.",
)
