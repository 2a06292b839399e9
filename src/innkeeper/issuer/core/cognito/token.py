"""A pool's token endpoint: which client, which grant, and what each grant comes to."""

from __future__ import annotations

from hmac import compare_digest

import msgspec

from innkeeper.issuer.core.cognito.records import CLIENT_CREDENTIALS, CODE, STANDARD_SCOPES, AppClient, User
from innkeeper.issuer.core.records import Code, Grant, RefreshToken
from innkeeper.protocol import errors, pkce
from innkeeper.protocol.parameters import Parameters
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
NEEDED = {
    "authorization_code": ("code", "redirect_uri"),
    "refresh_token": ("refresh_token",),
    "client_credentials": (),
    TOKEN_EXCHANGE: ("subject_token", "subject_token_type"),
}
"""The grants of the endpoint, and what each cannot do without."""


class Ask(msgspec.Struct, frozen=True):
    """A request to an endpoint for programs: ``secret`` is None where none was sent; ``problem`` says why the body or the
    header cannot be read."""

    sent: Parameters
    client_id: str = ""
    secret: str | None = None
    problem: str = ""


class Case(msgspec.Struct, frozen=True):
    """``proved`` says that the secret is one of the client's."""

    ask: Ask
    client: AppClient | None
    proved: bool = False


def _client(case: Case) -> AppClient:
    """The client that an earlier check found."""
    if case.client is None:
        raise LookupError("no client: the_client_is_known stands before this check")
    return case.client


@check("Cognito token endpoint: request")
def the_body_is_a_form(case: Case) -> Seen | Refusal:
    """The request is a form that can be read; JSON is not."""
    if case.ask.problem:
        return Refusal(UNREADABLE, case.ask.problem, "application/x-www-form-urlencoded", "something else")
    return Seen(f"{len(case.ask.sent)} parameters")


@check("Cognito token endpoint: request")
def a_grant_type_is_named(case: Case) -> Seen | Refusal:
    """The request says which grant it redeems."""
    if "grant_type" not in case.ask.sent:
        return Refusal(PARAMETER_MISSING, "grant_type is missing", "grant_type", "no such parameter")
    return Seen(case.ask.sent["grant_type"])


@check("Cognito token endpoint: grants")
def the_grant_type_is_known(case: Case) -> Seen | Refusal:
    """The grant is a code, a refresh token, client credentials or a token to exchange."""
    sent = case.ask.sent["grant_type"]
    if sent not in NEEDED:
        return Refusal(GRANT_UNKNOWN, f"no grant {sent!r} at a user pool", " or ".join(NEEDED), sent)
    return Seen(sent)


@check("Cognito token endpoint: client authentication")
def the_client_is_known(case: Case) -> Seen | Refusal:
    """The client id, in the body or in the Basic header, is one of this pool's app clients."""
    if not case.ask.client_id:
        return Refusal(
            CLIENT_UNKNOWN, "no client_id, neither in the body nor in a Basic header", "client_id", "nothing"
        )
    if case.client is None:
        return Refusal(CLIENT_UNKNOWN, "no app client of this pool has that id", "an app client", case.ask.client_id)
    return Seen(case.client.id)


@check("Cognito token endpoint: client authentication")
def the_client_proved_itself(case: Case) -> Seen | Refusal:
    """A client that has a secret sends it, every time; one that has none sends none."""
    client = _client(case)
    if client.confidential and case.ask.secret is None:
        return Refusal(SECRET_WRONG, "the client has a secret, and none was sent", "client_secret", "no secret")
    if client.confidential and not case.proved:
        return Refusal(SECRET_WRONG, "the secret is none of the client's", "one of its secrets", "another")
    if not client.confidential and case.ask.secret:
        return Refusal(SECRET_WRONG, "the client has no secret, and one was sent", "no secret", "a secret")
    return Seen("with its secret" if client.confidential else "has none")


@check("Cognito app client: AllowedOAuthFlowsUserPoolClient")
def the_endpoints_serve_the_client(case: Case) -> Seen | Refusal:
    """The OAuth endpoints serve only clients that were made for them."""
    if not _client(case).oauth:
        return Refusal(NOT_FOR_OAUTH, "AllowedOAuthFlowsUserPoolClient is false", "true", "false")
    return Seen("true")


