"""The JSON API on accounts: signing up, confirming, passwords, attributes, groups, administrators' operations."""

from __future__ import annotations

from typing import Any

import pytest

from tests.issuer.house import PASSWORD
from tests.twins.cognito.pool import BASE, CONCIERGE, GUEST, GUEST_APP, POOL, Pool, Told, hashed
from tests.twins.parity import parity

ADA = "ada@hotel.example"
OF = {"UserPoolId": POOL}


def pairs(**said: str) -> list[dict[str, str]]:
    return [{"Name": name.replace("custom_", "custom:"), "Value": value} for name, value in said.items()]


def sign_up(pool: Pool, username: str = "ada", password: str = PASSWORD, **said: str) -> Told:
    document = {"ClientId": GUEST_APP, "Username": username, "Password": password}
    return pool.call("SignUp", {**document, "UserAttributes": pairs(**said or {"email": ADA})}, authorization="")


def last_code(pool: Pool) -> str:
    """The code of the newest message in the outbox."""
    return pool.house.get(f"{BASE}/outbox").text.split('<code class="secret">')[1].split("<")[0]


def sign_in(pool: Pool, username: str, password: str, client: str = GUEST_APP) -> Told:
    parameters = {"USERNAME": username, "PASSWORD": password}
    return pool.call(
        "InitiateAuth", {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": client, "AuthParameters": parameters}
    )


@parity("Signing up", "documented")
def test_signing_up_waits_for_its_code(pool: Pool) -> None:
    """Who signs up is unconfirmed until the code that was sent comes back."""
    told = sign_up(pool)
    assert (told.status, told.body["UserConfirmed"]) == (200, False)
    assert told.body["CodeDeliveryDetails"] == {
        "AttributeName": "email",
        "DeliveryMedium": "EMAIL",
        "Destination": "a***@h***",
    }
    assert sign_in(pool, "ada", PASSWORD).kind == "UserNotConfirmedException"
    confirm = {"ClientId": GUEST_APP, "Username": "ada"}
    code = last_code(pool)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    assert pool.call("ConfirmSignUp", {**confirm, "ConfirmationCode": wrong}).kind == "CodeMismatchException"
    assert pool.done("ConfirmSignUp", {**confirm, "ConfirmationCode": code}) == {}
    assert sign_in(pool, "ada", PASSWORD).status == 200
    again = pool.call("ConfirmSignUp", {**confirm, "ConfirmationCode": code})
    assert (again.kind, again.message) == (
        "NotAuthorizedException",
        "User cannot be confirmed. Current status is CONFIRMED",
    )
    user = pool.done("AdminGetUser", {**OF, "Username": "ada"})
    assert {"Name": "email_verified", "Value": "true"} in user["UserAttributes"]


@parity("Signing up", "observed")
def test_codes_end(pool: Pool) -> None:
    """The code of a sign-up works for a day; a new one replaces it; five wrong ones end it."""
    sign_up(pool)
    first, confirm = last_code(pool), {"ClientId": GUEST_APP, "Username": "ada"}
    pool.clock.move(1)
    pool.done("ResendConfirmationCode", confirm)
    if last_code(pool) != first:
        assert pool.call("ConfirmSignUp", {**confirm, "ConfirmationCode": first}).kind == "CodeMismatchException"
    kinds = [pool.call("ConfirmSignUp", {**confirm, "ConfirmationCode": "no"}).kind for _ in range(6)]
    assert kinds[-1] == "LimitExceededException"
    pool.done("ResendConfirmationCode", confirm)
    pool.clock.move(86401)
    late = pool.call("ConfirmSignUp", {**confirm, "ConfirmationCode": "000000"})
    assert (late.kind, late.message) == (
        "ExpiredCodeException",
        "Invalid code provided, please request a code again.",
    )


@parity("Signing up", "documented")
def test_a_name_is_taken_once(pool: Pool) -> None:
    """A name is one user's."""
    assert sign_up(pool).status == 200
    again = sign_up(pool)
    assert (again.kind, again.message) == ("UsernameExistsException", "User already exists")
    assert sign_up(pool, "ADA").kind == "UsernameExistsException"


@pytest.mark.parametrize(
    ("password", "lacks"),
    [
        ("Ab1-", "Password not long enough"),
        ("abcdefg1-", "Password must have uppercase characters"),
        ("ABCDEFG1-", "Password must have lowercase characters"),
        ("Abcdefgh-", "Password must have numeric characters"),
        ("Abcdefgh1", "Password must have symbol characters"),
    ],
)
@parity("Passwords", "observed")
def test_the_password_policy_names_its_rule(pool: Pool, password: str, lacks: str) -> None:
    """A password that breaks the pool's policy is told which rule it breaks."""
    told = sign_up(pool, password=password)
    assert (told.kind, told.message) == (
        "InvalidPasswordException",
        f"Password did not conform with policy: {lacks}",
    )


@parity("Attributes", "observed")
def test_attributes_have_to_fit_the_schema(pool: Pool) -> None:
    """An attribute that the schema does not have, or a malformed address, is refused."""
    for said in ({"custom_room": "204"}, {"email": "no address"}, {"phone_number": "0207"}):
        assert sign_up(pool, **said).kind == "InvalidParameterException"
    assert sign_up(pool, email=ADA, email_verified="true").kind == "NotAuthorizedException"
    number = {"Name": "room", "AttributeDataType": "Number", "NumberAttributeConstraints": {"MaxValue": "305"}}
    pool.done("AddCustomAttributes", {**OF, "CustomAttributes": [number]})
    assert sign_up(pool, custom_room="306").kind == "InvalidParameterException"
    assert sign_up(pool, custom_room="204").status == 200
    pool.done("AdminConfirmSignUp", {**OF, "Username": "ada"})
    tokens = sign_in(pool, "ada", PASSWORD).body["AuthenticationResult"]
    assert pool.claims(tokens["IdToken"])["custom:room"] == "204", "a custom attribute is text in a token"


@parity("Passwords", "documented")
def test_a_forgotten_password_is_set_anew(pool: Pool) -> None:
    """A forgotten password is set with the code that was sent to a verified address."""
    ask = {"ClientId": GUEST_APP, "Username": GUEST}
    sent = pool.done("ForgotPassword", ask)["CodeDeliveryDetails"]
    assert sent["DeliveryMedium"] == "EMAIL"
    code = last_code(pool)
    fresh = {**ask, "ConfirmationCode": code, "Password": "New-Horse-77"}
    assert pool.call("ConfirmForgotPassword", {**fresh, "Password": "weak"}).kind == "InvalidPasswordException"
    pool.done("ConfirmForgotPassword", fresh)
    assert sign_in(pool, GUEST, PASSWORD).kind == "NotAuthorizedException"
    assert sign_in(pool, GUEST, "New-Horse-77").status == 200
    assert pool.call("ConfirmForgotPassword", fresh).kind == "ExpiredCodeException"


@parity("Passwords", "documented")
def test_a_password_is_changed(pool: Pool) -> None:
    """ChangePassword needs the old password and an access token."""
    token = pool.sign_in()["AccessToken"]
    change = {"AccessToken": token, "PreviousPassword": "wrong", "ProposedPassword": "New-Horse-77"}
    assert pool.call("ChangePassword", change).kind == "NotAuthorizedException"
    pool.done("ChangePassword", {**change, "PreviousPassword": PASSWORD})
    assert sign_in(pool, GUEST, "New-Horse-77").status == 200


@parity("Administrators", "documented")
def test_a_made_user_chooses_a_password(pool: Pool) -> None:
    """A user made by an administrator has to choose a password at the first sign-in."""
    made = {**OF, "Username": "ada", "TemporaryPassword": "Temp-Horse-1", "UserAttributes": pairs(email=ADA)}
    user = pool.done("AdminCreateUser", made)["User"]
    assert (user["UserStatus"], user["Enabled"]) == ("FORCE_CHANGE_PASSWORD", True)
    assert "sub" in {one["Name"] for one in user["Attributes"]}
    told = sign_in(pool, "ada", "Temp-Horse-1").body
    assert told["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    assert told["ChallengeParameters"]["requiredAttributes"] == "[]"
    assert f'"email": "{ADA}"' in told["ChallengeParameters"]["userAttributes"]
    answer: dict[str, Any] = {
        "ClientId": GUEST_APP,
        "ChallengeName": "NEW_PASSWORD_REQUIRED",
        "Session": told["Session"],
        "ChallengeResponses": {"USERNAME": "ada", "NEW_PASSWORD": "New-Horse-77"},
    }
    weak = {**answer, "ChallengeResponses": {"USERNAME": "ada", "NEW_PASSWORD": "weak"}}
    assert pool.call("RespondToAuthChallenge", weak).kind == "InvalidPasswordException"
    assert "AccessToken" in pool.done("RespondToAuthChallenge", answer)["AuthenticationResult"]
    assert pool.call("RespondToAuthChallenge", answer).kind == "NotAuthorizedException", "a session works once"
    assert sign_in(pool, "ada", "New-Horse-77").status == 200


@parity("Administrators", "observed")
def test_a_temporary_password_ends(pool: Pool) -> None:
    """A temporary password works for seven days."""
    pool.done("AdminCreateUser", {**OF, "Username": "ada", "TemporaryPassword": "Temp-Horse-1"})
    pool.clock.move(7 * 86400 + 1)
    told = sign_in(pool, "ada", "Temp-Horse-1")
    assert (told.kind, told.message[:30]) == ("NotAuthorizedException", "Temporary password has expired")


@parity("Administrators", "documented")
def test_administrators_change_users(pool: Pool) -> None:
    """Setting, disabling, enabling, resetting and deleting a user do what they say."""
    ask = {**OF, "Username": GUEST}
    pool.done("AdminSetUserPassword", {**ask, "Password": "New-Horse-77", "Permanent": True})
    token = sign_in(pool, GUEST, "New-Horse-77").body["AuthenticationResult"]["AccessToken"]
    pool.done("AdminDisableUser", ask)
    disabled = sign_in(pool, GUEST, "New-Horse-77")
    assert (disabled.kind, disabled.message) == ("NotAuthorizedException", "User is disabled.")
    assert pool.call("GetUser", {"AccessToken": token}).kind == "NotAuthorizedException"
    pool.done("AdminEnableUser", ask)
    pool.done("AdminResetUserPassword", ask)
    assert sign_in(pool, GUEST, "New-Horse-77").kind == "PasswordResetRequiredException"
    pool.done("AdminDeleteUser", ask)
    assert pool.call("AdminGetUser", ask).kind == "UserNotFoundException"


@parity("Attributes", "documented")
def test_a_changed_address_is_verified_anew(pool: Pool) -> None:
    """A changed address is verified anew, by the code that is sent."""
    token = pool.sign_in()["AccessToken"]
    told = pool.done("UpdateUserAttributes", {"AccessToken": token, "UserAttributes": pairs(email=ADA)})
    assert told["CodeDeliveryDetailsList"][0]["AttributeName"] == "email"
    assert pool.claims(pool.sign_in()["IdToken"])["email_verified"] is False
    code = last_code(pool)
    pool.done("VerifyUserAttribute", {"AccessToken": token, "AttributeName": "email", "Code": code})
    assert pool.claims(pool.sign_in()["IdToken"])["email_verified"] is True


@parity("Groups", "documented")
def test_groups_are_in_tokens(pool: Pool) -> None:
    """Groups are in both tokens of their members, and nobody else's."""
    assert "cognito:groups" not in pool.claims(pool.sign_in()["AccessToken"])
    group = {**OF, "GroupName": "guests", "Precedence": 3}
    assert pool.done("CreateGroup", group)["Group"]["Precedence"] == 3
    assert pool.call("CreateGroup", group).kind == "GroupExistsException"
    member = {**OF, "GroupName": "guests", "Username": GUEST}
    pool.done("AdminAddUserToGroup", member)
    tokens = pool.sign_in()
    assert [pool.claims(tokens[one])["cognito:groups"] for one in ("AccessToken", "IdToken")] == [["guests"]] * 2
    assert [one["Username"] for one in pool.done("ListUsersInGroup", group)["Users"]] == [GUEST]
    listed = pool.done("AdminListGroupsForUser", {**OF, "Username": GUEST})["Groups"]
    assert [one["GroupName"] for one in listed] == ["guests"]
    pool.done("AdminRemoveUserFromGroup", member)
    pool.done("DeleteGroup", {**OF, "GroupName": "guests"})
    assert pool.call("GetGroup", {**OF, "GroupName": "guests"}).kind == "ResourceNotFoundException"


@parity("Administrators", "documented")
def test_users_are_listed_in_pages(pool: Pool) -> None:
    """ListUsers pages, and filters by an attribute or its beginning."""
    for number in range(5):
        made = {"Username": f"user-{number}", "UserAttributes": pairs(email=f"u{number}@hotel.example")}
        pool.done("AdminCreateUser", {**OF, **made, "MessageAction": "SUPPRESS"})
    seen, token = [], {}
    while True:
        told = pool.done("ListUsers", {**OF, "Limit": 2, **token})
        seen += [one["Username"] for one in told["Users"]]
        if "PaginationToken" not in told:
            break
        token = {"PaginationToken": told["PaginationToken"]}
    assert seen == [GUEST, *(f"user-{number}" for number in range(5))]
    found = pool.done("ListUsers", {**OF, "Filter": 'email ^= "u3"'})["Users"]
    assert [one["Username"] for one in found] == ["user-3"]
    assert pool.call("ListUsers", {**OF, "Filter": "nonsense"}).kind == "InvalidParameterException"


@parity("Pools", "observed")
def test_a_pool_named_by_address(pool: Pool) -> None:
    """In a pool that is named by e-mail address the user name is the sub, and the address signs in."""
    made = pool.done("CreateUserPool", {"PoolName": "by mail", "UsernameAttributes": ["email"]})["UserPool"]
    of = {"UserPoolId": made["Id"]}
    client = pool.done(
        "CreateUserPoolClient", {**of, "ClientName": "app", "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]}
    )["UserPoolClient"]["ClientId"]
    told = pool.call("SignUp", {"ClientId": client, "Username": "ada", "Password": PASSWORD})
    assert (told.kind, told.message) == ("InvalidParameterException", "Username should be an email.")
    sub = pool.done("SignUp", {"ClientId": client, "Username": ADA, "Password": PASSWORD})["UserSub"]
    pool.done("AdminConfirmSignUp", {**of, "Username": ADA})
    assert pool.done("AdminGetUser", {**of, "Username": ADA})["Username"] == sub
    assert sign_in(pool, ADA, PASSWORD, client).status == 200
    assert (
        pool.call("SignUp", {"ClientId": client, "Username": ADA, "Password": PASSWORD}).kind
        == "UsernameExistsException"
    )


@parity("Signing in", "observed")
def test_the_secret_hash_is_demanded(pool: Pool) -> None:
    """A client with a secret has to send its hash, over the name it sends."""
    ask = {"ClientId": CONCIERGE, "Username": "ada", "Password": PASSWORD, "UserAttributes": pairs(email=ADA)}
    missing, wrong = pool.call("SignUp", ask), pool.call("SignUp", {**ask, "SecretHash": hashed("bob")})
    assert (missing.kind, missing.message) == (
        "NotAuthorizedException",
        f"Client {CONCIERGE} is configured with secret but SECRET_HASH was not received",
    )
    assert (wrong.kind, wrong.message) == (
        "NotAuthorizedException",
        f"Unable to verify secret hash for client {CONCIERGE}",
    )
    assert pool.call("SignUp", {**ask, "SecretHash": hashed("ada")}).status == 200


@parity("Signing in", "documented")
def test_who_is_here_is_hidden_or_told(pool: Pool) -> None:
    """Whether a stranger is told that nobody has a name is the client's setting."""
    assert sign_in(pool, "nobody", "x").message == "Incorrect username or password."
    legacy = pool.done(
        "CreateUserPoolClient", {**OF, "ClientName": "legacy", "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]}
    )["UserPoolClient"]["ClientId"]
    told = sign_in(pool, "nobody", "x", legacy)
    assert (told.kind, told.message) == ("UserNotFoundException", "User does not exist.")


@parity("Signing in", "documented")
def test_guessing_is_slowed_down(pool: Pool) -> None:
    """After five wrong passwords for a name the next tries have to wait."""
    told = [sign_in(pool, GUEST, "wrong") for _ in range(6)]
    assert told[-1].message == "Password attempts exceeded"
    assert sign_in(pool, GUEST, PASSWORD).message == "Password attempts exceeded"
    pool.clock.move(2)
    assert sign_in(pool, GUEST, PASSWORD).status == 200
