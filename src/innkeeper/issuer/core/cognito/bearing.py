"""An access token opens one's own account in the JSON API."""

from __future__ import annotations

from innkeeper.issuer.core.cognito.calling import TOKEN_BAD
from innkeeper.issuer.core.cognito.endpoints import BearerCase
from innkeeper.issuer.core.cognito.records import OWN_ACCOUNT
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, check


@check("Cognito API: AccessToken")
def the_token_is_an_access_token(case: BearerCase) -> Seen | Refusal:
    """The token is an access token that this pool signed."""
    if case.claims.get("token_use") != "access":
        return Refusal(TOKEN_BAD, "no access token of this pool", "access", str(case.claims.get("token_use", "none")))
    return Seen("access")


@check("Cognito API: AccessToken")
def the_token_is_alive(case: BearerCase) -> Seen | Refusal:
    """It has not expired."""
    late = case.now - int(str(case.claims["exp"]))
    if late >= 0:
        return Refusal(TOKEN_BAD, f"it expired {late} s ago", "not expired", "expired", said="Access Token has expired")
    return Seen(f"{-late} s left")


@check("Cognito API: AccessToken")
def its_sign_in_stands(case: BearerCase) -> Seen | Refusal:
    """Nobody revoked the sign-in that it came of, and its user is here and enabled."""
    if case.grant is None or case.grant.revoked_at is not None:
        return Refusal(
            TOKEN_BAD, "its sign-in was revoked", "standing", "revoked", said="Access Token has been revoked"
        )
    if case.user is None:
        return Refusal(TOKEN_BAD, "the user was deleted", "a user", "none")
    if case.user.person.disabled:
        return Refusal(TOKEN_BAD, "the user was disabled", "enabled", "disabled", said="User is disabled.")
    return Seen(case.user.sub)


@check("Cognito API: aws.cognito.signin.user.admin")
def it_opens_ones_own_account(case: BearerCase) -> Seen | Refusal:
    """It has the scope for one's own account."""
    held = str(case.claims.get("scope", ""))
    if OWN_ACCOUNT not in held.split():
        said = "Access Token does not have required scopes"
        return Refusal(TOKEN_BAD, "the scope is missing", OWN_ACCOUNT, held, said=said)
    return Seen(held)


CHECKS = (the_token_is_an_access_token, the_token_is_alive, its_sign_in_stands, it_opens_ones_own_account)
