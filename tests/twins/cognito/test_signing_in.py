"""The JSON API on signing in: flows, secure remote password, second factors, refreshing, clients' own tokens, exchange."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pyotp
import pytest

from innkeeper.issuer.core.cognito import srp
from tests.issuer.house import NOW, PASSWORD
from tests.twins.cognito.pool import (
    CONCIERGE,
    GUEST,
    GUEST_APP,
    HOTEL,
    POOL,
    SECRET,
    SETTINGS,
    Pool,
    Told,
    basic,
    hashed,
)
from tests.twins.cognito.test_accounts import last_code, sign_in
from tests.twins.parity import parity

OF = {"UserPoolId": POOL}
STAMP = "Fri Jan 15 08:00:00 UTC 2027"


class Prover:
    """A client's half of the secure remote password, written from the facts and sharing no line with the pool's half."""

    def __init__(self, username: str, password: str, secret: int = 0x1234567890ABCDEF << 200) -> None:
        self.username, self.password, self.secret = username, password, secret
        self.public = pow(2, secret, srp.PRIME)

    def sign(self, told: dict[str, str], stamp: str = STAMP) -> str:
        def number(data: bytes) -> int:
            return int(hashlib.sha256(data).hexdigest(), 16)

        def hexed(value: int) -> bytes:
            text = f"{value:x}"
            text = "0" + text if len(text) % 2 else text
            return bytes.fromhex("00" + text if text[0] in "89abcdef" else text)

        b = int(told["SRP_B"], 16)
        name, salt = told["USER_ID_FOR_SRP"], int(told["SALT"], 16)
        u = number(hexed(self.public) + hexed(b))
        k = number(hexed(srp.PRIME) + hexed(2))
        short = POOL.split("_")[1]
        inner = hashlib.sha256(f"{short}{name}:{self.password}".encode()).digest()
        x = number(hexed(salt) + inner)
        shared = pow(b - k * pow(2, x, srp.PRIME), self.secret + u * x, srp.PRIME)
        extracted = hmac.new(hexed(u), hexed(shared), "sha256").digest()
        key = hmac.new(extracted, b"Caldera Derived Key\x01", "sha256").digest()[:16]
        said = f"{short}{name}".encode() + b64decode(told["SECRET_BLOCK"]) + stamp.encode()
        return b64encode(hmac.new(key, said, "sha256").digest()).decode()


def prove(pool: Pool, password: str, **changed: str) -> Told:
    told, prover = begin_proof(pool, password)
    return answer_proof(pool, told, prover, **changed)


def begin_proof(pool: Pool, password: str, username: str = GUEST) -> tuple[dict[str, str], Prover]:
    prover = Prover(username, password)
    parameters = {"USERNAME": username, "SRP_A": f"{prover.public:x}"}
    told = pool.done("InitiateAuth", {"AuthFlow": "USER_SRP_AUTH", "ClientId": GUEST_APP, "AuthParameters": parameters})
    assert told["ChallengeName"] == "PASSWORD_VERIFIER"
    return told["ChallengeParameters"], prover


def answer_proof(pool: Pool, told: dict[str, str], prover: Prover, **changed: str) -> Told:
    responses = {
        "USERNAME": told["USER_ID_FOR_SRP"],
        "PASSWORD_CLAIM_SECRET_BLOCK": told["SECRET_BLOCK"],
        "PASSWORD_CLAIM_SIGNATURE": prover.sign(told),
        "TIMESTAMP": STAMP,
        **changed,
    }
    answer = {"ClientId": GUEST_APP, "ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": responses}
    return pool.call("RespondToAuthChallenge", answer, authorization="")


def respond(pool: Pool, told: dict[str, Any], **responses: str) -> Told:
    answer = {"ClientId": GUEST_APP, "ChallengeName": told["ChallengeName"], "Session": told["Session"]}
    return pool.call("RespondToAuthChallenge", {**answer, "ChallengeResponses": {"USERNAME": GUEST, **responses}})


@parity("Secure remote password", "observed")
def test_the_password_is_proved_without_being_sent(pool: Pool) -> None:
    """A right proof signs in, and a wrong password, a changed block or time does not."""
    assert "AccessToken" in prove(pool, PASSWORD).body["AuthenticationResult"]
    for told in (
        prove(pool, "wrong"),
        prove(pool, PASSWORD, TIMESTAMP="Fri Jan 15 08:00:01 UTC 2027"),
        prove(pool, PASSWORD, PASSWORD_CLAIM_SECRET_BLOCK=b64encode(b"x" * 64).decode()),
    ):
        assert (told.kind, told.message) == ("NotAuthorizedException", "Incorrect username or password.")


@parity("Secure remote password", "inferred")
def test_a_proof_works_once_and_not_for_long(pool: Pool) -> None:
    """A proof works once, and for three minutes."""
    told, prover = begin_proof(pool, PASSWORD)
    assert answer_proof(pool, told, prover).status == 200
    assert answer_proof(pool, told, prover).kind == "NotAuthorizedException"
    told, prover = begin_proof(pool, PASSWORD)
    pool.clock.move(181)
    assert answer_proof(pool, told, prover).kind == "NotAuthorizedException"


@parity("Secure remote password", "documented")
def test_a_stranger_gets_a_challenge_too(pool: Pool) -> None:
    """A stranger gets a challenge like anybody where the client hides who is here."""
    told, prover = begin_proof(pool, PASSWORD, "nobody")
    again, _ = begin_proof(pool, PASSWORD, "nobody")
    assert told["SALT"] == again["SALT"]
    assert answer_proof(pool, told, prover).message == "Incorrect username or password."


@pytest.mark.parametrize("public", ["0", f"{srp.PRIME:x}", f"{2 * srp.PRIME:x}", "nonsense", ""])
def test_a_public_value_that_gives_the_key_away_is_refused(pool: Pool, public: str) -> None:
    ask = {"AuthFlow": "USER_SRP_AUTH", "ClientId": GUEST_APP, "AuthParameters": {"USERNAME": GUEST, "SRP_A": public}}
    assert pool.call("InitiateAuth", ask).kind == "InvalidParameterException"


@parity("Signing in", "inferred")
def test_flows_are_enabled_one_by_one(pool: Pool) -> None:
    """A flow that is not enabled for the client is refused by its name; admin flows are administrators' alone."""
    made = pool.done("CreateUserPoolClient", {**OF, "ClientName": "usual"})["UserPoolClient"]
    told = sign_in(pool, GUEST, PASSWORD, made["ClientId"])
    assert (told.kind, told.message) == (
        "InvalidParameterException",
        "USER_PASSWORD_AUTH flow not enabled for this client",
    )
    ask = {
        "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
        "ClientId": GUEST_APP,
        "AuthParameters": {"USERNAME": GUEST, "PASSWORD": PASSWORD},
    }
    assert pool.call("InitiateAuth", ask).kind == "InvalidParameterException"
    assert "AccessToken" in pool.done("AdminInitiateAuth", {**OF, **ask})["AuthenticationResult"]


