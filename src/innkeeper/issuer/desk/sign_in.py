"""Sign-in at work: compare the password, slow down guessing, open the session."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from innkeeper.issuer.core import sign_in as core
from innkeeper.issuer.core.records import Session
from innkeeper.issuer.desk.passwords import matches
from innkeeper.issuer.desk.realm import Realm, digest, random_id, random_value
from innkeeper.protocol.refusals import Refusal

_TRIES = 5
_PAUSE = 60
_REMEMBERED = 10_000


class SignedIn(msgspec.Struct, frozen=True):
    """The new session, and the cookie value that stands for it."""

    session: Session
    cookie: str


class Throttle:
    """Wrong passwords, counted by name and address together, so that nobody can lock another person out."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()

    def wait(self, who: tuple[str, str], now: int) -> int:
        """Seconds until this pair may try again; 0 for at once."""
        tries, last = self._wrong.get(who, (0, 0))
        return max(0, last + _PAUSE - now) if tries >= _TRIES else 0

    def wrong(self, who: tuple[str, str], now: int) -> None:
        tries, last = self._wrong.pop(who, (0, 0))
        self._wrong[who] = (tries + 1 if last + _PAUSE > now else 1, now)
        if len(self._wrong) > _REMEMBERED:
            self._wrong.popitem(last=False)

    def right(self, who: tuple[str, str]) -> None:
        self._wrong.pop(who, None)


async def sign_in(realm: Realm, throttle: Throttle, username: str, password: str, remote: str) -> SignedIn | Refusal:
    """Open a session for the person whose name and password these are."""
    who, now = (username.casefold(), remote), realm.now()
    person = await realm.store.person_named(username)
    wait = throttle.wait(who, now)
    right = not wait and await matches(person.password if person else None, password)
    cookie = random_value()
    fresh = core.Fresh(random_id(), digest(cookie))
    decision = core.decide(core.Attempt(username, right, wait), person, fresh, realm.policy, now)
    await realm.store.commit(decision.effects)
    realm.observe(decision.trail)
    if isinstance(decision.outcome, Refusal):
        if not wait:
            throttle.wrong(who, now)
        return decision.outcome
    throttle.right(who)
    return SignedIn(decision.outcome, cookie)
