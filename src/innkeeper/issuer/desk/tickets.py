"""Tickets: a request that waits for its person, signed by us and carried by the browser.

Nothing is stored for a visitor who never signs in, and any node can go on where another began. A ticket
holds the request's parameters and how far its person came; what the person did counts only in the session
in which it was done.
"""

from __future__ import annotations

from hmac import compare_digest

import msgspec

from innkeeper.issuer.core.admission import Progress
from innkeeper.issuer.core.delivery import PLAIN, Delivery
from innkeeper.issuer.desk.realm import Realm
from innkeeper.protocol import base64url
from innkeeper.protocol.parameters import Parameters

LIFETIME = 3600
"""Seconds in which a person may finish signing in and consenting."""


class Ticket(msgspec.Struct, frozen=True, array_like=True):
    """``place`` is the path of ours that the person goes on to; empty for the authorization endpoint."""

    pairs: list[tuple[str, str]]
    started_at: int
    session_id: str = ""
    signed_in_at: int | None = None
    consented: bool = False
    denied: bool = False
    delivery: Delivery = PLAIN
    pushed: tuple[str, int] | None = None
    place: str = ""

    def parameters(self) -> Parameters:
        return Parameters(self.pairs)

    def progress(self, session_id: str | None) -> Progress:
        """How far the person came, as far as it happened in this session. Saying no counts in any."""
        if self.session_id and self.session_id == session_id:
            return Progress(self.started_at, self.signed_in_at, self.consented, self.denied)
        return Progress(self.started_at, denied=self.denied)


def seal(realm: Realm, ticket: Ticket) -> str:
    body = base64url.encode_text(msgspec.json.encode(ticket))
    return f"{body}.{base64url.encode_text(realm.mac('ticket', body))}"


def carried(text: str, name: str) -> str:
    """What a ticket says of one parameter, without asking whether it is good: enough to choose a language by."""
    try:
        pairs = msgspec.json.decode(base64url.decode(text.partition(".")[0]), type=Ticket).pairs if text else []
    except (base64url.NotBase64Url, msgspec.DecodeError):
        return ""
    return next((value for known, value in pairs if known == name), "")


def open_ticket(realm: Realm, text: str) -> Ticket | None:
    """The ticket, or None where it was changed, was sealed elsewhere or is too old."""
    body, _, mac = text.partition(".")
    try:
        if not compare_digest(base64url.decode(mac), realm.mac("ticket", body)):
            return None
        ticket = msgspec.json.decode(base64url.decode(body), type=Ticket)
    except (base64url.NotBase64Url, msgspec.DecodeError):
        return None
    return ticket if ticket.started_at + LIFETIME > realm.now() else None