@check("Cognito app client: AllowedOAuthFlows")
def the_client_may_use_the_grant(case: Case) -> Seen | Refusal:
    """The client's flows include the one that the grant belongs to."""
    client, sent = _client(case), case.ask.sent["grant_type"]
    flow = {"authorization_code": CODE, "client_credentials": CLIENT_CREDENTIALS}.get(sent)
    if flow is not None and flow not in client.grants:
        return Refusal(GRANT_NOT_ALLOWED, f"the client may not use {sent}", flow, " ".join(client.grants) or "none")
    if sent == "client_credentials" and not client.confidential:
        return Refusal(GRANT_NOT_ALLOWED, "a client without a secret has no credentials", "a secret", "none")
    return Seen(sent, client.grants)


@check("Cognito token endpoint: request")
def what_the_grant_needs_is_there(case: Case) -> Seen | Refusal:
    """Every parameter without which the grant cannot be redeemed was sent."""
    needed = NEEDED[case.ask.sent["grant_type"]]
    missing = next((name for name in needed if name not in case.ask.sent), None)
    if missing:
        return Refusal(PARAMETER_MISSING, f"{missing} is missing", " ".join(needed), " ".join(case.ask.sent))
    return Seen(needed or "nothing more")


CHECKS = (
    the_body_is_a_form,
    a_grant_type_is_named,
    the_grant_type_is_known,
    the_client_is_known,
    the_client_proved_itself,
    the_endpoints_serve_the_client,
    the_client_may_use_the_grant,
    what_the_grant_needs_is_there,
)


class CodeCase(msgspec.Struct, frozen=True):
    ask: Ask
    client: AppClient
    code: Code | None
    user: User | None
    now: int


def _code(case: CodeCase) -> Code:
    if case.code is None:
        raise LookupError("no code: the_code_is_known stands before this check")
    return case.code


@check("Cognito token endpoint: authorization code")
def the_code_is_known(case: CodeCase) -> Seen | Refusal:
    """The code was cut by this pool."""
    if case.code is None:
        return Refusal(CODE_BAD, "no such code was cut here", "a code of this pool", "another text")
    return Seen("cut here")


@check("Cognito token endpoint: authorization code")
def the_code_is_the_clients(case: CodeCase) -> Seen | Refusal:
    """The code is redeemed by the client that it was cut for."""
    owner = _code(case).grant.client_id
    if owner != case.client.id:
        return Refusal(CODE_BAD, "the code was cut for another client", owner, case.client.id)
    return Seen(owner)


@check("Cognito token endpoint: authorization code")
def the_code_is_unspent(case: CodeCase) -> Seen | Refusal:
    """A code works once."""
    spent = _code(case).spent_at
    if spent is not None:
        return Refusal(CODE_BAD, f"the code was redeemed {case.now - spent} s ago", "unspent", "spent")
    return Seen("unspent")


@check("Cognito token endpoint: authorization code")
def the_code_is_fresh(case: CodeCase) -> Seen | Refusal:
    """A code lives five minutes."""
    left = _code(case).expires_at - case.now
    if left <= 0:
        return Refusal(CODE_BAD, f"the code expired {-left} s ago", "not older than 5 minutes", "expired")
    return Seen(f"{left} s left")


@check("Cognito token endpoint: redirect_uri")
def the_redirect_uri_is_the_same(case: CodeCase) -> Seen | Refusal:
    """The redirect URI is the one that the code was sent to."""
    before, sent = _code(case).redirect_uri, case.ask.sent["redirect_uri"]
    if before != sent:
        return Refusal(REDIRECT_DIFFERS, "redirect_uri is not the one of the authorization request", before, sent)
    return Seen(sent)


@check("Cognito token endpoint: code_verifier")
def the_verifier_fits(case: CodeCase) -> Seen | Refusal:
    """The verifier, hashed, equals the challenge; where no challenge was sent, no verifier is either."""
    kept, sent = _code(case).challenge, case.ask.sent.get("code_verifier")
    if kept is None:
        return Seen("none was asked for")
    if sent is None:
        return Refusal(
            CODE_BAD, "the request began with a challenge, and no code_verifier came", "code_verifier", "none"
        )
    if not (sent.isascii() and compare_digest(pkce.challenge(sent), kept)):
        return Refusal(
            CODE_BAD, "the verifier does not hash to the challenge", "the verifier of the challenge", "another"
        )
    return Seen("S256")