@parity("Refresh", "documented")
def test_refreshing_by_the_api(pool: Pool) -> None:
    """REFRESH_TOKEN_AUTH gives no refresh token; its hash is made over the user name."""
    token = pool.sign_in()["RefreshToken"]
    ask = {"AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": GUEST_APP, "AuthParameters": {"REFRESH_TOKEN": token}}
    result = pool.done("InitiateAuth", ask)["AuthenticationResult"]
    assert sorted(result) == ["AccessToken", "ExpiresIn", "IdToken", "TokenType"]
    wrong = pool.call("InitiateAuth", {**ask, "AuthParameters": {"REFRESH_TOKEN": "garbage"}})
    assert (wrong.kind, wrong.message) == ("NotAuthorizedException", "Invalid Refresh Token")
    parameters = {"USERNAME": GUEST, "PASSWORD": PASSWORD, "SECRET_HASH": hashed(GUEST)}
    first = pool.done(
        "InitiateAuth", {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": CONCIERGE, "AuthParameters": parameters}
    )["AuthenticationResult"]
    by_hash = {"AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": CONCIERGE}
    sent = {"REFRESH_TOKEN": first["RefreshToken"]}
    assert pool.call("InitiateAuth", {**by_hash, "AuthParameters": sent}).kind == "NotAuthorizedException"
    assert (
        pool.call("InitiateAuth", {**by_hash, "AuthParameters": {**sent, "SECRET_HASH": hashed(GUEST)}}).status == 200
    )
    direct = {"RefreshToken": first["RefreshToken"], "ClientId": CONCIERGE, "ClientSecret": SECRET}
    assert "AccessToken" in pool.done("GetTokensFromRefreshToken", direct)["AuthenticationResult"]


@parity("Refresh", "documented")
def test_rotation_gives_one_successor(pool: Pool) -> None:
    """With rotation each refresh gives a new token of the same end, and the old one lives for the grace alone."""
    made = pool.done(
        "CreateUserPoolClient",
        {
            **OF,
            "ClientName": "rotating",
            "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"],
            "RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 10},
        },
    )["UserPoolClient"]["ClientId"]
    first = sign_in(pool, GUEST, PASSWORD, made).body["AuthenticationResult"]["RefreshToken"]
    ask = {"ClientId": made, "RefreshToken": first}
    second = pool.done("GetTokensFromRefreshToken", ask)["AuthenticationResult"]["RefreshToken"]
    assert second != first
    pool.clock.move(9)
    assert pool.done("GetTokensFromRefreshToken", ask)["AuthenticationResult"]["RefreshToken"] == second
    pool.clock.move(1)
    assert pool.call("GetTokensFromRefreshToken", ask).kind == "RefreshTokenReuseException"
    assert pool.call("GetTokensFromRefreshToken", {**ask, "RefreshToken": second}).status == 200
    by_flow = {"AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": made, "AuthParameters": {"REFRESH_TOKEN": second}}
    assert pool.call("InitiateAuth", by_flow).kind == "InvalidParameterException"
    pool.clock.move(30 * 86400 - 10)
    assert pool.call("GetTokensFromRefreshToken", {**ask, "RefreshToken": second}).kind == "NotAuthorizedException"


