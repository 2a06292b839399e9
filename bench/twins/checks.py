"""The check list: each function is one check, its docstring what is checked; it raises where the emulator falls short."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx2
from pycognito.aws_srp import AWSSRP

from bench.twins.ground import ADA, CALLBACK, EVE, PASSWORD, Ground, part
from innkeeper.protocol import pkce

Check = Callable[[Ground], None]
CHECKS: list[Check] = []
VERIFIER = "v" * 64


def listed(check: Check) -> Check:
    CHECKS.append(check)
    return check


@listed
def pool_ids(on: Ground) -> None:
    """a new pool's id is a region and nine letters and digits"""
    assert re.fullmatch(r"us-east-1_[0-9A-Za-z]{9}", on.pool)


@listed
def schema(on: Ground) -> None:
    """a pool lists the twenty standard attributes"""
    assert len(on.api.describe_user_pool(UserPoolId=on.pool)["UserPool"]["SchemaAttributes"]) == 20


@listed
def unknown_pool(on: Ground) -> None:
    """an unknown pool is ResourceNotFoundException"""
    on.refused("ResourceNotFoundException", "describe_user_pool", UserPoolId="us-east-1_nobody123")


@listed
def protection(on: Ground) -> None:
    """a pool with deletion protection is not deleted"""
    on.api.update_user_pool(UserPoolId=on.pool, DeletionProtection="ACTIVE")
    on.refused("InvalidParameterException", "delete_user_pool", UserPoolId=on.pool)


@listed
def mfa_off(on: Ground) -> None:
    """GetUserPoolMfaConfig says OFF, as Terraform compares"""
    assert on.api.get_user_pool_mfa_config(UserPoolId=on.pool)["MfaConfiguration"] == "OFF"


@listed
def unknown_domain(on: Ground) -> None:
    """an unknown domain is described as nothing, and is no error"""
    assert on.api.describe_user_pool_domain(Domain="nowhere-at-all").get("DomainDescription", {}) == {}


@listed
def domain_rules(on: Ground) -> None:
    """a domain is ACTIVE at once, and reserved words are refused"""
    name = on.domain()
    assert on.api.describe_user_pool_domain(Domain=name)["DomainDescription"]["Status"] == "ACTIVE"
    on.refused("InvalidParameterException", "create_user_pool_domain", UserPoolId=on.pool, Domain="my-aws-pool")


@listed
def scope_first(on: Ground) -> None:
    """a client with a scope of no resource server is ScopeDoesNotExistException"""
    said = {"UserPoolId": on.pool, "ClientName": "x", "AllowedOAuthScopes": ["none/read"]}
    on.refused("ScopeDoesNotExistException", "create_user_pool_client", **said)


@listed
def flows_alone(on: Ground) -> None:
    """client_credentials beside code is InvalidOAuthFlowException"""
    flows = ["client_credentials", "code"]
    said = {"UserPoolId": on.pool, "ClientName": "x", "GenerateSecret": True, "AllowedOAuthFlows": flows}
    on.refused("InvalidOAuthFlowException", "create_user_pool_client", **said)


@listed
def client_names(on: Ground) -> None:
    """a client's name with parentheses is refused"""
    on.refused("InvalidParameterException", "create_user_pool_client", UserPoolId=on.pool, ClientName="x (y)")


@listed
def client_round_trip(on: Ground) -> None:
    """what CreateUserPoolClient answers is what Describe answers, secret included"""
    made = on.client(GenerateSecret=True, CallbackURLs=[CALLBACK])
    said = on.api.describe_user_pool_client(UserPoolId=on.pool, ClientId=made["ClientId"])["UserPoolClient"]
    assert said == made
    assert said["ClientSecret"]


@listed
def client_replaced(on: Ground) -> None:
    """UpdateUserPoolClient resets what it leaves out"""
    made = on.client(CallbackURLs=[CALLBACK], AccessTokenValidity=2)
    said = on.api.update_user_pool_client(UserPoolId=on.pool, ClientId=made["ClientId"], ClientName="y")
    assert {"CallbackURLs", "AccessTokenValidity"}.isdisjoint(said["UserPoolClient"])


