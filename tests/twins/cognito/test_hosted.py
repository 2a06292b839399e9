"""The hosted pages: sign-up, forgotten passwords, new passwords, second factors, the implicit grant."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pyotp

from tests.issuer.house import PASSWORD, Answer
from tests.twins.cognito.pool import BASE, CALLBACK, GUEST, POOL, Pool, asked
from tests.twins.cognito.test_accounts import last_code
from tests.twins.parity import parity

OF = {"UserPoolId": POOL}
QUERY = urlencode(asked())


@parity("Hosted pages", "observed")
def test_the_sign_in_form_is_as_scripts_know_it(pool: Pool) -> None:
    """The sign-in form has the names that scripts fill in, and the ids of this house."""
    page = pool.house.get(pool.authorize(login_hint="ada").location)
    for part in ('name="cognitoSignInForm"', 'name="_csrf"', 'name="cognitoAsfData"', 'name="signInSubmitButton"'):
        assert part in page.text
    for found in ('id="username" name="username" type="text" value="ada"', 'id="password"', 'id="sign-in"'):
        assert found in page.text
    token = re.search(r'name="_csrf" value="([^"]+)"', page.text)
    assert token
    assert f"XSRF-TOKEN={token[1]}" in (page.header("set-cookie") or "")
    assert "<script" not in page.text


@parity("Hosted pages", "documented")
def test_a_wrong_password_stays_on_the_page(pool: Pool) -> None:
    """A wrong password shows the form again and signs nobody in."""
    answer = pool.send_form(pool.authorize().location, username=GUEST, password="wrong")
    assert (answer.status, "Incorrect username or password." in answer.text) == (400, True)
    assert pool.authorize().location.startswith(f"{BASE}/login"), "nobody is signed in"


@parity("Hosted pages", "documented")
def test_signing_up_on_pages(pool: Pool) -> None:
    """People sign up, confirm with the code, and sign in."""
    fields = {"username": "ada", "email": "ada@hotel.example", "password": PASSWORD}
    sent = pool.send_form(f"{BASE}/signup?{QUERY}", **fields)
    assert urlsplit(sent.location).path == f"{BASE}/confirmUser"
    early = pool.send_form(f"{BASE}/login?{QUERY}", username="ada", password=PASSWORD)
    assert urlsplit(early.location).path == f"{BASE}/confirmUser"
    confirmed = pool.send_form(sent.location, username="ada", code=last_code(pool))
    assert urlsplit(confirmed.location).path == f"{BASE}/login"
    assert "code" in pool.send_form(confirmed.location, username="ada", password=PASSWORD).sent_back


@parity("Hosted pages", "documented")
def test_a_forgotten_password_on_pages(pool: Pool) -> None:
    """A forgotten password is set anew; nobody learns whether a name is somebody's."""
    stranger = pool.send_form(f"{BASE}/forgotPassword?{QUERY}", username="nobody")
    sent = pool.send_form(f"{BASE}/forgotPassword?{QUERY}", username=GUEST)
    assert urlsplit(sent.location).path == urlsplit(stranger.location).path == f"{BASE}/confirmforgotPassword"
    code = last_code(pool)
    done = pool.send_form(sent.location, username=GUEST, code=code, password="New-Horse-77")
    assert urlsplit(done.location).path == f"{BASE}/login"
    assert "code" in pool.send_form(done.location, username=GUEST, password="New-Horse-77").sent_back


@parity("Hosted pages", "documented")
def test_a_new_password_on_pages(pool: Pool) -> None:
    """A temporary password leads to the page that asks for a new one."""
    pool.done("AdminCreateUser", {**OF, "Username": "ada", "TemporaryPassword": "Temp-Horse-1"})
    page = pool.send_form(pool.authorize().location, username="ada", password="Temp-Horse-1")
    assert "Choose a new password" in page.text
    weak = pool.fill(page, NEW_PASSWORD="weak")
    assert (weak.status, "did not conform" in weak.text) == (400, True)
    assert "code" in pool.fill(weak, NEW_PASSWORD="New-Horse-77").sent_back


@parity("Hosted pages", "documented")
def test_a_second_factor_on_pages(pool: Pool) -> None:
    """A second factor is set up and asked for on pages."""
    pool.done(
        "SetUserPoolMfaConfig", {**OF, "MfaConfiguration": "ON", "SoftwareTokenMfaConfiguration": {"Enabled": True}}
    )
    page = pool.send_form(pool.authorize().location, username=GUEST, password=PASSWORD)
    secret = re.search(r"authenticator:\s+([A-Z2-7]{32})", page.text)
    assert secret
    totp = pyotp.TOTP(secret[1])
    assert "code" in pool.fill(page, UserCode=totp.at(pool.clock.now)).sent_back
    pool.clock.move(60)
    pool.cookies.clear()
    asks = pool.send_form(pool.authorize().location, username=GUEST, password=PASSWORD)
    assert pool.fill(asks, SOFTWARE_TOKEN_MFA_CODE="000000").status == 400
    assert "code" in pool.fill(asks, SOFTWARE_TOKEN_MFA_CODE=totp.at(pool.clock.now)).sent_back


def implicit(pool: Pool) -> Answer:
    made = pool.done(
        "CreateUserPoolClient",
        {
            **OF,
            "ClientName": "page",
            "AllowedOAuthFlows": ["implicit"],
            "AllowedOAuthFlowsUserPoolClient": True,
            "AllowedOAuthScopes": ["openid", "email"],
            "CallbackURLs": [CALLBACK],
        },
    )["UserPoolClient"]
    return pool.browse(client_id=made["ClientId"], response_type="token", nonce="n-2")


@parity("Authorize", "documented")
def test_the_implicit_grant_answers_in_the_fragment(pool: Pool) -> None:
    """The implicit grant answers in the fragment, without a refresh token, with token_type in lower case."""
    to = urlsplit(implicit(pool).location)
    told = {name: values[0] for name, values in parse_qs(to.fragment).items()}
    assert list(told) == ["id_token", "access_token", "token_type", "expires_in", "state"]
    assert (to.query, told["token_type"], told["expires_in"], told["state"]) == ("", "bearer", "3600", "s-1")
    assert pool.claims(told["id_token"])["nonce"] == "n-2"