READ_BY_SCOPE = {"email": ("email", "email_verified"), "phone": ("phone_number", "phone_number_verified")}


@check("Cognito token endpoint: attribute read permissions")
def the_client_may_read_what_the_scopes_tell(case: CodeCase) -> Seen | Refusal:
    """Every attribute that a granted scope stands for is one that the client may read."""
    wanted = (one for scope in _code(case).grant.scopes for one in READ_BY_SCOPE.get(scope, ()))
    unreadable = next((one for one in sorted(wanted) if not case.client.may_read(one)), None)
    if unreadable:
        return Refusal(UNREADABLE_ATTRIBUTE, f"the client may not read {unreadable}", unreadable, "not readable")
    return Seen("readable")


@check("Cognito token endpoint: user")
def the_user_is_still_here(case: CodeCase) -> Seen | Refusal:
    """The person who signed in has an account that is open."""
    if case.user is None or case.user.person.disabled:
        return Refusal(CODE_BAD, "the user was deleted or disabled since", "an enabled user", "none")
    return Seen(case.user.sub)


CODE_CHECKS = (
    the_code_is_known,
    the_code_is_the_clients,
    the_code_is_unspent,
    the_code_is_fresh,
    the_redirect_uri_is_the_same,
    the_verifier_fits,
    the_client_may_read_what_the_scopes_tell,
    the_user_is_still_here,
)


class RefreshCase(msgspec.Struct, frozen=True):
    """``successor_spent`` says that the token that followed this one was used in its turn."""

    client: AppClient
    token: RefreshToken | None
    grant: Grant | None
    user: User | None
    now: int


@check("Cognito token endpoint: refresh token")
def the_refresh_token_is_the_clients(case: RefreshCase) -> Seen | Refusal:
    """The refresh token was cut by this pool, for this client."""
    if case.token is None or case.grant is None:
        return Refusal(
            REFRESH_BAD, "no such refresh token was cut here", "a refresh token of this pool", "another text"
        )
    if case.grant.client_id != case.client.id:
        return Refusal(REFRESH_BAD, "it was cut for another client", case.grant.client_id, case.client.id)
    return Seen(case.client.id)


@check("Cognito token endpoint: refresh token")
def the_sign_in_was_not_revoked(case: RefreshCase) -> Seen | Refusal:
    """Nobody revoked the token or signed its user out everywhere."""
    if case.grant is None or case.grant.revoked_at is not None:
        return Refusal(REFRESH_REVOKED, "the sign-in that it belongs to was revoked", "standing", "revoked")
    return Seen("standing")


@check("Cognito token endpoint: refresh token")
def the_refresh_token_is_alive(case: RefreshCase) -> Seen | Refusal:
    """A refresh token lives as long as its client's RefreshTokenValidity says; rotating it does not make it longer."""
    left = (case.token.expires_at if case.token else 0) - case.now
    if left <= 0:
        return Refusal(REFRESH_EXPIRED, f"it expired {-left} s ago", "not expired", "expired")
    return Seen(f"{left} s left")


@check("Cognito refresh token rotation")
def the_refresh_token_was_not_rotated_out(case: RefreshCase) -> Seen | Refusal:
    """Where tokens rotate, an old one works for the grace period and not longer."""
    spent = case.token.spent_at if case.token else None
    if spent is None:
        return Seen("the newest")
    if case.now - spent >= case.client.grace:
        expected = f"within {case.client.grace} s of its rotation"
        return Refusal(REFRESH_REUSED, f"it was rotated {case.now - spent} s ago", expected, "later")
    return Seen(f"rotated {case.now - spent} s ago", f"within {case.client.grace} s")


@check("Cognito token endpoint: user")
def the_refreshed_user_is_still_here(case: RefreshCase) -> Seen | Refusal:
    """The person who signed in has an account that is open."""
    if case.user is None:
        return Refusal(REFRESH_BAD, "the user was deleted since", "a user", "none")
    if case.user.person.disabled:
        return Refusal(REFRESH_BAD, "the user was disabled since", "an enabled user", "disabled")
    return Seen(case.user.sub)


REFRESH_CHECKS = (
    the_refresh_token_is_the_clients,
    the_sign_in_was_not_revoked,
    the_refresh_token_is_alive,
    the_refresh_token_was_not_rotated_out,
    the_refreshed_user_is_still_here,
)


