"""What a resource marks as risky waits for the person's yes before an agent comes to act with it.

The person is asked outside the conversation, as by a backchannel request: on a page of their own, in plain words. The agent
is told ``authorization_pending``, and sends the same exchange again until there is an answer, which is good once.
"""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core import waiting
from innkeeper.issuer.core.backchannel import LONGEST_MESSAGE, MESSAGE_STRANGE, PESTERED, Asked
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.core.scopes import Reach
from innkeeper.issuer.core.token import TokenRequest
from innkeeper.issuer.core.waiting import Waiting
from innkeeper.protocol.errors import ACCESS_DENIED, AUTHORIZATION_PENDING
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, Trail, check, follow


class Approval(msgspec.Struct, frozen=True):
    """What is known of a person's yes. ``sent``: the request names one by auth_req_id; ``asked`` is what is remembered
    under that name. ``waiting`` counts the client's requests that wait for this person already."""

    sent: bool = False
    asked: Asked | None = None
    waiting: int = 0


NOT_APPROVED: Approval = Approval()


class Case(msgspec.Struct, frozen=True):
    """An exchange that needs a yes: for whom (``sub``), by whom (``acting``, the client first), and for what; ``needs`` is
    what of it is risky."""

    ask: TokenRequest
    client: Client
    sub: str
    acting: tuple[str, ...]
    opened: Reach
    details: tuple[dict[str, Any], ...]
    needs: tuple[str, ...]
    approval: Approval
    policy: Policy
    now: int

    @property
    def message(self) -> str:
        return self.ask.sent.get("binding_message", "")


def judge(case: Case) -> Trail:
    """Whether the person said yes; a refusal of ``APPROVAL_NEEDED`` where they have to be asked."""
    approval = case.approval
    if not approval.sent:
        return follow("token exchange", QUESTION_CHECKS, case)
    asked = approval.asked if approval.asked and approval.asked.acting else None
    wait = waiting.Case(case.ask, case.client, asked.waiting if asked else None, case.policy, case.now)
    trail = follow("token exchange", waiting.ANSWER_CHECKS, wait)
    return trail if trail.refusal else trail.then(follow("token exchange", ANSWER_CHECKS, case))


def question(case: Case) -> Asked:
    """What the person is asked."""
    wait = Waiting(
        client_id=case.client.id,
        scopes=case.opened.scopes,
        audience=case.opened.audience,
        details=case.details,
        started_at=case.now,
        expires_at=case.now + case.policy.backchannel_lifetime,
        interval=case.policy.poll_interval,
    )
    return Asked(sub=case.sub, binding_message=case.message, waiting=wait, acting=case.acting)


@check("CIBA §7.1")
def the_question_can_be_put(case: Case) -> Seen | Refusal:
    """Words to compare are short and can be seen, and only a few requests of one client wait for one person."""
    message, found, most = case.message, case.approval.waiting, case.policy.backchannel_most
    if len(message) > LONGEST_MESSAGE or not message.isprintable():
        reason = "the message is too long, or has characters that cannot be seen"
        return Refusal(MESSAGE_STRANGE, reason, f"at most {LONGEST_MESSAGE} that can", f"{len(message)} characters")
    if found >= most:
        return Refusal(PESTERED, f"{found} requests of this client wait already", f"fewer than {most}", str(found))
    return Seen(message or "no message")


@check("RFC 8693 §4.1")
def the_person_is_asked_first(case: Case) -> Seen | Refusal:
    """What a resource marks as in need of approval waits until the person has said yes, outside the conversation."""
    needs = ", ".join(case.needs)
    if needs:
        return Refusal(APPROVAL_NEEDED, f"the person has to say yes to {needs}", "their approval", "not asked yet")
    return Seen("nothing needs it")


@check("RFC 8693 §4.1")
def the_yes_was_said_to_this(case: Case) -> Seen | Refusal:
    """The person was asked about this very thing: the same person, the same who act, at least these rights."""
    asked = case.approval.asked
    if asked is None or asked.sub != case.sub or asked.acting != case.acting:
        return Refusal(APPROVAL_OTHER, "the yes was said to somebody else's acting", "the same exchange", "another")
    said = asked.waiting
    within = case.opened.scopes <= said.scopes and set(case.opened.audience) <= set(said.audience)
    if not within or not all(one in said.details for one in case.details):
        shown = " ".join(sorted(said.scopes))
        return Refusal(APPROVAL_OTHER, "more is asked for than the person was shown", shown, "more")
    return Seen(", ".join(case.needs))


QUESTION_CHECKS = (the_question_can_be_put, the_person_is_asked_first)
ANSWER_CHECKS = (the_yes_was_said_to_this,)

APPROVAL_NEEDED = Page(
    "IK1510",
    AUTHORIZATION_PENDING,
    "The person has to approve this first",
    "A scope or a type of authorization details is marked for approval: no agent comes to act with it before the person "
    "said yes on their own page, each time. They were asked just now; the answer holds auth_req_id.",
    "Send the same request again with auth_req_id, after the interval, or once you are told; stop at access_denied.",
    "The person has to approve this first; ask again with auth_req_id.",
)
APPROVAL_OTHER = Page(
    "IK1511",
    ACCESS_DENIED,
    "The person approved something else",
    "The auth_req_id is of another exchange: for another person, of others who act, or for less than is asked for now.",
    "Send the same request as the one that was answered with that auth_req_id.",
    "The approval is for another request.",
)
