"""Refreshing, revoking and clients on their own behalf, as the JSON API has them."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.cognito import exchange
from innkeeper.issuer.core.cognito.calling import CLIENT_REFUSED, INPUT_BAD, REVOCATION_OFF, TOKEN_BAD, WRONG_TYPE
from innkeeper.issuer.core.cognito.records import CLIENT_CREDENTIALS, CLIENT_TOKEN_AUTH, AppClient
from innkeeper.issuer.core.cognito.sign_in import FLOW_BAD
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check


@check("Cognito refresh token rotation")
def the_client_does_not_rotate(client: AppClient) -> Seen | Refusal:
    """REFRESH_TOKEN_AUTH is for clients whose refresh tokens do not rotate."""
    if client.rotates:
        said = "Refresh token rotation is enabled for this client. Use GetTokensFromRefreshToken."
        return Refusal(FLOW_BAD, "refresh tokens of the client rotate", "rotation off", "on", said=said)
    return Seen("rotation is off")


REFRESH_CHECKS = (the_client_does_not_rotate,)


class SecretCase(msgspec.Struct, frozen=True):
    client: AppClient
    sent: str | None
    proved: bool


@check("Cognito API: ClientSecret")
def the_client_brought_its_secret(case: SecretCase) -> Seen | Refusal:
    """A client that has a secret brings the secret itself, not its hash."""
    if case.client.confidential and not case.proved:
        found = "another" if case.sent else "nothing"
        return Refusal(CLIENT_REFUSED, "the secret is missing or another", "one of the client's secrets", found)
    return Seen("brought" if case.client.confidential else "has none")


SECRET_CHECKS = (the_client_brought_its_secret,)


class RevokeCase(msgspec.Struct, frozen=True):
    client: AppClient
    is_jwt: bool


@check("Cognito app client: EnableTokenRevocation")
def revocation_is_on(case: RevokeCase) -> Seen | Refusal:
    """Revocation is on for the client."""
    if not case.client.revocable:
        return Refusal(REVOCATION_OFF, "EnableTokenRevocation is false", "true", "false")
    return Seen("true")


@check("Cognito API: UnsupportedTokenTypeException")
def what_is_revoked_is_a_refresh_token(case: RevokeCase) -> Seen | Refusal:
    """What is revoked is a refresh token."""
    if case.is_jwt:
        return Refusal(WRONG_TYPE, "it is an access or ID token", "a refresh token", "a JWT")
    return Seen("no JWT of ours")


REVOKE_CHECKS = (revocation_is_on, what_is_revoked_is_a_refresh_token)


@check("Cognito API: GetClientToken")
def the_client_may_have_a_token_of_its_own(client: AppClient) -> Seen | Refusal:
    """The client has the flow ALLOW_CLIENT_TOKEN_AUTH, or client credentials at the OAuth endpoints."""
    if CLIENT_TOKEN_AUTH not in client.flows and CLIENT_CREDENTIALS not in client.grants:
        said = "Client is not enabled for client token authentication."
        return Refusal(
            CLIENT_REFUSED, "the client lacks the flow", CLIENT_TOKEN_AUTH, " ".join(sorted(client.flows)), said=said
        )
    return Seen("may")


CLIENT_TOKEN_CHECKS = (the_client_may_have_a_token_of_its_own,)

SCOPE_REFUSED = Page(
    "IK1171",
    "InvalidParameterException",
    "A scope that the client cannot have",
    "A client on its own behalf gets custom scopes of its AllowedOAuthScopes alone.",
    "Ask for IDENTIFIER/SCOPE, or for no scope to get them all.",
    "Invalid scope requested.",
    level="inferred",
    terraform='allowed_oauth_scopes = ["IDENTIFIER/SCOPE"]',
    console="App client, Login pages: Custom scopes.",
)
EXCHANGE_PAGES = {
    exchange.MAY_NOT_EXCHANGE: CLIENT_REFUSED,
    exchange.TOKEN_BAD: TOKEN_BAD,
    exchange.TOO_MANY: INPUT_BAD,
    exchange.NOTHING_LEFT: SCOPE_REFUSED,
}
"""The endpoint's refusals of an exchange as the JSON API words them."""
