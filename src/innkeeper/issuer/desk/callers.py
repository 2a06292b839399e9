"""Who is at the desk: what a browser brings along before anybody in it has signed in."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.records import Session
from innkeeper.issuer.core.sessions import Fresh
from innkeeper.issuer.desk.browsers import Browser, known_to
from innkeeper.issuer.desk.realm import Realm, digest, random_id


class Caller(msgspec.Struct, frozen=True):
    """``network`` is the address it calls from, as tries are counted; ``named`` the browser in words; ``browser`` what
    our cookie says of it; ``session`` the one that is open in it."""

    network: str
    named: str = ""
    browser: Browser | None = None
    session: Session | None = None

    def fresh(self, cookie: str) -> Fresh:
        """What a new session in this browser is made of."""
        return Fresh(random_id(), digest(cookie), self.named)

    def known(self, realm: Realm, sub: str | None) -> str | None:
        """The browser's id, where it signed this person in before."""
        return known_to(realm, self.browser, sub)

    async def again(self, realm: Realm) -> Caller:
        """The same caller, the session as it is now: over, changed by another request, or as it was."""
        if self.session is None:
            return self
        found = await realm.store.session(self.session.digest)
        live = found if found and found.ended_at is None else None
        return msgspec.structs.replace(self, session=live)
