"""The authorization endpoint at work: examine the request, see how far its person is, cut the code."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from innkeeper.issuer.core import authorization_request, signed_response
from innkeeper.issuer.core import authorize as core
from innkeeper.issuer.core.admission import wished
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.delivery import Delivery
from innkeeper.issuer.core.effects import DropEntry, Effect, Lost
from innkeeper.issuer.core.records import Client, Consent, Session
from innkeeper.issuer.core.responses import CODE
from innkeeper.issuer.core.wrapping import of_response
from innkeeper.issuer.desk.agents import let_act
from innkeeper.issuer.desk.factors import factors_of
from innkeeper.issuer.desk.front import in_front
from innkeeper.issuer.desk.hints import read_hint
from innkeeper.issuer.desk.leaving import note_client
from innkeeper.issuer.desk.matter import concerns
from innkeeper.issuer.desk.open_sessions import note_use
from innkeeper.issuer.desk.realm import Realm, digest, random_id, random_value
from innkeeper.issuer.desk.requests import PUSHED
from innkeeper.issuer.desk.subjects import behind
from innkeeper.issuer.desk.tickets import Ticket
from innkeeper.issuer.desk.wrapping import wrap
from innkeeper.keys.ring import NotOurs
from innkeeper.protocol.parameters import Malformed, Parameters
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Trail


class Answer(msgspec.Struct, frozen=True):
    """What came of it. ``code`` is set where ``outcome`` is ``GiveCode`` and has one, ``front`` what the response has
    besides; ``trail`` is for development pages."""

    outcome: core.Outcome | Refusal
    trail: Trail
    client: Client | None = None
    session: Session | None = None
    code: str = ""
    front: Sequence[tuple[str, str]] = ()


async def authorize(realm: Realm, ticket: Ticket, cookie: str | None, *, give: bool = True) -> Answer:
    """Answer an authorization request, new or waiting. Committed before it is answered.

    Where ``give`` is false nothing is given or remembered: for a page that asks what is left to do.
    """
    ask = ticket.parameters()
    client, delivery = await _sought(realm, ask, ticket.delivery)
    concerns(realm.name, client=client.id if client else "")
    looked_at = core.examine(ask, client, realm.policy, delivery)
    if not isinstance(looked_at.outcome, authorization_request.Authorization):
        realm.observe(looked_at.trail)
        return Answer(looked_at.outcome, looked_at.trail, client)
    wanted = looked_at.outcome
    session = await realm.session(cookie)
    concerns(realm.name, subject=session.sub if session else "")
    consent = await _consent(realm, session, wanted.client)
    code = random_value()
    fresh = core.Fresh(digest(code), random_id(), random_id())
    progress = ticket.progress(session.id if session else None)
    hinted = await _hinted(realm, wanted)
    factors = await _factors(realm, wanted, session)
    decision = core.admit(wanted, progress, session, consent, fresh, realm.policy, realm.now(), hinted, factors)
    trail = looked_at.trail.then(decision.trail)
    if not give:
        return Answer(decision.outcome, trail, client, session)
    try:
        await realm.store.commit((*decision.effects, *_used_up(ticket, decision.outcome)))
    except Lost:
        used = Delivery(reference_problem="the request was used already")
        return await authorize(realm, msgspec.structs.replace(ticket, delivery=used, pushed=None), cookie)
    realm.observe(trail)
    if session is not None:
        await note_use(realm, session)
    if session is not None and isinstance(decision.outcome, core.GiveCode) and "openid" in wanted.reach.scopes:
        await note_client(realm, session, wanted.client)
    if not isinstance(decision.outcome, core.GiveCode) or decision.outcome.front is None:
        return Answer(decision.outcome, trail, client, session, code)
    given = code if CODE in wanted.response_type else ""
    front = await in_front(realm, decision.outcome.front, wanted.response_type, given)
    if isinstance(front, Refusal):
        return Answer(front, trail, client, session)
    return Answer(decision.outcome, trail, client, session, given, front)


async def _factors(
    realm: Realm, wanted: authorization_request.Authorization, session: Session | None
) -> frozenset[str]:
    """What else the person could sign in with; looked up only where the client asks for a class of sign-in."""
    return await factors_of(realm, session.sub) if session and wished(wanted).values else frozenset()


async def in_a_jwt(realm: Realm, client: Client, fields: Sequence[tuple[str, str]]) -> str | Refusal:
    """The response to a client as it registered for it: signed, and encrypted where it wants that."""
    claims = signed_response.claims(fields, client, realm.policy, realm.now())
    return await wrap(
        realm, client, claims, signed_response.TYPE, of_response(client, realm.policy.profile_for(client))
    )


async def _hinted(realm: Realm, wanted: authorization_request.Authorization) -> str | None:
    """Whom an ID token of ours speaks of, expired or not (OpenID Connect Core §3.1.2.1), or the subject that is asked
    for (§5.5.1). Nobody, where the two differ."""
    named = behind(realm, wanted.subject) if wanted.subject else None
    if not wanted.id_token_hint:
        return named
    try:
        found = behind(realm, str((await read_hint(realm, wanted.id_token_hint)).get("sub")))
    except NotOurs:
        return None
    return found if named in (None, found) else None


def _used_up(ticket: Ticket, outcome: core.Outcome | Refusal) -> tuple[Effect, ...]:
    """A pushed request leads to one code."""
    if ticket.pushed is None or not isinstance(outcome, core.GiveCode):
        return ()
    key, version = ticket.pushed
    return (DropEntry(PUSHED, key, version),)


async def consent_to(
    realm: Realm, ticket: Ticket, session: Session
) -> Decision[authorization_request.Authorization | core.Turned]:
    """Remember that the person allowed what the ticket asks for; the request as it was examined once more."""
    ask = ticket.parameters()
    looked_at = core.examine(ask, await realm.client(_client_id(ask)), realm.policy, ticket.delivery)
    if isinstance(looked_at.outcome, authorization_request.Authorization):
        before = await _consent(realm, session, looked_at.outcome.client)
        await realm.store.commit((core.remember(looked_at.outcome, session, before, realm.now()),))
        await let_act(realm, session.sub, looked_at.outcome.client.id)
    return looked_at


async def examined(realm: Realm, ticket: Ticket) -> authorization_request.Authorization | None:
    """What a ticket asks for, where it is a good request."""
    ask = ticket.parameters()
    client, delivery = await _sought(realm, ask, ticket.delivery)
    outcome = core.examine(ask, client, realm.policy, delivery).outcome
    return outcome if isinstance(outcome, authorization_request.Authorization) else None


async def _consent(realm: Realm, session: Session | None, client: Client) -> Consent | None:
    return await realm.store.consent(session.sub, client.id) if session else None


async def _sought(realm: Realm, ask: Parameters, delivery: Delivery) -> tuple[Client | None, Delivery]:
    sought = await realm.sought(_client_id(ask))
    if not sought.problem:
        return sought.client, delivery
    return None, msgspec.structs.replace(delivery, client_problem=sought.problem)


def _client_id(ask: Parameters) -> str | None:
    try:
        return ask.get("client_id")
    except Malformed:
        return None