class ScopeCase(msgspec.Struct, frozen=True):
    """``known`` are the custom scopes of the pool's resource servers."""

    client: AppClient
    asked: tuple[str, ...]
    known: frozenset[str]


@check("Cognito client credentials: scopes")
def the_scopes_are_the_clients_own(case: ScopeCase) -> Seen | Refusal:
    """A client on its own behalf gets custom scopes of resource servers alone, and only those it is registered for."""
    mine = tuple(one for one in case.client.scopes if one not in STANDARD_SCOPES)
    for one in case.asked:
        if one in STANDARD_SCOPES:
            return Refusal(SCOPE_BAD, f"{one} is about a person, and there is none", " ".join(mine), one)
        if one not in mine:
            return Refusal(SCOPE_BAD, f"the client is not registered for {one}", " ".join(mine), one)
    return Seen(case.asked or mine, mine)


@check("Cognito client credentials: scopes")
def there_is_a_scope_to_give(case: ScopeCase) -> Seen | Refusal:
    """At least one custom scope that still exists is left."""
    given = granted(case)
    if not given:
        return Refusal(SCOPE_BAD, "the client has no custom scope that exists", "a scope of a resource server", "none")
    return Seen(given)


SCOPE_CHECKS = (the_scopes_are_the_clients_own, there_is_a_scope_to_give)


def leniently(case: ScopeCase) -> ScopeCase:
    """The request without the scopes that the client does not have, unless it has none of them."""
    own = tuple(one for one in case.asked if one in case.client.scopes and one not in STANDARD_SCOPES)
    return ScopeCase(case.client, own or case.asked, case.known)


def granted(case: ScopeCase) -> tuple[str, ...]:
    """Those asked for, else all of the client's; a scope that was deleted since is left out in silence."""
    return tuple(one for one in (case.asked or case.client.scopes) if one in case.known)


