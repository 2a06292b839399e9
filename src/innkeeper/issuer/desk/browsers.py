"""Browsers that signed somebody in before: a cookie that we sign and nobody stores.

Whoever steals one gets no further than a password prompt with a throttle of its own.
"""

from __future__ import annotations

from hmac import compare_digest

import msgspec

from innkeeper.issuer.desk.realm import Realm, random_id
from innkeeper.protocol import base64url

LIFETIME = 400 * 86400
"""Seconds that a browser keeps the cookie, the most that browsers allow."""

_PEOPLE = 8
_LONGEST = 1024


class Browser(msgspec.Struct, frozen=True, array_like=True):
    """Its id, and whom it signed in, the latest first, by MACs that tell nothing to other users of the browser."""

    id: str
    people: tuple[str, ...] = ()


def open_browser(realm: Realm, cookie: str | None) -> Browser | None:
    """The browser that a cookie of ours stands for."""
    body, _, mac = (cookie or "").partition(".")
    if len(body) > _LONGEST:
        return None
    try:
        if not compare_digest(base64url.decode(mac), realm.mac("browser", body)):
            return None
        return msgspec.json.decode(base64url.decode(body), type=Browser)
    except (base64url.NotBase64Url, msgspec.DecodeError):
        return None


def seal_browser(realm: Realm, browser: Browser | None, sub: str) -> str:
    """The cookie for a browser that has just signed this person in."""
    person, before = _person(realm, sub), browser or Browser(random_id())
    people = (person, *(one for one in before.people if one != person))[:_PEOPLE]
    body = base64url.encode_text(msgspec.json.encode(Browser(before.id, people)))
    return f"{body}.{base64url.encode_text(realm.mac('browser', body))}"


def known_to(realm: Realm, browser: Browser | None, sub: str | None) -> str | None:
    """The browser's id, where it signed this person in before."""
    if browser is None or sub is None or _person(realm, sub) not in browser.people:
        return None
    return browser.id


def _person(realm: Realm, sub: str) -> str:
    return base64url.encode_text(realm.mac("browser of", sub)[:12])
