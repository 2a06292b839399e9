"""The JSON API on what is set up: pools, clients and their secrets, resource servers, domains, tags; and Terraform's way."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.issuer.house import Asked, posted
from tests.twins.cognito.pool import CONCIERGE, GUEST, POOL, Pool, basic
from tests.twins.parity import parity

OF = {"UserPoolId": POOL}


def make_pool(pool: Pool, **said: Any) -> dict[str, Any]:
    made: dict[str, Any] = pool.done("CreateUserPool", {"PoolName": "mine", **said})["UserPool"]
    return made


def make_client(pool: Pool, **said: Any) -> dict[str, Any]:
    made: dict[str, Any] = pool.done("CreateUserPoolClient", {**OF, "ClientName": "app", **said})["UserPoolClient"]
    return made


@parity("Identifiers", "observed")
def test_ids_have_the_clouds_shape(pool: Pool) -> None:
    """New ids are a region and nine characters for pools, 26 for clients."""
    made = make_pool(pool)
    assert re.fullmatch(r"us-east-1_[A-Za-z0-9]{9}", made["Id"])
    assert made["Arn"] == f"arn:aws:cognito-idp:us-east-1:123456789012:userpool/{made['Id']}"
    client = make_client(pool, GenerateSecret=True)
    assert re.fullmatch(r"[a-z0-9]{26}", client["ClientId"])
    assert re.fullmatch(r"[a-z0-9]{51,52}", client["ClientSecret"])
    assert re.fullmatch(r"[a-z0-9]{26}", CONCIERGE)


@parity("Pools", "observed")
def test_the_schema_is_listed_as_terraform_compares_it(pool: Pool) -> None:
    """A pool lists the twenty standard attributes exactly, then its own."""
    listed = {one["Name"]: one for one in make_pool(pool)["SchemaAttributes"]}
    assert len(listed) == 20
    text = {"MinLength": "0", "MaxLength": "2048"}
    plain = {"DeveloperOnlyAttribute": False, "Mutable": True, "Required": False}
    assert listed["email"] == {
        "Name": "email",
        "AttributeDataType": "String",
        "StringAttributeConstraints": text,
        **plain,
    }
    assert listed["email_verified"] == {"Name": "email_verified", "AttributeDataType": "Boolean", **plain}
    assert listed["updated_at"]["NumberAttributeConstraints"] == {"MinValue": "0"}
    assert listed["birthdate"]["StringAttributeConstraints"] == {"MinLength": "10", "MaxLength": "10"}
    assert (listed["sub"]["Mutable"], listed["sub"]["Required"]) == (False, True)


@parity("Pools", "documented")
def test_an_update_replaces(pool: Pool) -> None:
    """Changing a pool replaces what was said; what is left out goes back to its default."""
    made = make_pool(pool, AutoVerifiedAttributes=["email"], Policies={"PasswordPolicy": {"MinimumLength": 12}})
    of = {"UserPoolId": made["Id"]}
    assert made["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    pool.done("UpdateUserPool", {**of, "MfaConfiguration": "OPTIONAL"})
    after = pool.done("DescribeUserPool", of)["UserPool"]
    assert after["Policies"]["PasswordPolicy"]["MinimumLength"] == 8
    assert ("AutoVerifiedAttributes" in after, after["MfaConfiguration"]) == (False, "OPTIONAL")


@parity("Pools", "documented")
def test_a_pool_is_deleted_when_nothing_holds_it(pool: Pool) -> None:
    """A protected pool, and one with a domain, is not deleted."""
    made = make_pool(pool, DeletionProtection="ACTIVE")
    of = {"UserPoolId": made["Id"]}
    assert pool.call("DeleteUserPool", of).kind == "InvalidParameterException"
    pool.done("UpdateUserPool", {**of, "DeletionProtection": "INACTIVE"})
    pool.done("CreateUserPoolDomain", {**of, "Domain": "mine"})
    assert pool.call("DeleteUserPool", of).kind == "InvalidParameterException"
    pool.done("DeleteUserPoolDomain", {**of, "Domain": "mine"})
    pool.done("DeleteUserPool", of)
    assert pool.call("DescribeUserPool", of).kind == "ResourceNotFoundException"


@parity("Clients", "documented")
def test_a_client_is_described_and_replaced(pool: Pool) -> None:
    """A client's secret is told by Create, Describe and Update; an update resets what it leaves out."""
    made = make_client(pool, GenerateSecret=True, AccessTokenValidity=2, CallbackURLs=["https://app.example/"])
    of = {**OF, "ClientId": made["ClientId"]}
    assert pool.done("DescribeUserPoolClient", of)["UserPoolClient"] == made
    after = pool.done("UpdateUserPoolClient", {**of, "ClientName": "renamed"})["UserPoolClient"]
    assert (after["ClientName"], after["ClientSecret"]) == ("renamed", made["ClientSecret"])
    assert {"AccessTokenValidity", "CallbackURLs"}.isdisjoint(after)
    assert (after["TokenValidityUnits"], "RefreshTokenRotation" in after) == ({}, False)
    assert "ClientSecret" not in make_client(pool)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"AllowedOAuthFlows": ["client_credentials", "code"], "GenerateSecret": True}, "InvalidOAuthFlowException"),
        ({"AllowedOAuthFlows": ["client_credentials"]}, "InvalidOAuthFlowException"),
        ({"AllowedOAuthScopes": ["roof/enter"]}, "ScopeDoesNotExistException"),
        ({"ClientName": "an app (mine)"}, "InvalidParameterException"),
        ({"ExplicitAuthFlows": ["USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"]}, "InvalidParameterException"),
        ({"CallbackURLs": ["http://app.example/"]}, "InvalidParameterException"),
        ({"CallbackURLs": ["https://app.example/#x"]}, "InvalidParameterException"),
        ({"DefaultRedirectURI": "https://app.example/"}, "InvalidParameterException"),
        ({"AccessTokenValidity": 25}, "InvalidParameterException"),
        ({"AccessTokenValidity": 1, "TokenValidityUnits": {"AccessToken": "minutes"}}, "InvalidParameterException"),
        ({"ClientSecret": "short"}, "InvalidParameterException"),
        ({"ClientSecret": "a" * 30, "GenerateSecret": True}, "InvalidParameterException"),
    ],
)
@parity("Clients", "documented")
def test_what_does_not_go_together_is_refused(pool: Pool, said: dict[str, Any], kind: str) -> None:
    """What does not go together on a client is refused when it is made."""
    assert pool.call("CreateUserPoolClient", {**OF, "ClientName": "app", **said}).kind == kind


