"""Tokens for tokens: exchanging one that is held, and redeeming somebody else's signed word."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from innkeeper.client.asking import Flow, now, pause
from innkeeper.client.backchannel import NOBODY_ANSWERED, SLOWER
from innkeeper.client.credentials import Client, Form
from innkeeper.client.discovery import Metadata
from innkeeper.client.grants import token_for
from innkeeper.client.refused import Refused, Waits, refuse
from innkeeper.client.token import Access, Token
from innkeeper.protocol import errors

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
ID_JAG = "urn:ietf:params:oauth:token-type:id-jag"


class Exchange(msgspec.Struct, frozen=True):
    """What is exchanged: ``subject`` for whom, ``actor`` by whom, where somebody acts for the subject; and for what."""

    subject: str
    subject_type: str = ACCESS_TOKEN
    actor: str = ""
    actor_type: str = ACCESS_TOKEN
    audience: str = ""
    requested_token_type: str = ""

    def form(self) -> Form:
        """The parameters it becomes."""
        pairs = [("subject_token", self.subject), ("subject_token_type", self.subject_type)]
        if self.actor:
            pairs += [("actor_token", self.actor), ("actor_token_type", self.actor_type)]
        more = [("audience", self.audience), ("requested_token_type", self.requested_token_type)]
        return pairs + [(name, value) for name, value in more if value]

    def __repr__(self) -> str:  # tokens in a log are tokens lost
        return f"<Exchange of a {self.subject_type.rpartition(':')[2]}>"


def exchange(metadata: Metadata, client: Client, access: Access, asked: Exchange) -> Flow[Token]:
    """Another token for one that is held (RFC 8693 §2): narrower, for another API, or to act for its subject."""
    form = [("grant_type", EXCHANGE), *asked.form(), *access.form()]
    return (yield from token_for(metadata, client, access, form, kinds=_kinds(asked.requested_token_type)))


def exchange_allowed(
    metadata: Metadata, client: Client, access: Access, asked: Exchange, told: Callable[[Waits], None] = lambda _: None
) -> Flow[Token]:
    """``exchange``, and where the person has to allow it first, the same again until they have. ``told`` is called once they
    were asked, to tell them so. Raises ``Refused`` where they decline, or never answer."""
    try:
        return (yield from exchange(metadata, client, access, asked))
    except Waits as waits:
        question = waits
    told(question)
    form = [("grant_type", EXCHANGE), *asked.form(), ("auth_req_id", question.auth_req_id), *access.form()]
    end, interval = (yield from now()) + question.expires_in, question.interval
    while (yield from now()) < end:
        yield from pause(interval)
        try:
            return (yield from token_for(metadata, client, access, form, kinds=_kinds(asked.requested_token_type)))
        except Refused as refused:
            if refused.error not in {errors.AUTHORIZATION_PENDING, errors.SLOW_DOWN}:
                raise
            interval += SLOWER if refused.error == errors.SLOW_DOWN else 0
    raise refuse(NOBODY_ANSWERED, "the question has expired", error=errors.EXPIRED_TOKEN)


def assertion(metadata: Metadata, client: Client, access: Access, signed: str) -> Flow[Token]:
    """A token for somebody else's signed word (RFC 7523 §2.1): an identity assertion, a workload's own token."""
    form = [("grant_type", JWT_BEARER), ("assertion", signed), *access.form()]
    return (yield from token_for(metadata, client, access, form))


def _kinds(requested: str) -> tuple[str, ...]:
    """What is no access token is answered with the type N_A (RFC 8693 §2.2.1)."""
    return () if requested in {"", ACCESS_TOKEN} else ("N_A", "Bearer")