@listed
def two_secrets(on: Ground) -> None:
    """a second secret is added, listed, and a third refused"""
    of = {"UserPoolId": on.pool, "ClientId": on.client(GenerateSecret=True)["ClientId"]}
    on.api.add_user_pool_client_secret(**of)
    assert len(on.api.list_user_pool_client_secrets(**of)["ClientSecrets"]) == 2
    on.refused("LimitExceededException", "add_user_pool_client_secret", **of)


@listed
def unconfirmed(on: Ground) -> None:
    """who signed up cannot sign in before the code came back, and a wrong code is refused"""
    mail = [{"Name": "email", "Value": EVE}]
    on.api.sign_up(ClientId=on.app, Username=EVE, Password=PASSWORD, UserAttributes=mail)
    said = {"USERNAME": EVE, "PASSWORD": PASSWORD}
    ask = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": on.app, "AuthParameters": said}
    on.refused("UserNotConfirmedException", "initiate_auth", **ask)
    code = {"ClientId": on.app, "Username": EVE, "ConfirmationCode": "000000"}
    on.refused("CodeMismatchException", "confirm_sign_up", **code)


@listed
def password_policy(on: Ground) -> None:
    """a weak password is InvalidPasswordException"""
    on.refused("InvalidPasswordException", "sign_up", ClientId=on.app, Username=EVE, Password="weakweak")


@listed
def name_taken(on: Ground) -> None:
    """a name that is taken is UsernameExistsException"""
    on.refused("UsernameExistsException", "sign_up", ClientId=on.app, Username=on.ada, Password=PASSWORD)


@listed
def unknown_attribute(on: Ground) -> None:
    """an attribute that the schema has not is refused"""
    said = {"UserPoolId": on.pool, "Username": EVE, "UserAttributes": [{"Name": "custom:none", "Value": "x"}]}
    on.refused("InvalidParameterException", "admin_create_user", **said)


@listed
def new_password(on: Ground) -> None:
    """a made user answers NEW_PASSWORD_REQUIRED and gets tokens; a weak new password is refused"""
    of = {"UserPoolId": on.pool, "Username": EVE}
    on.api.admin_create_user(**of, TemporaryPassword="Temp-Horse-1", MessageAction="SUPPRESS")
    said = {"USERNAME": EVE, "PASSWORD": "Temp-Horse-1"}
    told = on.api.initiate_auth(AuthFlow="USER_PASSWORD_AUTH", ClientId=on.app, AuthParameters=said)
    assert isinstance(told["ChallengeParameters"]["userAttributes"], str)
    answer = {"ClientId": on.app, "ChallengeName": told["ChallengeName"], "Session": told["Session"]}
    weak = {"USERNAME": EVE, "NEW_PASSWORD": "weak"}
    on.refused("InvalidPasswordException", "respond_to_auth_challenge", **answer, ChallengeResponses=weak)
    good = {"USERNAME": EVE, "NEW_PASSWORD": PASSWORD}
    assert "AuthenticationResult" in on.api.respond_to_auth_challenge(**answer, ChallengeResponses=good)


@listed
def groups(on: Ground) -> None:
    """groups are in access and ID tokens"""
    on.api.create_group(UserPoolId=on.pool, GroupName="staff")
    on.api.admin_add_user_to_group(UserPoolId=on.pool, GroupName="staff", Username=on.ada)
    tokens = on.tokens()
    assert [part(tokens[one]).get("cognito:groups") for one in ("AccessToken", "IdToken")] == [["staff"]] * 2


@listed
def list_users(on: Ground) -> None:
    """ListUsers pages and filters"""
    for name in ("a1@x.org", "a2@x.org", "b1@x.org"):
        on.api.admin_create_user(UserPoolId=on.pool, Username=name, MessageAction="SUPPRESS")
    page = on.api.list_users(UserPoolId=on.pool, Limit=2)
    assert (len(page["Users"]), "PaginationToken" in page) == (2, True)
    assert len(on.api.list_users(UserPoolId=on.pool, Filter='username ^= "a"')["Users"]) == 2


