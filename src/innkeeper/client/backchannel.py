"""Asking somebody who is not at the program's door: their issuer asks them on a device of theirs, and the program waits.

The sections named below are those of OpenID Connect CIBA Core, poll mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from innkeeper.client.asking import Flow, ask, now, pause, post
from innkeeper.client.credentials import Client, proof
from innkeeper.client.discovery import Metadata
from innkeeper.client.grants import UNREADABLE_ANSWER, refusal, token_for
from innkeeper.client.refused import Refused, refuse
from innkeeper.client.token import Access, Token
from innkeeper.protocol import errors
from innkeeper.protocol.refusals import Page
from innkeeper.protocol.strict_json import NotStrict, read_object

NOBODY_ANSWERED = Page(
    "IK1448",
    error=errors.EXPIRED_TOKEN,
    title="Nobody answered the request in time",
    cause="The person who was asked on their own device neither allowed nor declined before the request expired.",
    remedy="Ask again, when the person is there.",
    wire="Nobody answered the request in time.",
)
SAID_NO = Page(
    "IK1449",
    error=errors.ACCESS_DENIED,
    title="The person who was asked said no",
    cause="They saw what was asked for, and declined.",
    remedy="Do without it, or talk with them before asking again.",
    wire="The person who was asked declined.",
)

CIBA = "urn:openid:params:grant-type:ciba"
_INTERVAL, SLOWER = 5, 5
_NO = {errors.EXPIRED_TOKEN: NOBODY_ANSWERED, errors.ACCESS_DENIED: SAID_NO}


class Asked(msgspec.Struct, frozen=True):
    """A request that waits for its person. ``interval`` seconds lie between two looks at it."""

    auth_req_id: str
    expires_at: float
    interval: int

    def __repr__(self) -> str:  # who holds the id, and the client's proof, gets the token
        return f"<Asked, to be looked at every {self.interval} s>"


class Wish(msgspec.Struct, frozen=True):
    """Whom to ask, as they sign in there, and what to tell them: a message to recognize the request by, and details in
    more words than scopes have (RFC 9396)."""

    login_hint: str
    message: str = ""
    details: tuple[Mapping[str, Any], ...] = ()

    def form(self) -> list[tuple[str, str]]:
        """The parameters it becomes."""
        told = [("login_hint", self.login_hint), ("binding_message", self.message)]
        details = msgspec.json.encode(self.details).decode() if self.details else ""
        return [(name, value) for name, value in (*told, ("authorization_details", details)) if value]


def begin(metadata: Metadata, client: Client, access: Access, wish: Wish) -> Flow[Asked]:
    """Ask the person (§7). Raises ``Refused``."""
    headers, shown = yield from proof(client, metadata)
    endpoint = metadata.endpoint("backchannel_authentication")
    form = [*access.form(), *wish.form(), *shown]
    reply = yield from ask(post(endpoint, "the backchannel authentication endpoint", form, headers))
    if reply.status != 200:
        raise refusal(reply, "the backchannel authentication endpoint")
    try:
        answer = read_object(reply.body)
        end = (yield from now()) + float(answer["expires_in"])
        return Asked(str(answer["auth_req_id"]), end, max(1, int(answer.get("interval", _INTERVAL))))
    except (NotStrict, KeyError, TypeError, ValueError):
        raise refuse(UNREADABLE_ANSWER, "the backchannel endpoint's answer lacks a request id or its end") from None


def look(metadata: Metadata, client: Client, access: Access, asked: Asked) -> Flow[Token | Asked]:
    """What has come of it by now (§10.1): the token, or the request that still waits, to be looked at less often where the
    issuer wishes so. Raises ``Refused`` where it was declined or ran out."""
    form = [("grant_type", CIBA), ("auth_req_id", asked.auth_req_id)]
    try:
        token = yield from token_for(metadata, client, access, form)
    except Refused as refused:
        if refused.error == errors.SLOW_DOWN:
            return msgspec.structs.replace(asked, interval=asked.interval + SLOWER)
        if refused.error == errors.AUTHORIZATION_PENDING:
            return asked
        if refused.error in _NO:
            raise refuse(_NO[refused.error], refused.refusal.reason, error=refused.error) from None
        raise
    return msgspec.structs.replace(token, id_token=None)


def wait(metadata: Metadata, client: Client, access: Access, asked: Asked) -> Flow[Token]:
    """Look until the person has answered. Raises ``Refused`` where they declined, or never did."""
    while (yield from now()) < asked.expires_at:
        yield from pause(asked.interval)
        found = yield from look(metadata, client, access, asked)
        if isinstance(found, Token):
            return found
        asked = found
    raise refuse(NOBODY_ANSWERED, "the request has expired", error=errors.EXPIRED_TOKEN)