@parity("Clients", "documented")
def test_lifetimes_are_the_clients(pool: Pool) -> None:
    """Lifetimes of tokens are the client's."""
    client = make_client(
        pool,
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"],
        AccessTokenValidity=5,
        IdTokenValidity=10,
        TokenValidityUnits={"AccessToken": "minutes", "IdToken": "minutes"},
    )
    ask = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": client["ClientId"]}
    said = {"USERNAME": GUEST, "PASSWORD": "Correct-Horse-7"}
    result = pool.done("InitiateAuth", {**ask, "AuthParameters": said})["AuthenticationResult"]
    access, identity = pool.claims(result["AccessToken"]), pool.claims(result["IdToken"])
    assert (result["ExpiresIn"], access["exp"] - access["iat"], identity["exp"] - identity["iat"]) == (300, 300, 600)


@parity("Clients", "documented")
def test_secrets_are_rotated(pool: Pool) -> None:
    """A client has two secrets at most, each of which works, and keeps one."""
    of = {**OF, "ClientId": CONCIERGE}
    added = pool.done("AddUserPoolClientSecret", of)["ClientSecretDescriptor"]
    assert pool.call("AddUserPoolClientSecret", of).kind == "LimitExceededException"
    form = {"grant_type": "client_credentials"}
    assert pool.token(form, authorization=basic(secret=added["ClientSecretValue"])).status == 200
    assert pool.token(form, authorization=basic()).status == 200
    ids = [one["ClientSecretId"] for one in pool.done("ListUserPoolClientSecrets", of)["ClientSecrets"]]
    old = next(one for one in ids if one != added["ClientSecretId"])
    pool.done("DeleteUserPoolClientSecret", {**of, "ClientSecretId": old})
    assert pool.token(form, authorization=basic()).status == 400
    last = {**of, "ClientSecretId": added["ClientSecretId"]}
    assert pool.call("DeleteUserPoolClientSecret", last).kind == "InvalidParameterException"