@parity("Sessions", "documented")
def test_signing_out_everywhere(pool: Pool) -> None:
    """GlobalSignOut and RevokeToken end sign-ins; GetUser refuses their tokens."""
    one, other = pool.sign_in(), pool.sign_in()
    assert pool.call("RevokeToken", {"Token": one["AccessToken"], "ClientId": GUEST_APP}).kind == (
        "UnsupportedTokenTypeException"
    )
    pool.done("RevokeToken", {"Token": one["RefreshToken"], "ClientId": GUEST_APP})
    revoked = pool.call("GetUser", {"AccessToken": one["AccessToken"]})
    assert (revoked.kind, revoked.message) == ("NotAuthorizedException", "Access Token has been revoked")
    pool.done("GlobalSignOut", {"AccessToken": other["AccessToken"]})
    assert pool.call("GetUser", {"AccessToken": other["AccessToken"]}).kind == "NotAuthorizedException"


@parity("Sessions", "observed")
def test_other_tokens_open_no_account(pool: Pool) -> None:
    """An expired access token, an ID token and garbage are refused in their own words."""
    tokens = pool.sign_in()
    for token in (tokens["IdToken"], "garbage"):
        assert pool.call("GetUser", {"AccessToken": token}).message == "Invalid Access Token"
    narrow = pool.by_code(scope="openid email")
    assert pool.call("GetUser", {"AccessToken": narrow["access_token"]}).message == (
        "Access Token does not have required scopes"
    )
    pool.clock.move(3600)
    assert pool.call("GetUser", {"AccessToken": tokens["AccessToken"]}).message == "Access Token has expired"


