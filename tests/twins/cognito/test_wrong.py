"""One wrong thing at a time, and the cloud's own answer to each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from authlib.oidc.core import CodeIDToken
from joserfc.errors import InvalidClaimError

from innkeeper.issuer.core.cognito.srp import secret_hash
from tests.issuer.house import PASSWORD, VERIFIER
from tests.twins.cognito.pool import CALLBACK, CHALLENGE, CONCIERGE, GUEST, GUEST_APP, HOTEL, SECRET, Pool, Told, basic
from tests.twins.cognito.test_oauth import refused
from tests.twins.parity import parity

INCORRECT = ("NotAuthorizedException", "Incorrect username or password.")
CREDENTIALS = {"grant_type": "client_credentials"}


def initiated(pool: Pool, client: str, **said: str) -> Told:
    ask = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": client, "AuthParameters": {"USERNAME": GUEST, **said}}
    return pool.call("InitiateAuth", ask, authorization="")


def of_password(pool: Pool) -> object:
    told = initiated(pool, GUEST_APP, PASSWORD="wrong")
    return told.kind, told.message


def of_hash(pool: Pool) -> object:
    told = initiated(pool, CONCIERGE, PASSWORD=PASSWORD, SECRET_HASH=secret_hash("another", GUEST, CONCIERGE))
    return told.kind, told.message


def of_secret(pool: Pool) -> object:
    return refused(pool.token(CREDENTIALS, authorization=basic(secret="another")))


def of_scope(pool: Pool) -> object:
    return refused(pool.token({**CREDENTIALS, "scope": f"{HOTEL}/roof:enter"}, authorization=basic()))


def of_redirect(pool: Pool) -> object:
    answer = pool.authorize(redirect_uri="http://127.0.0.1:8765/another")
    return answer.status, answer.header("location"), "redirect_mismatch" in answer.text


def of_redirect_at_the_exchange(pool: Pool) -> object:
    answer = pool.redeem(pool.code(), redirect_uri=f"{CALLBACK}/another")
    return refused(answer), '"error_description":"invalid_redirect"' in answer.text


def of_code(pool: Pool) -> object:
    return refused(pool.redeem("9f3b1f0e-1111-4111-8111-000000000000"))


def of_verifier(pool: Pool) -> object:
    return refused(pool.redeem(pool.code(**CHALLENGE), code_verifier=VERIFIER[::-1]))


GONE = (
    401,
    (
        'error="invalid_token", error_description="Access token is expired, disabled, or deleted, or the user has globally '
        'signed out."'
    ),
)


def of_expired_token(pool: Pool) -> object:
    tokens = pool.by_code(scope="openid aws.cognito.signin.user.admin")
    pool.clock.move(3601)
    return _both(pool, tokens["access_token"])


def of_revoked_token(pool: Pool) -> object:
    tokens = pool.by_code(scope="openid aws.cognito.signin.user.admin")
    form = {"token": tokens["refresh_token"], "client_id": CONCIERGE, "client_secret": SECRET}
    assert pool.post("/oauth2/revoke", form).status == 200
    return _both(pool, tokens["access_token"])


def _both(pool: Pool, token: str) -> object:
    """What userInfo and the API say to a token."""
    answer = pool.house.get("/us-east-1_innkeepr1/oauth2/userInfo", authorization=f"Bearer {token}")
    told = pool.call("GetUser", {"AccessToken": token}, authorization="")
    return (answer.status, answer.header("www-authenticate")), (told.kind, told.message)


@pytest.mark.parametrize(
    ("wrong", "answer"),
    [
        (of_password, INCORRECT),
        (of_hash, ("NotAuthorizedException", f"Unable to verify secret hash for client {CONCIERGE}")),
        (of_secret, (400, "invalid_client")),
        (of_scope, (400, "invalid_scope")),
        (of_redirect, (400, None, True)),
        (of_redirect_at_the_exchange, ((400, "unauthorized_client"), True)),
        (of_code, (400, "invalid_grant")),
        (of_verifier, (400, "invalid_grant")),
        (of_expired_token, (GONE, ("NotAuthorizedException", "Access Token has expired"))),
        (of_revoked_token, (GONE, ("NotAuthorizedException", "Access Token has been revoked"))),
    ],
)
@parity("Wrong things", "observed")
def test_each_wrong_thing_has_the_clouds_own_answer(
    pool: Pool, wrong: Callable[[Pool], object], answer: object
) -> None:
    """A wrong password, hash, secret, scope, redirect URI, code or verifier, an expired and a revoked token each have their own."""
    assert wrong(pool) == answer


@parity("Wrong things", "documented")
def test_a_wrong_nonce_is_for_the_client_to_see(pool: Pool) -> None:
    """The nonce of the request is in the ID token as it was sent; a client that expects another one refuses the token."""
    claims = pool.claims(pool.by_code(nonce="n-1")["id_token"])
    CodeIDToken(claims, {}, params={"nonce": "n-1", "client_id": CONCIERGE}).validate_nonce()
    with pytest.raises(InvalidClaimError, match="nonce"):
        CodeIDToken(claims, {}, params={"nonce": "n-2", "client_id": CONCIERGE}).validate_nonce()