@parity("Clients", "documented")
def test_oauth_is_switched_on_by_client(pool: Pool) -> None:
    """A client that was not made for the OAuth endpoints is refused by them."""
    client = make_client(pool, GenerateSecret=True)
    answer = pool.token(
        {"grant_type": "client_credentials"}, authorization=basic(client["ClientId"], client["ClientSecret"])
    )
    assert (answer.status, b"unauthorized_client" in answer.body) == (400, True)


@parity("Resource servers", "documented")
def test_a_deleted_scope_is_left_out(pool: Pool) -> None:
    """A scope that was deleted stays with its clients and is left out of tokens in silence."""
    server = {**OF, "Identifier": "spa", "Name": "Spa"}
    scopes = [{"ScopeName": name, "ScopeDescription": name} for name in ("heat", "cool")]
    pool.done("CreateResourceServer", {**server, "Scopes": scopes})
    assert pool.call("CreateResourceServer", {**server, "Scopes": scopes}).kind == "InvalidParameterException"
    client = make_client(
        pool,
        GenerateSecret=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthScopes=["spa/heat", "spa/cool"],
    )
    pool.done("UpdateResourceServer", {**server, "Scopes": scopes[:1]})
    answer = pool.token(
        {"grant_type": "client_credentials"}, authorization=basic(client["ClientId"], client["ClientSecret"])
    )
    assert pool.claims(answer.body.decode().split('"')[3])["scope"] == "spa/heat"


@parity("Domains", "observed")
def test_an_unknown_domain_is_no_error(pool: Pool) -> None:
    """An unknown domain is described as nothing, not refused."""
    assert pool.done("DescribeUserPoolDomain", {"Domain": "nowhere"}) == {"DomainDescription": {}}


@pytest.mark.parametrize("name", ["UPPER", "-edge", "my-aws-pool", "us-east-1innkeepr1"])
@parity("Domains", "documented")
def test_a_domain_has_its_rules(pool: Pool, name: str) -> None:
    """A domain's prefix has its rules, and is one pool's."""
    made = make_pool(pool)
    assert (
        pool.call("CreateUserPoolDomain", {"UserPoolId": made["Id"], "Domain": name}).kind
        == "InvalidParameterException"
    )


@parity("Clients", "documented")
def test_a_client_has_one_style_of_managed_login(pool: Pool) -> None:
    """A client has one style of managed login, of Cognito's making or its own; it goes with the client."""
    client = make_client(pool)["ClientId"]
    of = {**OF, "ClientId": client}
    assert pool.call("DescribeManagedLoginBrandingByClient", of).kind == "ResourceNotFoundException"
    made = pool.done("CreateManagedLoginBranding", {**of, "UseCognitoProvidedValues": True})["ManagedLoginBranding"]
    assert pool.done("DescribeManagedLoginBrandingByClient", of)["ManagedLoginBranding"] == made
    again = pool.call("CreateManagedLoginBranding", {**of, "UseCognitoProvidedValues": True})
    assert again.kind == "ManagedLoginBrandingExistsException"
    style = {**OF, "ManagedLoginBrandingId": made["ManagedLoginBrandingId"]}
    both = {**style, "UseCognitoProvidedValues": True, "Settings": {"a": 1}}
    assert pool.call("UpdateManagedLoginBranding", both).kind == "InvalidParameterException"
    pool.done("UpdateManagedLoginBranding", {**style, "Settings": {"a": 1}})
    after = pool.done("DescribeManagedLoginBranding", style)["ManagedLoginBranding"]
    assert (after["UseCognitoProvidedValues"], after["Settings"]) == (False, {"a": 1})
    pool.done("DeleteUserPoolClient", of)
    assert pool.call("DescribeManagedLoginBranding", style).kind == "ResourceNotFoundException"


