"""Sign-ins that wait for an answer: kept under the hash of their session, until it is answered or too old."""

from __future__ import annotations

import secrets

from innkeeper.issuer.core.cognito import challenges as core
from innkeeper.issuer.core.cognito.challenges import Waiting
from innkeeper.issuer.core.cognito.records import AppClient
from innkeeper.issuer.core.effects import Lost
from innkeeper.issuer.desk.cognito.declined import demand
from innkeeper.issuer.desk.cognito.shelf import Kept, Shelf
from innkeeper.issuer.desk.cognito.twin import OpenPool, there
from innkeeper.issuer.desk.realm import digest
from innkeeper.protocol.refusals import Page

WAITING = Shelf("challenge", Waiting)


async def wait_for(pool: OpenPool, waiting: Waiting) -> str:
    """Remember a sign-in that waits; the session that stands for it."""
    session = secrets.token_urlsafe(96)
    key = digest(session).hex()
    await pool.store.commit((WAITING.put(key, waiting, expires_at=waiting.expires_at),))
    return session


def begun(pool: OpenPool, client: AppClient, name: str, sub: str, username: str) -> Waiting:
    """A sign-in that waits for the answer to a challenge from now on."""
    ends = pool.now() + client.session_lifetime
    return Waiting(name=name, client_id=client.id, sub=sub, username=username, expires_at=ends)


async def waiting_for(pool: OpenPool, client: AppClient, challenge: str, session: str) -> Kept[Waiting]:
    """The sign-in that an answer belongs to. Raises ``Declined``."""
    kept = await WAITING.find(pool.store, digest(session).hex()) if session else None
    case = core.Case(kept.record if kept else None, client.id, challenge, pool.now())
    demand("challenge", core.CHECKS, case)
    return there(kept)


async def use_up(pool: OpenPool, kept: Kept[Waiting]) -> bool:
    """Take a session out of use; whether nobody was faster."""
    try:
        await pool.store.commit((WAITING.drop(kept),))
    except Lost:
        return False
    return True


def demand_answer(challenge: str, missing: str, page: Page, *, right: bool) -> None:
    """Demand a complete and right answer. Raises ``Declined``."""
    demand("answer", core.ANSWER_CHECKS, core.AnswerCase(challenge, missing, right, page))
