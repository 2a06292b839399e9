"""A person's yes at work, whichever grant waits for it: what is known of one, and what is to be remembered."""

from __future__ import annotations

from msgspec.structs import replace

from innkeeper.issuer.core import approval, waiting
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.effects import Effect
from innkeeper.issuer.core.token import Issue
from innkeeper.issuer.desk import backchannel
from innkeeper.issuer.desk.realm import Realm, random_value
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Step, Trail, made_of

Known = tuple[approval.Approval, backchannel.Kept | None]
"""What the rules are told of a person's yes, and the question as the store has it."""


async def known(realm: Realm, waits: approval.Case | None) -> Known:
    """What is known of the yes that a request names, or how many questions wait for that person already."""
    if waits is None:
        return approval.NOT_APPROVED, None
    name = waits.ask.sent.get("auth_req_id")
    if name is None:
        others = [one for one in await backchannel.pending(realm, waits.sub) if one.client.id == waits.client.id]
        return approval.Approval(waiting=len(others)), None
    kept = await backchannel.kept(realm, name)
    return approval.Approval(sent=True, asked=kept.asked if kept else None), kept


def settled(
    realm: Realm, waits: approval.Case | None, decision: Decision[Issue], kept: backchannel.Kept | None
) -> Decision[Issue]:
    """What the client is told, and what is to be remembered: the question to the person, or that the client asked again."""
    outcome = decision.outcome
    if isinstance(outcome, Refusal) and outcome.page is approval.APPROVAL_NEEDED and waits is not None:
        return _asked(realm, waits, outcome, decision.trail)
    if waits is None or kept is None or not kept.asked.acting:
        return decision
    after = waiting.after(kept.asked.waiting, outcome, waits.now)
    if after == kept.asked.waiting:
        return decision
    changed = backchannel.changed(kept.entry, replace(kept.asked, waiting=after))
    return Decision(outcome, decision.trail, (*decision.effects, changed))


def _asked(realm: Realm, waits: approval.Case, outcome: Refusal, trail: Trail) -> Decision[Issue]:
    asked, name = approval.question(waits), random_value()
    told = {
        "auth_req_id": name,
        "expires_in": asked.waiting.expires_at - waits.now,
        "interval": asked.waiting.interval,
    }
    pending, (*before, last) = replace(outcome, told=told), trail.steps
    effects: tuple[Effect, ...] = backchannel.keep(
        realm, asked, waits.client, name, waits.ask.sent.get("client_notification_token", "")
    )
    return Decision(pending, made_of(trail.about, (*before, Step(last.check, pending))), effects)