@parity("JSON API", "documented")
def test_lists_come_in_pages(pool: Pool) -> None:
    """Lists come in pages of at most sixty."""
    for number in range(3):
        make_client(pool, ClientName=f"app-{number}")
    first = pool.done("ListUserPoolClients", {**OF, "MaxResults": 2})
    rest = pool.done("ListUserPoolClients", {**OF, "MaxResults": 60, "NextToken": first["NextToken"]})
    assert (len(first["UserPoolClients"]), len(rest["UserPoolClients"]), "NextToken" in rest) == (2, 3, False)
    assert pool.call("ListUserPoolClients", {**OF, "MaxResults": 61}).kind == "InvalidParameterException"
    assert pool.call("ListUserPoolClients", {**OF, "NextToken": "x"}).kind == "InvalidParameterException"


@parity("Registration", "documented")
def test_clients_register_themselves_where_they_may(pool: Pool) -> None:
    """Dynamic registration is off until it is switched on; a client that registers is of type DCR."""
    body = b'{"redirect_uris":["https://tool.example/cb"],"client_name":"Tool","token_endpoint_auth_method":"none"}'
    asked = Asked("POST", f"/{POOL}/oauth2/register", b"", (("content-type", "application/json"),), (body,))
    assert pool.house.ask(asked).status == 404
    pool.done("UpdateUserPool", {**OF, "DcrConfiguration": {"EnableStatus": "Enabled"}})
    assert "registration_endpoint" in pool.get("/.well-known/openid-configuration").text
    assert pool.house.ask(asked).status == 401
    pool.done("UpdateUserPool", {**OF, "DcrConfiguration": {"EnableStatus": "Enabled", "OpenDcrEnabled": True}})
    made = pool.house.ask(asked)
    assert made.status == 201, made.body
    client = made.body.decode().split('"client_id":"')[1].split('"')[0]
    described = pool.done("DescribeUserPoolClient", {**OF, "ClientId": client})["UserPoolClient"]
    assert (described["ClientType"], described["CallbackURLs"]) == ("DCR", ["https://tool.example/cb"])


@parity("Pools", "documented")
def test_the_issuers_two_forms(pool: Pool) -> None:
    """A pool of the newer issuer type is called by the newer host, where issuers are spelt as the cloud's."""
    headers = (("host", "cognito-idp.us-east-1.amazonaws.com"),)
    path = f"/{POOL}/.well-known/openid-configuration"
    ask = Asked("GET", path, b"", headers)
    assert f'"issuer":"https://cognito-idp.us-east-1.amazonaws.com/{POOL}"' in pool.house.ask(ask).text
    pool.done("UpdateUserPool", {**OF, "IssuerConfiguration": {"Type": "UPDATED"}})
    text = pool.house.ask(ask).text
    assert f'"issuer":"https://issuer-cognito-idp.us-east-1.amazonaws.com/{POOL}"' in text
    assert f'"jwks_uri":"https://issuer-cognito-idp.us-east-1.amazonaws.com/{POOL}/.well-known/jwks.json"' in text
    domain = (("host", "us-east-1innkeepr1.auth.us-east-1.amazoncognito.com"),)
    sent = pool.house.ask(Asked("GET", "/oauth2/authorize", b"client_id=nobody", domain))
    assert (sent.status, "error-page" in sent.text) == (400, True)


@parity("Terraform", "documented")
def test_sts_tells_the_account(pool: Pool) -> None:
    """STS tells who calls: an account of twelve digits."""
    answer = pool.house.ask(posted("/", {"Action": "GetCallerIdentity", "Version": "2011-06-15"}))
    assert re.search(r"<Account>\d{12}</Account>", answer.text)
    assert pool.house.ask(posted("/", {"Action": "AssumeRole"})).status == 400