UNREADABLE = Page(
    "IK1000",
    errors.INVALID_REQUEST,
    "The request is not a form",
    "The token endpoint reads application/x-www-form-urlencoded alone; a JSON body, or a Basic header that is not base64 of "
    "id:secret, is not read.",
    "Send the parameters as a form: `requests.post(url, data={...})`, not `json={...}`.",
    "",
    level="observed",
)
PARAMETER_MISSING = Page(
    "IK1001",
    errors.INVALID_REQUEST,
    "A parameter is missing",
    "The grant cannot be redeemed without grant_type, and a code not without code and redirect_uri.",
    "Send the parameter in the form body; an empty value counts as missing.",
    "",
    level="documented",
)
GRANT_UNKNOWN = Page(
    "IK1002",
    errors.UNSUPPORTED_GRANT_TYPE,
    "A grant that user pools do not have",
    "User pools know authorization_code, refresh_token, client_credentials and token exchange; password and device codes are "
    "not among them.",
    "Sign people in with the code grant, or with InitiateAuth of the JSON API.",
    "",
    level="documented",
)
CLIENT_UNKNOWN = Page(
    "IK1003",
    errors.INVALID_CLIENT,
    "The app client is unknown",
    "No client_id came, or it is none of this pool's: often it is another pool's, or of a client that Terraform made anew.",
    "Send the id that `innkeeper twin show` prints, or DescribeUserPoolClient.",
    "",
    level="documented",
    console="User pool, App clients: copy the client ID.",
    terraform="Read it from aws_cognito_user_pool_client.NAME.id.",
)
SECRET_WRONG = Page(
    "IK1004",
    errors.INVALID_CLIENT,
    "The app client did not prove itself",
    "The client has a secret and none or another one was sent, or it has none and one was sent.",
    "Send the secret with HTTP Basic or as client_secret; for a browser app make a client without a secret.",
    "",
    level="documented",
    console="User pool, App clients, Show client secret.",
    terraform="generate_secret decides whether the client has one; read it from client_secret.",
)
NOT_FOR_OAUTH = Page(
    "IK1005",
    errors.UNAUTHORIZED_CLIENT,
    "The app client is not for the OAuth endpoints",
    "AllowedOAuthFlowsUserPoolClient is false, which is its default: the JSON API serves the client, the domain does not.",
    "Set AllowedOAuthFlowsUserPoolClient=True together with AllowedOAuthFlows and AllowedOAuthScopes.",
    "",
    level="documented",
    console="App client, Login pages, Edit: choose grant types and scopes.",
    terraform="allowed_oauth_flows_user_pool_client = true",
)
GRANT_NOT_ALLOWED = Page(
    "IK1006",
    errors.UNAUTHORIZED_CLIENT,
    "The app client may not use this grant",
    "AllowedOAuthFlows does not name the flow; client_credentials has to be a client's only flow and needs a secret.",
    "Use a client that has the flow; machines and people need a client each.",
    "",
    level="documented",
    console="App client, Login pages, Edit: OAuth grant types.",
    terraform='allowed_oauth_flows = ["client_credentials"], or ["code"] for people.',
)
CODE_BAD = Page(
    "IK1007",
    errors.INVALID_GRANT,
    "The code cannot be redeemed",
    "It is unknown, was redeemed before, is older than five minutes, was cut for another client, or the code_verifier is "
    "not the one of its challenge.",
    "Redeem a code once, at once, with the verifier that belongs to its challenge; start again for a new one.",
    "",
    level="documented",
)
REDIRECT_DIFFERS = Page(
    "IK1008",
    errors.UNAUTHORIZED_CLIENT,
    "The redirect URI is not the one of the authorization request",
    "Cognito calls this unauthorized_client with invalid_redirect, where RFC 6749 has invalid_grant.",
    "Send the very same redirect_uri to /oauth2/authorize and /oauth2/token.",
    "invalid_redirect",
    level="documented",
    console="App client, Login pages: Allowed callback URLs lists what may be sent.",
    terraform="callback_urls of aws_cognito_user_pool_client.",
)
UNREADABLE_ATTRIBUTE = Page(
    "IK1009",
    errors.INVALID_GRANT,
    "A granted scope tells an attribute that the client may not read",
    "The scope stands for attributes (email for email and email_verified), and ReadAttributes leaves one of them out. A "
    "request without any scope asks for all of the client's.",
    "Ask for scopes by name, or let the client read the attributes.",
    "",
    level="documented",
    console="App client, Attribute permissions.",
    terraform='read_attributes = ["email", "email_verified"]',
)
REFRESH_BAD = Page(
    "IK1010",
    errors.INVALID_GRANT,
    "The refresh token is unknown",
    "It was cut by another pool or for another client, or its user is gone or disabled.",
    "Sign in again; refresh with the client that signed in.",
    "Invalid Refresh Token",
    level="documented",
)
REFRESH_REVOKED = Page(
    "IK1011",
    errors.INVALID_GRANT,
    "The refresh token was revoked",
    "RevokeToken or /oauth2/revoke was called with it, or its user was signed out everywhere.",
    "Sign in again.",
    "Refresh Token has been revoked",
    level="documented",
)
REFRESH_EXPIRED = Page(
    "IK1012",
    errors.INVALID_GRANT,
    "The refresh token has expired",
    "RefreshTokenValidity of the client is over since the sign-in.",
    "Sign in again, or let refresh tokens of the client live longer.",
    "Refresh Token has expired",
    level="documented",
    console="App client, Refresh token expiration.",
    terraform="refresh_token_validity, with token_validity_units.",
)
REFRESH_REUSED = Page(
    "IK1013",
    errors.INVALID_GRANT,
    "The refresh token was rotated out",
    "Rotation is on for the client: each refresh gives a new refresh token, and the old one works no longer than the grace "
    "period.",
    "Keep the newest refresh token; allow a grace period where several processes refresh.",
    "Refresh token has been rotated",
    level="inferred",
    console="App client, Refresh token rotation.",
    terraform="refresh_token_rotation { feature = ENABLED, retry_grace_period_seconds = 60 }",
)
SCOPE_BAD = Page(
    "IK1014",
    errors.INVALID_SCOPE,
    "A scope that the client cannot have",
    "Client credentials get custom scopes alone, spelt with their resource server's identifier, and only those in "
    "AllowedOAuthScopes. AWS's guide says both that others are ignored and that they are refused; clients meet a refusal.",
    "Ask for IDENTIFIER/SCOPE as in AllowedOAuthScopes, or for no scope to get them all.",
    "",
    level="inferred",
    console="App client, Login pages, Edit: Custom scopes.",
    terraform='allowed_oauth_scopes = ["${aws_cognito_resource_server.NAME.identifier}/read"]',
)
