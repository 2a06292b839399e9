"""Where a person is signed in: each session with its browser and last use, and ending them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from innkeeper.issuer.core.effects import Effect, EndSession, Lost, PutEntry
from innkeeper.issuer.core.records import Session
from innkeeper.issuer.desk.leaving import end_sessions
from innkeeper.issuer.desk.realm import Realm

USE = "session use"

_NOTED_EVERY = 300
"""Seconds between two notes of use: a session that is used all day costs few writes."""


class Place(msgspec.Struct, frozen=True):
    """A session as its person sees it: the browser in words, since when, last used when (seconds since the epoch)."""

    id: str
    browser: str
    opened_at: int
    used_at: int
    acr: str


async def note_use(realm: Realm, session: Session) -> None:
    """Remember that a session was used just now."""
    now, noted = realm.now(), await realm.store.entry(USE, session.id)
    if noted is not None and int(noted.record) > now - _NOTED_EVERY:
        return
    use = PutEntry(USE, session.id, str(now).encode(), session.expires_at, noted.version if noted else 0)
    try:
        await realm.store.commit((use,))
    except Lost:
        return  # Another request has noted it at the same time.


async def places(realm: Realm, sub: str, here: str = "") -> list[Place]:
    """Where the person is signed in, the last used first; of those used in the same second, this browser's."""
    found = [await _place(realm, one) for one in await live(realm, sub)]
    return sorted(found, key=lambda one: (one.used_at, one.id == here), reverse=True)


async def live(realm: Realm, sub: str) -> Sequence[Session]:
    """The person's sessions that are neither over nor too old."""
    now = realm.now()
    return [one for one in await realm.store.sessions(sub) if one.ended_at is None and one.expires_at > now]


async def end(realm: Realm, sub: str, session_id: str) -> None:
    """Sign the person out of one browser, where the session is theirs."""
    effects = [EndSession(one.id, realm.now()) for one in await live(realm, sub) if one.id == session_id]
    await end_sessions(realm, effects)


async def ended(realm: Realm, sub: str, but: str = "") -> list[Effect]:
    """What signs the person out everywhere, or everywhere but in one session."""
    return [EndSession(one.id, realm.now()) for one in await live(realm, sub) if one.id != but]


async def _place(realm: Realm, session: Session) -> Place:
    noted = await realm.store.entry(USE, session.id)
    used_at = max(session.auth_time, int(noted.record) if noted else 0)
    return Place(session.id, session.browser, session.opened_at or session.auth_time, used_at, session.acr)
