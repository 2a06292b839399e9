"""A pool's smaller endpoints: revocation, userInfo, logout."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.cognito.records import OPENID, AppClient, User
from innkeeper.issuer.core.cognito.token import Ask
from innkeeper.issuer.core.records import Grant
from innkeeper.protocol import errors
from innkeeper.protocol.parameters import Parameters
from innkeeper.protocol.redirects import registered_for
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check


class RevokeCase(msgspec.Struct, frozen=True):
    """``is_jwt`` says that the token is an access or ID token of this pool."""

    ask: Ask
    client: AppClient | None
    proved: bool
    is_jwt: bool


@check("Cognito revoke endpoint: request")
def the_revocation_can_be_read(case: RevokeCase) -> Seen | Refusal:
    """The request is a form that names a token."""
    if case.ask.problem:
        return Refusal(NOTHING_TO_REVOKE, case.ask.problem, "a form", "something else")
    if "token" not in case.ask.sent:
        return Refusal(NOTHING_TO_REVOKE, "token is missing", "token", "no such parameter")
    return Seen("token")


@check("Cognito revoke endpoint: client authentication")
def the_revoking_client_proved_itself(case: RevokeCase) -> Seen | Refusal:
    """The client is known and proves itself as it does at the token endpoint."""
    client = case.client
    if client is None:
        return Refusal(REVOKER_UNKNOWN, "no app client of this pool has that id", "an app client", case.ask.client_id)
    if client.confidential and not case.proved:
        return Refusal(REVOKER_UNKNOWN, "the secret is missing or another", "one of its secrets", "another or none")
    return Seen(client.id)


@check("Cognito app client: EnableTokenRevocation")
def the_client_has_revocation(case: RevokeCase) -> Seen | Refusal:
    """Revocation is on for the client."""
    if case.client is not None and not case.client.revocable:
        return Refusal(NOTHING_TO_REVOKE, "EnableTokenRevocation is false", "true", "false")
    return Seen("true")


@check("Cognito revoke endpoint: token")
def it_is_a_refresh_token(case: RevokeCase) -> Seen | Refusal:
    """What is revoked is a refresh token; what it gave is revoked with it."""
    if case.is_jwt:
        return Refusal(NOT_A_REFRESH_TOKEN, "it is an access or ID token", "a refresh token", "a JWT of this pool")
    return Seen("no JWT of ours")


REVOKE_CHECKS = (
    the_revocation_can_be_read,
    the_revoking_client_proved_itself,
    the_client_has_revocation,
    it_is_a_refresh_token,
)


class BearerCase(msgspec.Struct, frozen=True):
    """``claims`` are those of a token that verified as this pool's, whatever it is; empty for any other."""

    sent: str
    claims: dict[str, object]
    grant: Grant | None
    user: User | None
    now: int


@check("Cognito userInfo endpoint: request")
def a_bearer_token_came(case: BearerCase) -> Seen | Refusal:
    """An access token came in the Authorization header."""
    if not case.sent:
        return Refusal(NO_BEARER, "no Authorization: Bearer header", "Authorization: Bearer TOKEN", "nothing")
    return Seen("a token")


@check("Cognito userInfo endpoint: token")
def it_is_a_living_access_token(case: BearerCase) -> Seen | Refusal:
    """The token is an access token of this pool that has not expired."""
    if case.claims.get("token_use") != "access":
        return Refusal(BEARER_BAD, "no access token of this pool", "access", str(case.claims.get("token_use", "none")))
    left = int(str(case.claims["exp"])) - case.now
    if left <= 0:
        return Refusal(BEARER_BAD, f"it expired {-left} s ago", "not expired", "expired")
    return Seen(f"{left} s left")


@check("Cognito userInfo endpoint: token")
def it_was_not_revoked(case: BearerCase) -> Seen | Refusal:
    """The sign-in that the token came of was not revoked, and its user is here."""
    if case.grant is None:
        return Refusal(BEARER_BAD, "no person signed in for it: it is a client's own", "a user's token", "a client's")
    if case.grant.revoked_at is not None:
        return Refusal(BEARER_BAD, "its sign-in was revoked", "standing", "revoked")
    if case.user is None or case.user.person.disabled:
        return Refusal(BEARER_BAD, "the user was deleted or disabled", "an enabled user", "none")
    return Seen(case.user.sub)