@parity("Second factors", "documented")
def test_an_authenticator_is_asked_for(pool: Pool) -> None:
    """An authenticator is associated, verified, and asked for at the next sign-in."""
    pool.done(
        "SetUserPoolMfaConfig",
        {**OF, "MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": {"Enabled": True}},
    )
    token = pool.sign_in()["AccessToken"]
    secret = pool.done("AssociateSoftwareToken", {"AccessToken": token})["SecretCode"]
    totp = pyotp.TOTP(secret)
    wrong = pool.call("VerifySoftwareToken", {"AccessToken": token, "UserCode": "000000"})
    assert wrong.kind == "EnableSoftwareTokenMFAException"
    assert (
        pool.done("VerifySoftwareToken", {"AccessToken": token, "UserCode": totp.at(pool.clock.now)})["Status"]
        == "SUCCESS"
    )
    pool.done(
        "SetUserMFAPreference",
        {"AccessToken": token, "SoftwareTokenMfaSettings": {"Enabled": True, "PreferredMfa": True}},
    )
    assert pool.done("GetUser", {"AccessToken": token})["UserMFASettingList"] == ["SOFTWARE_TOKEN_MFA"]
    pool.clock.move(60)
    told = sign_in(pool, GUEST, PASSWORD).body
    assert told["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert respond(pool, told, SOFTWARE_TOKEN_MFA_CODE="000000").kind == "CodeMismatchException"
    code = totp.at(pool.clock.now)
    assert "AccessToken" in respond(pool, told, SOFTWARE_TOKEN_MFA_CODE=code).body["AuthenticationResult"]
    again = sign_in(pool, GUEST, PASSWORD).body
    assert respond(pool, again, SOFTWARE_TOKEN_MFA_CODE=code).kind == "CodeMismatchException", "a code works once"


@parity("Second factors", "documented")
def test_a_second_factor_is_set_up_on_the_way(pool: Pool) -> None:
    """Where a pool demands a second factor, one is set up in the middle of the first sign-in."""
    pool.done(
        "SetUserPoolMfaConfig", {**OF, "MfaConfiguration": "ON", "SoftwareTokenMfaConfiguration": {"Enabled": True}}
    )
    told = sign_in(pool, GUEST, PASSWORD).body
    assert told["ChallengeName"] == "MFA_SETUP"
    assert respond(pool, told).kind == "NotAuthorizedException", "nothing was set up yet"
    started = pool.done("AssociateSoftwareToken", {"Session": told["Session"]})
    code = pyotp.TOTP(started["SecretCode"]).at(NOW)
    verified = pool.done("VerifySoftwareToken", {"Session": started["Session"], "UserCode": code})
    finished = respond(pool, {**told, "Session": verified["Session"]})
    assert "AccessToken" in finished.body["AuthenticationResult"]


@parity("Second factors", "documented")
def test_a_sent_code_is_asked_for(pool: Pool) -> None:
    """A code that is sent by mail is asked for where the user prefers that."""
    pool.done(
        "SetUserPoolMfaConfig", {**OF, "MfaConfiguration": "OPTIONAL", "EmailMfaConfiguration": {"Message": "{####}"}}
    )
    choice = {"EmailMfaSettings": {"Enabled": True, "PreferredMfa": True}}
    pool.done("AdminSetUserMFAPreference", {**OF, "Username": GUEST, **choice})
    told = sign_in(pool, GUEST, PASSWORD).body
    assert told["ChallengeName"] == "EMAIL_OTP"
    assert respond(pool, told, EMAIL_OTP_CODE=last_code(pool)).status == 200


@parity("Signing in", "documented")
def test_the_user_chooses_how_to_sign_in(pool: Pool) -> None:
    """USER_AUTH lets the user choose: a password, its proof, or a code that the pool allows."""
    ask = {"AuthFlow": "USER_AUTH", "ClientId": GUEST_APP, "AuthParameters": {"USERNAME": GUEST}}
    told = pool.done("InitiateAuth", ask)
    assert (told["ChallengeName"], told["AvailableChallenges"]) == ("SELECT_CHALLENGE", ["PASSWORD", "PASSWORD_SRP"])
    assert "AccessToken" in respond(pool, told, ANSWER="PASSWORD", PASSWORD=PASSWORD).body["AuthenticationResult"]
    assert respond(pool, pool.done("InitiateAuth", ask), ANSWER="EMAIL_OTP").kind == "InvalidParameterException"
    factors = {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}
    pool.done("UpdateUserPool", {**OF, "Policies": {"SignInPolicy": factors}})
    preferred = {**ask, "AuthParameters": {"USERNAME": GUEST, "PREFERRED_CHALLENGE": "EMAIL_OTP"}}
    sent = pool.done("InitiateAuth", preferred)
    assert sent["ChallengeName"] == "EMAIL_OTP"
    assert respond(pool, sent, EMAIL_OTP_CODE=last_code(pool)).status == 200


@parity("Machines", "documented")
def test_a_client_token_without_a_domain(pool: Pool) -> None:
    """GetClientToken gives a client its own token without a domain."""
    ask = {"ClientId": CONCIERGE, "Secret": SECRET, "Scopes": [f"{HOTEL}/gym:enter"]}
    told = pool.call("GetClientToken", ask, authorization="").body["ClientAuthenticationResult"]
    claims = pool.claims(told["AccessToken"])
    assert (claims["sub"], claims["scope"], told["TokenType"]) == (CONCIERGE, f"{HOTEL}/gym:enter", "Bearer")
    assert pool.call("GetClientToken", {**ask, "Secret": "x"}).kind == "NotAuthorizedException"
    assert pool.call("GetClientToken", {**ask, "Scopes": ["openid"]}).kind == "InvalidParameterException"


def exchanging(pool: Pool, *flows: str) -> tuple[str, str]:
    made = pool.done(
        "CreateUserPoolClient",
        {
            **OF,
            "ClientName": "agent",
            "GenerateSecret": True,
            "ExplicitAuthFlows": list(flows),
            "AllowedOAuthFlows": ["code"],
            "AllowedOAuthFlowsUserPoolClient": True,
            "CallbackURLs": ["https://agent.example/"],
            "AllowedOAuthScopes": ["openid", f"{HOTEL}/gym:enter"],
        },
    )["UserPoolClient"]
    return made["ClientId"], made["ClientSecret"]


@parity("Token exchange", "documented")
def test_an_exchange_names_its_actor_and_narrows(pool: Pool) -> None:
    """Exchange needs its flow; the user stays, the actor is named, the scopes are what all have in common."""
    subject = pool.by_code(scope=f"openid email {HOTEL}/gym:enter")["access_token"]
    machine = pool.token({"grant_type": "client_credentials"}, authorization=basic()).body.decode().split('"')[3]
    kind = "urn:ietf:params:oauth:token-type:access_token"
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": subject,
        "subject_token_type": kind,
        "actor_token": machine,
        "actor_token_type": kind,
    }
    client, secret = exchanging(pool, "ALLOW_REFRESH_TOKEN_AUTH")
    assert b"unauthorized_client" in pool.token(form, authorization=basic(client, secret)).body
    client, secret = exchanging(pool, "ALLOW_TOKEN_EXCHANGE_DELEGATION")
    answer = pool.token(form, authorization=basic(client, secret))
    assert answer.status == 200, answer.body
    claims = pool.claims(answer.body.decode().split('"access_token":"')[1].split('"')[0])
    assert claims["sub"] == pool.claims(subject)["sub"]
    assert (claims["client_id"], claims["act"]) == (client, {"sub": CONCIERGE})
    assert set(claims["scope"].split()) == {"openid", f"{HOTEL}/gym:enter"}
    alone = {name: value for name, value in form.items() if not name.startswith("actor")}
    assert b"unauthorized_client" in pool.token(alone, authorization=basic(client, secret)).body
    told = pool.done(
        "GetDerivedToken",
        {
            "ClientId": client,
            "ClientSecret": secret,
            "SubjectToken": subject,
            "SubjectTokenType": "ACCESS_TOKEN",
            "ActorToken": machine,
            "ActorTokenType": "ACCESS_TOKEN",
        },
    )
    assert pool.claims(told["IssuedToken"])["act"] == {"sub": CONCIERGE}