@listed
def disabled(on: Ground) -> None:
    """a disabled user cannot sign in"""
    on.api.admin_disable_user(UserPoolId=on.pool, Username=on.ada)
    _wrong(on, "User is disabled.")


def _wrong(on: Ground, message: str, password: str = PASSWORD, client: str = "", **more: str) -> None:
    said = {"USERNAME": on.ada, "PASSWORD": password, **more}
    ask = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": client or on.app, "AuthParameters": said}
    told = on.refused("NotAuthorizedException", "initiate_auth", **ask)
    assert message in told, told


@listed
def right_password(on: Ground) -> None:
    """the right password gives three tokens"""
    assert {"AccessToken", "IdToken", "RefreshToken"} <= on.tokens().keys()


@listed
def wrong_password(on: Ground) -> None:
    """a wrong password is refused, in Cognito's words"""
    _wrong(on, "Incorrect username or password.", "wrong")


@listed
def srp_right(on: Ground) -> None:
    """the right password proved by SRP signs in"""
    assert "AuthenticationResult" in _srp(on, PASSWORD).authenticate_user()


def _srp(on: Ground, password: str) -> AWSSRP:
    return AWSSRP(username=on.ada, password=password, pool_id=on.pool, client_id=on.app, client=on.api)


@listed
def srp_wrong(on: Ground) -> None:
    """a wrong password is refused by SRP"""
    proof = _srp(on, "Wrong-Horse-7")
    try:
        told = proof.authenticate_user()
    except on.api.exceptions.NotAuthorizedException:
        return
    raise AssertionError(f"signed in with a wrong password: {sorted(told)}")


