"""A person's yes or no to a request that waits: said on our own page, in the session in which it was asked."""

from __future__ import annotations

from hmac import compare_digest

import msgspec

from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.records import Grant, Session
from innkeeper.issuer.core.waiting import Waiting
from innkeeper.protocol.errors import ACCESS_DENIED
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check, follow


class Reviewed(msgspec.Struct, frozen=True):
    """A form with a yes or no: sent from our page or not, and the session in which the page was shown."""

    from_our_page: bool
    shown_to: str
    session_id: str


def review(reviewed: Reviewed) -> Decision[Reviewed]:
    """Whether an answer is this person's own."""
    trail = follow("answer", CHECKS, reviewed)
    return Decision(trail.refusal or reviewed, trail)


def allow(waiting: Waiting, session: Session, grant_id: str, now: int) -> Waiting:
    """The person said yes. The grant does not end with the session: whoever waits is no part of this browser."""
    grant = Grant(
        id=grant_id,
        client_id=waiting.client_id,
        sub=session.sub,
        scopes=waiting.scopes,
        audience=waiting.audience,
        auth_time=session.auth_time,
        acr=session.acr,
        amr=session.amr,
        session_id="",
        created_at=now,
        details=waiting.details,
    )
    return msgspec.structs.replace(waiting, grant=grant)


def deny(waiting: Waiting) -> Waiting:
    """The person said no."""
    return msgspec.structs.replace(waiting, denied=True)


@check("RFC 8628 §5.4")
def the_answer_came_from_our_page(case: Reviewed) -> Seen | Refusal:
    """Yes is said by pressing a button on our page, and no other site can press it."""
    if not case.from_our_page:
        return Refusal(ANSWER_STRANGE, "the form was not sent from our page", "our page's proof", "none or another")
    return Seen("our page")


@check("RFC 8628 §5.4")
def the_person_is_the_one_who_was_asked(case: Reviewed) -> Seen | Refusal:
    """The answer comes in the session in which the page was shown."""
    if not case.shown_to or not compare_digest(case.shown_to, case.session_id):
        return Refusal(ANSWER_STRANGE, "the page was shown in another session", case.shown_to, case.session_id)
    return Seen("the same session")


CHECKS = (the_answer_came_from_our_page, the_person_is_the_one_who_was_asked)

ANSWER_STRANGE = Page(
    "IK162",
    ACCESS_DENIED,
    "The answer did not come from the page that asked",
    "Another site sent the form, it was sent in another session than the page was shown in, or cookies are off.",
    "Open the page again and answer on it.",
    "The answer did not come from the page that asked. Please try again.",
    403,
)