@check("Cognito userInfo endpoint: openid")
def it_has_the_scope_openid(case: BearerCase) -> Seen | Refusal:
    """The token has the scope openid, which sign-ins by the JSON API never give."""
    held = str(case.claims.get("scope", ""))
    if OPENID not in held.split():
        return Refusal(BEARER_BAD, "the token has no scope openid", OPENID, held)
    return Seen(held)


USER_INFO_CHECKS = (a_bearer_token_came, it_is_a_living_access_token, it_was_not_revoked, it_has_the_scope_openid)


class LogoutCase(msgspec.Struct, frozen=True):
    sent: Parameters
    client: AppClient | None


@check("Cognito logout endpoint: client_id")
def the_leaving_client_is_known(case: LogoutCase) -> Seen | Refusal:
    """The client id is one of this pool's app clients."""
    if case.client is None:
        return Refusal(
            LOGOUT_BAD, "no app client of this pool has that id", "client_id", case.sent.get("client_id", "")
        )
    return Seen(case.client.id)


@check("Cognito logout endpoint: logout_uri or redirect_uri")
def there_is_somewhere_to_go(case: LogoutCase) -> Seen | Refusal:
    """The request says where to go: an allowed sign-out URL, or a callback for signing in again."""
    client = case.client
    to, back = case.sent.get("logout_uri"), case.sent.get("redirect_uri")
    if client is None or (to is None and (back is None or "response_type" not in case.sent)):
        expected = "logout_uri, or redirect_uri with response_type"
        hint = "OpenID Connect's post_logout_redirect_uri and id_token_hint are no parameters of a user pool."
        return Refusal(LOGOUT_BAD, "neither way out is named", expected, " ".join(case.sent), hint)
    allowed = client.ways_out if to is not None else client.callbacks
    sent = to if to is not None else str(back)
    if registered_for(sent, allowed, any_loopback_port=client.any_port) is None:
        return Refusal(LOGOUT_BAD, "the address is not registered", " or ".join(allowed) or "none", sent)
    return Seen(sent, allowed)


LOGOUT_CHECKS = (the_leaving_client_is_known, there_is_somewhere_to_go)

NOTHING_TO_REVOKE = Page(
    "IK1030",
    errors.INVALID_REQUEST,
    "The revocation is malformed or switched off",
    "No token came, the body is no form, or EnableTokenRevocation is false for the client.",
    "Send token=REFRESH_TOKEN as a form; enable revocation on the client.",
    "",
    level="documented",
    console="App client, Advanced: Enable token revocation.",
    terraform="enable_token_revocation = true",
)
REVOKER_UNKNOWN = Page(
    "IK1031",
    errors.INVALID_CLIENT,
    "The app client that revokes did not prove itself",
    "The client is unknown, or its secret is missing or wrong.",
    "Send Basic credentials, or client_id alone for a client without a secret.",
    "",
    401,
    level="documented",
    console="User pool, App clients, Show client secret.",
    terraform="Read client_id and client_secret from aws_cognito_user_pool_client.",
)
NOT_A_REFRESH_TOKEN = Page(
    "IK1032",
    errors.UNSUPPORTED_TOKEN_TYPE,
    "Only refresh tokens can be revoked",
    "An access or ID token was sent; these are revoked together with their refresh token.",
    "Send the refresh token of the sign-in.",
    "",
    level="documented",
)
NO_BEARER = Page(
    "IK1033",
    errors.INVALID_REQUEST,
    "userInfo needs an access token",
    "The Authorization header is missing or is no Bearer token.",
    "Send Authorization: Bearer ACCESS_TOKEN.",
    "Bad OAuth2 request at UserInfo Endpoint",
    level="documented",
)
BEARER_BAD = Page(
    "IK1034",
    errors.INVALID_TOKEN,
    "userInfo does not take this token",
    "The token expired, was revoked, is an ID token or a client's own, or has no scope openid: tokens of InitiateAuth never have.",
    "Sign in at /oauth2/authorize with the scope openid and send that access token; for InitiateAuth use GetUser.",
    "Access token is expired, disabled, or deleted, or the user has globally signed out.",
    401,
    level="documented",
)
LOGOUT_BAD = Page(
    "IK1035",
    errors.INVALID_REQUEST,
    "The sign-out leads nowhere",
    "Cognito's /logout is not OpenID Connect's: it wants client_id with logout_uri, or with redirect_uri and response_type, and "
    "the address registered.",
    "Send client_id and a logout_uri that is an allowed sign-out URL.",
    "Required parameters are missing or not registered.",
    level="documented",
    console="App client, Login pages, Edit: Allowed sign-out URLs.",
    terraform='logout_urls = ["http://localhost:3000/"]',
)
