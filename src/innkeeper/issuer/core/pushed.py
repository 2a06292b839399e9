"""Pushed authorization requests: the client hands the request in directly, the browser carries a reference (RFC 9126)."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.authorization_request import REQUEST_OBJECT, Authorization
from innkeeper.issuer.core.authorize import Turned, examine
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.delivery import Delivery
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client
from innkeeper.protocol.errors import INVALID_REQUEST
from innkeeper.protocol.parameters import Parameters
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check, follow

URN = "urn:ietf:params:oauth:request_uri:"


class Pushed(msgspec.Struct, frozen=True):
    """The request was found good and is kept for its client for a short while."""

    authorization: Authorization


class Case(msgspec.Struct, frozen=True):
    sent: Parameters
    ask: Parameters
    client: Client
    delivery: Delivery


def decide(sent: Parameters, ask: Parameters, client: Client, delivery: Delivery, policy: Policy) -> Decision[Pushed]:
    """The request judged as /authorize would (§2.1). ``sent`` is the form, ``ask`` the request it comes to."""
    trail = follow("pushed request", CHECKS, Case(sent, ask, client, delivery))
    if trail.refusal:
        return Decision(trail.refusal, trail)
    examined = examine(ask, client, policy, delivery)
    trail = trail.then(examined.trail)
    if isinstance(examined.outcome, Turned):
        return Decision(examined.outcome.refusal, trail)
    if isinstance(examined.outcome, Refusal):
        return Decision(examined.outcome, trail)
    return Decision(Pushed(examined.outcome), trail)


@check("RFC 9126 §2.1")
def no_reference_is_pushed(case: Case) -> Seen | Refusal:
    """What is pushed is a request, not a reference to one."""
    if "request_uri" in case.sent:
        return Refusal(REFERENCE_PUSHED, "request_uri was pushed", "a request", "a reference")
    return Seen("a request")


@check("RFC 9126 §3")
def the_object_is_good(case: Case) -> Seen | Refusal:
    """A request that is pushed in an object is signed by the client; nothing beside the object stands in for it."""
    if case.delivery.object_problem:
        return Refusal(REQUEST_OBJECT, case.delivery.object_problem, "a request object signed by the client", "another")
    return Seen("signed by the client" if case.delivery.signed else "plain parameters")


@check("RFC 9126 §2.1")
def the_request_is_the_callers(case: Case) -> Seen | Refusal:
    """The client that pushes the request is the one it names."""
    named = case.ask.get("client_id")
    if named is not None and named != case.client.id:
        return Refusal(REFERENCE_PUSHED, "the request names another client", case.client.id, named)
    return Seen(case.client.id)


CHECKS = (no_reference_is_pushed, the_object_is_good, the_request_is_the_callers)

REFERENCE_PUSHED = Page(
    "IK151",
    INVALID_REQUEST,
    "What was pushed is not a request of this client",
    "The pushed form holds request_uri, or names another client than the one that authenticated.",
    "Push the parameters of the authorization request themselves, with the client's own client_id.",
    "The pushed request is not valid.",
)