class Provider:
    """The order of calls of the provider hashicorp/aws for five resources, with what it compares and would choke on."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.state: dict[str, Any] = {}

    def apply(self, description: str = "Read") -> None:
        ask = self.pool
        made = ask.done(
            "CreateUserPool", {"PoolName": "seed", "DeletionProtection": "INACTIVE", "UserPoolTags": {"a": "b"}}
        )
        of = {"UserPoolId": made["UserPool"]["Id"]}
        domain = {"Domain": "seed-123456789012-domain"}
        ask.done("CreateUserPoolDomain", {**of, **domain})
        assert ask.done("DescribeUserPoolDomain", domain)["DomainDescription"]["Status"] == "ACTIVE"
        scopes = [
            {"ScopeName": "read", "ScopeDescription": description},
            {"ScopeName": "write", "ScopeDescription": "W"},
        ]
        server = {**of, "Identifier": "my-api", "Name": "My API"}
        ask.done("CreateResourceServer", {**server, "Scopes": scopes})
        client = ask.done(
            "CreateUserPoolClient",
            {
                **of,
                "ClientName": "seed-client",
                "GenerateSecret": True,
                "AllowedOAuthFlows": ["client_credentials"],
                "AllowedOAuthFlowsUserPoolClient": True,
                "AllowedOAuthScopes": ["my-api/read", "my-api/write"],
            },
        )["UserPoolClient"]
        ask.done("AdminCreateUser", {**of, "Username": "ada", "UserAttributes": [{"Name": "email", "Value": "a@b.c"}]})
        ask.done("AdminSetUserPassword", {**of, "Username": "ada", "Password": "Correct-Horse-7", "Permanent": True})
        self.state = {"of": of, "domain": domain, "server": server, "client": client, "scopes": scopes}
        self.state["read"] = self.refresh()

    def refresh(self) -> dict[str, Any]:
        """What a plan reads, and what makes the provider panic or differ where it is missing."""
        ask, state = self.pool, self.state
        of = state["of"]
        pool = ask.done("DescribeUserPool", of)["UserPool"]
        assert pool["Policies"]["PasswordPolicy"]
        assert pool["CreationDate"]
        assert pool["LastModifiedDate"]
        mfa = ask.done("GetUserPoolMfaConfig", of)
        assert mfa == {"MfaConfiguration": "OFF"}
        client = {**of, "ClientId": state["client"]["ClientId"]}
        user = ask.done("AdminGetUser", {**of, "Username": "ada"})
        return {
            "pool": pool,
            "mfa": mfa,
            "domain": ask.done("DescribeUserPoolDomain", state["domain"])["DomainDescription"],
            "server": ask.done("DescribeResourceServer", {**of, "Identifier": "my-api"})["ResourceServer"],
            "client": ask.done("DescribeUserPoolClient", client)["UserPoolClient"],
            "user": user,
        }

    def destroy(self) -> None:
        ask, state = self.pool, self.state
        of = state["of"]
        ask.done("AdminDeleteUser", {**of, "Username": "ada"})
        ask.done("DeleteUserPoolClient", {**of, "ClientId": state["client"]["ClientId"]})
        ask.done("DeleteResourceServer", {**of, "Identifier": "my-api"})
        ask.done("DeleteUserPoolDomain", {**of, **state["domain"]})
        assert ask.done("DescribeUserPoolDomain", state["domain"]) == {"DomainDescription": {}}
        ask.done("DeleteUserPool", of)


@parity("Terraform", "observed")
def test_terraforms_whole_way(pool: Pool) -> None:
    """apply, an empty second plan, import, update and destroy, call by call as the provider makes them."""
    provider = Provider(pool)
    provider.apply()
    state = provider.state
    pool.clock.move(60)
    assert provider.refresh() == state["read"], "a second plan is empty"
    assert state["read"]["client"] == state["client"], "the provider keeps the client as Create answered it"
    assert state["read"]["client"]["AllowedOAuthScopes"] == ["my-api/read", "my-api/write"]
    assert state["read"]["server"]["Scopes"] == state["scopes"]
    assert state["read"]["pool"]["UserPoolTags"] == {"a": "b"}
    imported = Provider(pool)
    imported.state = {name: state[name] for name in ("of", "domain", "client")}
    assert imported.refresh() == state["read"], "import reads the same"
    scopes = [{"ScopeName": "read", "ScopeDescription": "Read all"}]
    told = pool.done("UpdateResourceServer", {**state["server"], "Scopes": scopes})["ResourceServer"]
    assert told["Scopes"] == scopes
    pool.done("TagResource", {"ResourceArn": state["read"]["pool"]["Arn"], "Tags": {"c": "d"}})
    pool.done("UntagResource", {"ResourceArn": state["read"]["pool"]["Arn"], "TagKeys": ["a"]})
    assert pool.done("ListTagsForResource", {"ResourceArn": state["read"]["pool"]["Arn"]})["Tags"] == {"c": "d"}
    provider.destroy()
    assert pool.call("DescribeUserPool", state["of"]).kind == "ResourceNotFoundException"
    gone = pool.call("DescribeUserPoolClient", {**state["of"], "ClientId": state["client"]["ClientId"]})
    assert gone.kind == "ResourceNotFoundException"


@parity("Terraform", "observed")
def test_terraform_updates_every_resource_and_reads_back_what_it_sent(pool: Pool) -> None:
    """An update of pool, domain, resource server, client, user and group is read back as it was sent, and the next plan is empty."""
    provider = Provider(pool)
    provider.apply()
    of, ask = provider.state["of"], pool.done
    policy = {"PasswordPolicy": {"MinimumLength": 12, "RequireSymbols": False, "TemporaryPasswordValidityDays": 3}}
    ask("UpdateUserPool", {**of, "Policies": policy, "UserPoolTags": {"a": "b"}, "DeletionProtection": "INACTIVE"})
    ask("UpdateUserPoolDomain", {**of, **provider.state["domain"], "ManagedLoginVersion": 2})
    scopes = [*provider.state["scopes"], {"ScopeName": "all", "ScopeDescription": "All"}]
    ask("UpdateResourceServer", {**provider.state["server"], "Scopes": scopes})
    client = {
        **of,
        "ClientId": provider.state["client"]["ClientId"],
        "ClientName": "seed-client",
        "AllowedOAuthFlows": ["client_credentials"],
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthScopes": ["my-api/all"],
        "AccessTokenValidity": 10,
        "TokenValidityUnits": {"AccessToken": "minutes"},
    }
    updated = ask("UpdateUserPoolClient", client)["UserPoolClient"]
    ada = {**of, "Username": "ada"}
    ask("AdminUpdateUserAttributes", {**ada, "UserAttributes": [{"Name": "name", "Value": "Ada"}]})
    ask("AdminDeleteUserAttributes", {**ada, "UserAttributeNames": ["email"]})
    ask("AdminDisableUser", ada)
    group = {**of, "GroupName": "staff"}
    ask("CreateGroup", {**group, "Precedence": 3})
    ask("UpdateGroup", {**group, "Description": "Those who work here", "Precedence": 2})
    ask("AdminAddUserToGroup", {**ada, "GroupName": "staff"})
    read = provider.refresh()
    assert policy["PasswordPolicy"].items() <= read["pool"]["Policies"]["PasswordPolicy"].items()
    assert read["domain"]["ManagedLoginVersion"] == 2
    assert read["server"]["Scopes"] == scopes
    assert read["client"] == updated
    assert (updated["AccessTokenValidity"], updated["AllowedOAuthScopes"]) == (10, ["my-api/all"])
    attributes = {one["Name"]: one["Value"] for one in read["user"]["UserAttributes"]}
    assert (attributes["name"], "email" in attributes, read["user"]["Enabled"]) == ("Ada", False, False)
    told = ask("GetGroup", group)["Group"]
    assert (told["Description"], told["Precedence"]) == ("Those who work here", 2)
    assert [one["GroupName"] for one in ask("AdminListGroupsForUser", ada)["Groups"]] == ["staff"]
    assert provider.refresh() == read, "a second plan is empty"
    ask("AdminRemoveUserFromGroup", {**ada, "GroupName": "staff"})
    ask("DeleteGroup", group)
    provider.destroy()
    assert pool.call("DescribeUserPool", of).kind == "ResourceNotFoundException"
