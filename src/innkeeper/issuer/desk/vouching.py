"""Vouching at work: read the ID token, look at its person, and decide about an assertion for another server."""

from __future__ import annotations

from innkeeper.issuer.core import vouching as core
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.core.token import Issue, TokenRequest
from innkeeper.issuer.desk import exchange
from innkeeper.issuer.desk.realm import Realm


async def exchanged(realm: Realm, ask: TokenRequest, client: Client) -> tuple[Decision[Issue], None]:
    """Answer a token exchange: with an identity assertion where one is asked for, else with an access token."""
    if ask.sent.get("requested_token_type") != core.ID_JAG:
        return await exchange.exchange(realm, ask, client)
    shown = await exchange.identity_token(realm, ask.sent.get("subject_token", ""))
    audience = ask.sent.many("audience")
    case = core.Case(ask, client, realm.policy, shown.claims, shown.subject, shown.gone, audience)
    return core.decide(case), None
