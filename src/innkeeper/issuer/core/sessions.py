"""A session is opened: anew, or over the one that the same person has in this browser, which gets a new cookie."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.assurance import Proof
from innkeeper.issuer.core.effects import AddSession, ChangeSession, Effect
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Session


class Fresh(msgspec.Struct, frozen=True):
    """Made before the decision: the new session's public id, its cookie's hash, and the browser in words."""

    session_id: str
    cookie_digest: bytes
    browser: str = ""


def opened(
    sub: str, proof: Proof, fresh: Fresh, policy: Policy, now: int, before: Session | None = None
) -> tuple[Session, Effect]:
    """The session, and the effect that makes it stand. A live session ``before`` of the same person goes on."""
    session = Session(
        id=before.id if before and before.sub == sub else fresh.session_id,
        digest=fresh.cookie_digest,
        sub=sub,
        auth_time=now,
        acr=proof.acr,
        amr=proof.amr,
        expires_at=now + policy.session_lifetime,
        browser=fresh.browser,
        opened_at=before.opened_at if before and before.sub == sub else now,
    )
    return session, ChangeSession(session) if session.id != fresh.session_id else AddSession(session)


def raised(session: Session, proof: Proof, fresh: Fresh) -> tuple[Session, Effect]:
    """The session after a second factor was added to it: same person, same sign-in, a new cookie."""
    changed = msgspec.structs.replace(session, digest=fresh.cookie_digest, acr=proof.acr, amr=proof.amr)
    return changed, ChangeSession(changed)