@parity("JSON API", "observed")
def test_errors_are_named_where_sdks_look(pool: Pool) -> None:
    """An error is named in __type and in x-amzn-ErrorType; administrators' operations have to be signed."""
    told = pool.call("DescribeUserPool", {"UserPoolId": "us-east-1_nobody123"})
    assert (told.status, told.kind) == (400, "ResourceNotFoundException")
    assert told.message == "User pool us-east-1_nobody123 does not exist."
    assert told.headers["x-amzn-errortype"] == "ResourceNotFoundException:"
    assert told.headers["content-type"] == "application/x-amz-json-1.1"
    assert pool.call("ListUsers", OF, authorization="").kind == "MissingAuthenticationTokenException"
    assert pool.call("DanceUser", OF).kind == "UnknownOperationException"
    missing = pool.call("AdminListDevices", OF)
    assert (missing.kind, missing.message) == (
        "UnsupportedOperationException",
        "The operation AdminListDevices is not in this twin of Cognito.",
    )
    assert pool.call("DescribeUserPool", {}).kind == "InvalidParameterException"


def test_the_seeded_pool_is_the_same_after_another_start(pool: Pool) -> None:
    """Ids and secrets are derived, so that what was written down yesterday works today; nothing is planted twice."""
    kept = pool.house.settings.server.state
    first = pool.done("DescribeUserPool", OF)["UserPool"]
    pool.done("AdminDeleteUser", {**OF, "Username": GUEST})
    pool.close()
    again = Pool(Path(kept), SETTINGS)
    try:
        assert again.done("DescribeUserPool", OF)["UserPool"] == {**first, "EstimatedNumberOfUsers": 0}
    finally:
        again.close()