@listed
def flow_enabled(on: Ground) -> None:
    """a flow that the client does not have is refused"""
    client = on.client(ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"])["ClientId"]
    said = {"USERNAME": on.ada, "PASSWORD": PASSWORD}
    ask = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": client, "AuthParameters": said}
    on.refused("InvalidParameterException", "initiate_auth", **ask)


@listed
def hash_missing(on: Ground) -> None:
    """a client with a secret without SECRET_HASH is refused"""
    _wrong(on, "SECRET_HASH was not received", client=on.client(GenerateSecret=True)["ClientId"])


@listed
def hash_wrong(on: Ground) -> None:
    """a wrong SECRET_HASH is refused"""
    client = on.client(GenerateSecret=True)["ClientId"]
    _wrong(on, "Unable to verify secret hash", client=client, SECRET_HASH="bm8=")


@listed
def strangers(on: Ground) -> None:
    """nobody learns who is here where the client hides it"""
    _wrong(on, "Incorrect username or password.", USERNAME="nobody@x.org")


@listed
def lockout(on: Ground) -> None:
    """after several wrong passwords the right one has to wait"""
    for _ in range(7):
        said = {"USERNAME": on.ada, "PASSWORD": "wrong"}
        ask = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": on.app, "AuthParameters": said}
        on.refused("NotAuthorizedException", "initiate_auth", **ask)
    _wrong(on, "Password attempts exceeded")


@listed
def refreshing(on: Ground) -> None:
    """REFRESH_TOKEN_AUTH gives new tokens of the same sign-in, and garbage is refused"""
    first = on.tokens()
    ask = {"AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": on.app}
    told = on.api.initiate_auth(**ask, AuthParameters={"REFRESH_TOKEN": first["RefreshToken"]})["AuthenticationResult"]
    before, after = part(first["AccessToken"]), part(told["AccessToken"])
    assert (before["auth_time"], before["jti"] != after["jti"]) == (after["auth_time"], True)
    on.refused("NotAuthorizedException", "initiate_auth", **ask, AuthParameters={"REFRESH_TOKEN": "garbage"})


@listed
def second_factor(on: Ground) -> None:
    """a wrong code of an authenticator is refused when it is set up"""
    token = on.tokens()["AccessToken"]
    assert on.api.associate_software_token(AccessToken=token)["SecretCode"]
    kind = "EnableSoftwareTokenMFAException"
    on.refused(kind, "verify_software_token", AccessToken=token, UserCode="000000")


@listed
def unsigned(on: Ground) -> None:
    """an administrator's operation without credentials is refused"""
    target = "AWSCognitoIdentityProviderService.ListUsers"
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": target}
    assert on.http.post(on.url, headers=headers, json={"UserPoolId": on.pool}).status_code in (400, 401, 403)


@listed
def header(on: Ground) -> None:
    """a token's header is kid and alg alone"""
    assert list(part(on.tokens()["AccessToken"], 0)) == ["kid", "alg"]


@listed
def two_keys(on: Ground) -> None:
    """two keys are published, and access and ID tokens are signed by one each"""
    tokens = on.tokens()
    used = {part(tokens[one], 0)["kid"] for one in ("AccessToken", "IdToken")}
    assert used == {one["kid"] for one in on.published()}
    assert len(used) == 2


@listed
def own_keys(on: Ground) -> None:
    """two pools have keys of their own"""
    other = Ground(on.url)
    try:
        assert {one["n"] for one in on.published()}.isdisjoint(one["n"] for one in other.published())
    finally:
        other.close()


@listed
def access_claims(on: Ground) -> None:
    """an access token has client_id, username and origin_jti and no aud; an ID token has aud and no client_id"""
    tokens = on.tokens()
    access, identity = part(tokens["AccessToken"]), part(tokens["IdToken"])
    assert {"client_id", "username", "origin_jti", "event_id", "scope"} <= access.keys()
    assert ("aud" in access, "client_id" in identity, identity["aud"]) == (False, False, on.app)
    assert identity["email_verified"] is True


@listed
def refresh_opaque(on: Ground) -> None:
    """a refresh token is opaque, in five parts"""
    assert len(on.tokens()["RefreshToken"].split(".")) == 5


@listed
def lifetimes(on: Ground) -> None:
    """a client's AccessTokenValidity is the token's"""
    flows = ["ALLOW_USER_PASSWORD_AUTH"]
    client = on.client(ExplicitAuthFlows=flows, AccessTokenValidity=5, TokenValidityUnits={"AccessToken": "minutes"})
    claims = part(on.tokens(client=client["ClientId"])["AccessToken"])
    assert claims["exp"] - claims["iat"] == 300


@listed
def revoked(on: Ground) -> None:
    """after RevokeToken, GetUser refuses the access token"""
    tokens = on.tokens()
    on.api.revoke_token(Token=tokens["RefreshToken"], ClientId=on.app)
    on.refused("NotAuthorizedException", "get_user", AccessToken=tokens["AccessToken"])


@listed
def signed_out(on: Ground) -> None:
    """after GlobalSignOut, GetUser refuses the access token"""
    token = on.tokens()["AccessToken"]
    on.api.global_sign_out(AccessToken=token)
    on.refused("NotAuthorizedException", "get_user", AccessToken=token)


@listed
def discovery(on: Ground) -> None:
    """discovery has Cognito's twelve members, and its issuer is the tokens'"""
    document = on.http.get(f"{on.url}/{on.pool}/.well-known/openid-configuration").json()
    assert len(document) == 12
    assert part(on.tokens()["AccessToken"])["iss"] == document["issuer"]


@listed
def machine_token(on: Ground) -> None:
    """client credentials give a token of the client with version 2 and all its scopes"""
    client = on.machine()
    answer = on.token(client, grant_type="client_credentials").json()
    assert sorted(answer) == ["access_token", "expires_in", "token_type"]
    claims = part(answer["access_token"])
    assert (claims["sub"], claims["version"], set(claims["scope"].split())) == (
        client["ClientId"],
        2,
        {"my-api/read", "my-api/write"},
    )


@listed
def machine_scope(on: Ground) -> None:
    """client credentials refuse a scope that is not the client's"""
    _oauth_error(on.token(on.machine(), grant_type="client_credentials", scope="my-api/none"), "invalid_scope")


def _oauth_error(answer: httpx2.Response, error: str) -> None:
    assert (answer.status_code, answer.json().get("error")) == (400, error), answer.text[:200]


@listed
def machine_secret(on: Ground) -> None:
    """a wrong secret is invalid_client"""
    client = {**on.machine(), "ClientSecret": "wrong"}
    _oauth_error(on.token(client, grant_type="client_credentials"), "invalid_client")


@listed
def redirects(on: Ground) -> None:
    """authorize never redirects to an address that is not registered"""
    sent = on.request(on.web(), redirect_uri="https://evil.example/")
    answer = on.http.get(f"{on.oauth}/oauth2/authorize", params=sent)
    assert answer.status_code < 500
    assert not answer.headers.get("location", "").startswith("https://evil.example")
    assert answer.status_code != 200 or "<form" not in answer.text


@listed
def code_grant(on: Ground) -> None:
    """a person signs in on the hosted page, and the code with its verifier gives tokens, once"""
    client = on.web()
    code = on.code(client, code_challenge=pkce.challenge(VERIFIER), code_challenge_method="S256", nonce="n")
    good = on.redeem(client, code, code_verifier=VERIFIER).json()
    assert part(good["id_token"])["nonce"] == "n"
    _oauth_error(on.redeem(client, code, code_verifier=VERIFIER), "invalid_grant")


@listed
def verifier(on: Ground) -> None:
    """a wrong code_verifier is invalid_grant"""
    client = on.web()
    code = on.code(client, code_challenge=pkce.challenge(VERIFIER), code_challenge_method="S256")
    _oauth_error(on.redeem(client, code, code_verifier="w" * 64), "invalid_grant")


@listed
def redirect_at_exchange(on: Ground) -> None:
    """another redirect_uri at the exchange is refused"""
    client = on.web()
    answer = on.token(client, grant_type="authorization_code", code=on.code(client), redirect_uri=f"{CALLBACK}/x")
    assert answer.status_code == 400


@listed
def user_info(on: Ground) -> None:
    """userInfo answers a token of the code grant, and refuses one of InitiateAuth"""
    client = on.web()
    token = on.redeem(client, on.code(client)).json()["access_token"]
    ask = f"{on.oauth}/oauth2/userInfo"
    told = on.http.get(ask, headers={"authorization": f"Bearer {token}"}).json()
    assert (told["username"], told["email_verified"]) == (ADA, "true")
    other = on.tokens()["AccessToken"]
    assert on.http.get(ask, headers={"authorization": f"Bearer {other}"}).status_code == 401


@listed
def revoke_endpoint(on: Ground) -> None:
    """the revoke endpoint ends a refresh token, and refuses an access token as unsupported_token_type"""
    client = on.web()
    tokens = on.redeem(client, on.code(client)).json()
    basic = (client["ClientId"], client["ClientSecret"])
    ask = f"{on.oauth}/oauth2/revoke"
    _oauth_error(on.http.post(ask, data={"token": tokens["access_token"]}, auth=basic), "unsupported_token_type")
    assert on.http.post(ask, data={"token": tokens["refresh_token"]}, auth=basic).status_code == 200
    _oauth_error(on.token(client, grant_type="refresh_token", refresh_token=tokens["refresh_token"]), "invalid_grant")


@listed
def logout(on: Ground) -> None:
    """logout leads to a registered sign-out URL, and to no other"""
    client = on.client(LogoutURLs=["http://localhost:8765/bye"], CallbackURLs=[CALLBACK])
    on.domain_if_it_can()
    ask = {"client_id": client["ClientId"], "logout_uri": "http://localhost:8765/bye"}
    assert on.http.get(f"{on.oauth}/logout", params=ask).headers.get("location") == ask["logout_uri"]
    bad = on.http.get(f"{on.oauth}/logout", params={**ask, "logout_uri": "https://evil.example/"})
    assert not bad.headers.get("location", "").startswith("https://evil.example")
    assert bad.status_code < 500
